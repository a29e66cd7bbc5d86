"""What the tests of zpdata share: running it as a user does, and reading what it wrote."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "python" / "golden"
TOKENIZER = GOLDEN / "tokenizer"
sys.path.insert(0, str(ROOT / "frontends" / "data"))

from safetensors import safe_open  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402
from zpdata.cli import main  # noqa: E402


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.output = self.folder / "tokens.safetensors"

    def run_zpdata(self, *words):
        """(exit code, what it printed, what it complained about)"""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([str(word) for word in words])
        return code, out.getvalue(), err.getvalue()

    def write_rows(self, rows, name="rows.jsonl"):
        path = self.folder / name
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    def tokens(self, rows, *words, tokenizer=TOKENIZER):
        """The tensors that zpdata makes of some rows."""
        code, _, err = self.run_zpdata(self.write_rows(rows), "--tokenizer", tokenizer, "-o", self.output, *words)
        self.assertEqual(code, 0, err)
        return load_file(self.output)

    def segments(self, tensors):
        """Of each row, the token lists of its documents."""
        return [
            [ids[numbers == s].tolist() for s in range(numbers.max() + 1)]
            for ids, numbers in zip(tensors["input_ids"], tensors["segment_ids"])
        ]

    def metadata(self, path=None):
        with safe_open(path or self.output, framework="numpy") as file:
            return file.metadata()

    def assert_fails(self, code, number, pieces, *words):
        """zpdata ends with `code` and one line that names the error and holds each piece."""
        got, _, err = self.run_zpdata(*words)
        self.assertEqual(got, code, err)
        self.assertTrue(err.startswith(f"error[ZP{number}] "), err)
        self.assertEqual(err.count("\n"), 1, err)
        self.assertIn(";", err)
        for piece in pieces:
            self.assertIn(piece, err)
        self.assertEqual(list(self.folder.glob("tokens*")), [], "something half-written is left")
