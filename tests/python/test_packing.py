"""The packing rules on cases worked out by hand."""

import unittest

import numpy
from support import TOKENIZER, Case
from zpdata.packing import bestFitDecreasing, blocks, pack


def documents(*lengths):
    """Documents of these lengths; document d's tokens are 10 d, 10 d + 1, …"""
    made = [numpy.arange(10 * d, 10 * d + n, dtype=numpy.int32) for d, n in enumerate(lengths)]
    return [(ids, ids.copy()) for ids in made]


def lengths_of(rows):
    return [[len(ids) for ids, _ in row] for row in rows]


class BestFitDecreasing(unittest.TestCase):
    def test_documented_example(self):
        # 5 is cut to 4 and fills a row; 3 leaves 1; 2 doesn't fit there; 1 fits best with the 3.
        self.assertEqual(lengths_of(pack(documents(5, 2, 3, 1), 4, "bfd")), [[4], [3, 1], [2]])

    def test_best_fit_is_not_first_fit(self):
        # rows after 6, 7: spaces 4, 3. The 3 goes into the space of 3, not into the first that holds it.
        self.assertEqual(bestFitDecreasing([7, 6, 3], 10), [[0, 2], [1]])
        self.assertEqual(bestFitDecreasing([6, 7, 3], 10), [[1, 2], [0]])

    def test_oldest_of_equal_spaces(self):
        self.assertEqual(bestFitDecreasing([6, 6, 2, 2], 8), [[0, 2], [1, 3]])

    def test_equal_lengths_keep_their_order(self):
        self.assertEqual(bestFitDecreasing([2, 3, 2, 3], 5), [[1, 0], [3, 2]])

    def test_a_row_that_shrinks_queues_behind(self):
        # spaces after 5, 5, 4: 3, 3, 4. First 2 → oldest space 3 (row 0, left 1); second 2 → row 1; third 2 → row 2.
        self.assertEqual(bestFitDecreasing([5, 5, 4, 2, 2, 2], 8), [[0, 3], [1, 4], [2, 5]])

    def test_empty_documents_are_dropped(self):
        self.assertEqual(lengths_of(pack(documents(0, 2, 0), 4, "bfd")), [[2]])
        self.assertEqual(pack(documents(0, 0), 4, "bfd"), [])

    def test_first_label_of_each_document_is_not_counted(self):
        (row,) = pack(documents(3, 2), 5, "bfd")
        self.assertEqual([labels.tolist() for _, labels in row], [[-100, 1, 2], [-100, 11]])


class OtherStrategies(unittest.TestCase):
    def test_split_keeps_every_token(self):
        rows = pack(documents(5, 2, 3, 1), 4, "bfd_split")
        self.assertEqual(
            [[ids.tolist() for ids, _ in row] for row in rows],
            [[[0, 1, 2, 3]], [[20, 21, 22], [4]], [[10, 11], [30]]],
        )

    def test_wrapped_cuts_one_string(self):
        rows = pack(documents(3, 0, 4), 5, "wrapped")
        self.assertEqual([[ids.tolist() for ids, _ in row] for row in rows], [[[0, 1, 2, 20, 21]], [[22, 23]]])
        self.assertEqual(rows[0][0][1].tolist(), [0, 1, 2, 20, 21])


class Blocks(unittest.TestCase):
    def test_blocks_of_1000(self):
        self.assertEqual(list(blocks(2001)), [range(0, 1000), range(1000, 2000), range(2000, 2001)])

    def test_each_worker_has_blocks_of_its_own(self):
        self.assertEqual(
            list(blocks(2501, 2)), [range(0, 1000), range(1000, 1251), range(1251, 2251), range(2251, 2501)]
        )
        self.assertEqual(list(blocks(2, 5)), [range(0, 1), range(1, 2)])


class LongDocuments(Case):
    """What doesn't fit into a row is said, unless a strategy keeps it."""

    def said(self, *words):
        rows = self.write_rows([{"input_ids": [1] * n} for n in (3, 7, 5, 9)])
        code, _, err = self.run_zpdata(rows, "--tokenizer", TOKENIZER, "-o", self.output, "--max_length", 5, *words)
        self.assertEqual(code, 0, err)
        return err

    def test_cut(self):
        for words in ([], ["--packing"]):
            said = self.said(*words)
            self.assertIn("2 of 4 documents are longer than 5 tokens: 6 tokens at their ends are left out; --max_length", said)
            self.assertEqual("bfd_split" in said, bool(words))
            self.assertEqual(said.count("\n"), 1)

    def test_kept(self):
        for strategy in ("bfd_split", "wrapped"):
            self.assertEqual(self.said("--packing", "--packing_strategy", strategy), "")


class Rows(Case):
    def test_a_packed_file(self):
        rows = [{"input_ids": list(range(first, first + n))} for first, n in ((10, 2), (20, 3), (30, 1))]
        tensors = self.tokens(rows, "--packing", "--max_length", 5)
        self.assertEqual(
            {name: tensor.tolist() for name, tensor in tensors.items()},
            {
                "input_ids": [[20, 21, 22, 10, 11], [30, 2, 2, 2, 2]],  # padded with EOS, 2
                "labels": [[-100, 21, 22, -100, 11], [-100] * 5],
                "position_ids": [[0, 1, 2, 0, 1], [0, 0, 0, 0, 0]],
                "segment_ids": [[0, 0, 0, 1, 1], [0, -1, -1, -1, -1]],
            },
        )

    def test_packs_do_not_cross_blocks(self):
        rows = [{"input_ids": [1] * 8}] * 1000 + [{"input_ids": [2] * 2}] * 3
        self.assertEqual(self.segments(self.tokens(rows, "--packing", "--max_length", 10))[-1], [[2, 2]] * 3)

    def test_an_unpacked_file(self):
        rows = [{"input_ids": [5, 6, 7, 8]}, {"input_ids": [9]}, {"input_ids": [5, 6, 7], "labels": [-100, -100, 7]}]
        tensors = self.tokens(rows, "--max_length", 2)  # the last row's only counted label is cut off: no row
        self.assertEqual(
            {name: tensor.tolist() for name, tensor in tensors.items()},
            {
                "input_ids": [[5, 6], [9, 2]],
                "labels": [[5, 6], [9, -100]],
                "position_ids": [[0, 1], [0, 0]],
                "segment_ids": [[0, 0], [0, -1]],
            },
        )


if __name__ == "__main__":
    unittest.main()
