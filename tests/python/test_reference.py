"""zpdata makes the rows that the reference trains on: golden/cases.json was made by golden/generate.py with TRL
itself."""

import hashlib
import json
import unittest

import numpy
from support import GOLDEN, Case


def flag_words(flags):
    return [f"--{name}={str(value).lower()}" for name, value in flags.items()]


def rows_of_lengths(lengths):
    """The rows that generate.py's `numbers` makes: tokens count up through all rows, modulo 300."""
    at, rows = 0, []
    for length in lengths:
        rows.append({"input_ids": [i % 300 for i in range(at, at + length)]})
        at += length
    return rows


def trimmed(tensors):
    """[input_ids, labels, position_ids] of each row without its padding."""
    result = []
    for row in zip(*(tensors[n] for n in ("input_ids", "labels", "position_ids", "segment_ids"))):
        inside = row[3] >= 0
        result.append([part[inside].tolist() for part in row[:3]])
    return result


def digest(rows):
    flat = [number for row in rows for number in [len(row[0]), *row[0], *row[1], *row[2]]]
    return hashlib.sha256(numpy.array(flat, dtype="<i4").tobytes()).hexdigest()


class Reference(Case):
    def check(self, case):
        rows = case["rows"] if "rows" in case else rows_of_lengths(case["lengths"])
        tensors = self.tokens(rows, *flag_words(case["flags"]))
        made = trimmed(tensors)
        for number, (ours, theirs) in enumerate(zip(made, case.get("expected", case.get("first")))):
            self.assertEqual(ours, theirs, f"row {number}")
        self.assertEqual(len(made), case["count"])
        self.assertEqual(digest(made), case["digest"])
        padding = tensors["segment_ids"] < 0
        self.assertTrue((tensors["labels"][padding] == -100).all())
        for tensor in tensors.values():
            self.assertEqual(
                (tensor.dtype, tensor.shape), (numpy.int32, (case["count"], case["flags"]["max_length"]))
            )


def add_tests():
    for case in json.loads((GOLDEN / "cases.json").read_text())["cases"]:
        setattr(Reference, "test_" + case["name"], lambda self, case=case: self.check(case))


add_tests()

if __name__ == "__main__":
    unittest.main()
