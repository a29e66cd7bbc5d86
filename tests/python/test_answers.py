"""What a model answered: accuracy by the guide's rule, and the nearest class by edit distance."""

import csv
import json
import unittest

from support import TOKENIZER, Case
from zpdata.answers import closestClass, editDistance
from zpdata.tokenizer import Tokenizer

CLASSES = ["Unlabeled", "complaint", "no complaint"]
ROWS = [
    {"ID": i, "text": "t", "label": label}
    for i, label in enumerate(["complaint", "no complaint", "complaint", "Unlabeled"])
]


class Answers(Case):
    def setUp(self):
        super().setUp()
        self.dataset = self.write_rows(ROWS, "test.jsonl")
        self.predictions = self.folder / "predictions.csv"

    def texts(self, texts):
        return self.write_rows(
            [{"row": i, "text": text, "ended": "eos"} for i, text in enumerate(texts)], "texts.jsonl"
        )

    def accuracy(self, *words):
        code, out, err = self.run_zpdata("accuracy", *words, self.dataset, "--target_column", "label")
        self.assertEqual(code, 0, err)
        return out.splitlines()

    def test_blanks_around_an_answer_do_not_matter(self):
        lines = self.accuracy(self.texts([" complaint\n", "complaint", "complaint ", "unlabeled"]))
        self.assertEqual(
            lines,
            [
                "accuracy=50.0",
                "eval_preds[:10]=[' complaint\\n', 'complaint', 'complaint ', 'unlabeled']",
                "dataset['test'][label_column][:10]=['complaint', 'no complaint', 'complaint', 'Unlabeled']",
            ],
        )
        out = self.accuracy(self.texts([row["label"] for row in ROWS]), "--json")
        self.assertEqual(json.loads(out[0]), {"accuracy": 100.0, "correct": 4, "rows": 4})

    def test_tokens_of_zprun(self):
        core = Tokenizer(TOKENIZER).core
        end = core.token_to_id("</s>")
        lines = [
            {"row": i, "tokens": [*core.encode(row["label"], add_special_tokens=False).ids, end]}
            for i, row in enumerate(ROWS)
        ]
        self.assertEqual(
            self.accuracy(self.write_rows(lines, "out.jsonl"), "--tokenizer", TOKENIZER)[0], "accuracy=100.0"
        )

    def test_numbers_of_classes(self):
        self.dataset = self.write_rows([{**row, "label": CLASSES.index(row["label"])} for row in ROWS], "test.jsonl")
        answers = self.texts([row["label"] for row in ROWS])
        self.assertEqual(self.accuracy(answers, "--class_names", ",".join(CLASSES))[0], "accuracy=100.0")

    def test_edit_distance(self):
        for a, b, distance in (
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("same", "same", 0),
            ("ab", "ba", 2),
        ):
            self.assertEqual((editDistance(a, b), editDistance(b, a)), (distance, distance))

    def test_the_nearest_class(self):
        self.assertEqual(closestClass(" no complain\n", CLASSES), "no complaint")
        self.assertEqual(closestClass("complain complain", CLASSES), "no complaint")
        self.assertEqual(closestClass("b", ["a", "c", "b b"]), "a", "the first of equals")

    def test_predictions(self):
        answers = self.texts(["complaint", "no complaints", "complant", "Unlabelled"])
        words = ["classify", answers, self.dataset, "-o", self.predictions, "--class_names", ",".join(CLASSES)]
        code, out, err = self.run_zpdata(*words)
        self.assertEqual(code, 0, err)
        with open(self.predictions, newline="") as file:
            self.assertEqual(
                list(csv.reader(file)),
                [["ID", "Label"], ["0", "complaint"], ["1", "no complaint"], ["2", "complaint"], ["3", "Unlabeled"]],
            )
        self.assertIn("4 rows (1 Unlabeled, 2 complaint, 1 no complaint); 1 answers were a class", out)

    def test_wrong(self):
        answers = self.texts(["complaint"] * 3)
        target = ["--target_column", "label"]
        self.assert_fails(4, 3009, ["has 3 answers, expected the 4 rows"], "accuracy", answers, self.dataset, *target)
        answers = self.texts(["complaint"] * 4)
        self.assert_fails(4, 3009, ["test.jsonl:1", "expected completion"], "accuracy", answers, self.dataset)
        self.assert_fails(
            4,
            3009,
            ["texts.jsonl:1", "has no tokens"],
            "accuracy",
            answers,
            self.dataset,
            *target,
            "--tokenizer",
            TOKENIZER
        )
        tokens = self.write_rows([{"tokens": [1]}] * 4, "out.jsonl")
        self.assert_fails(
            4, 3009, ["out.jsonl:1", "has no text", "--tokenizer"], "accuracy", tokens, self.dataset, *target
        )
        classify = ["classify", answers, self.dataset, "-o", self.predictions]
        self.assert_fails(2, 1001, ["--class_names", "names no classes"], *classify)
        self.assert_fails(4, 3009, ["expected number"], *classify, "--class_names", "a", "--id_column", "number")
        self.assertFalse(self.predictions.exists())


if __name__ == "__main__":
    unittest.main()
