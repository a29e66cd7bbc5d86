"""Every file that zpdata writes is whole or not there."""

import errno
import re
import unittest
from unittest import mock

from support import ROOT, TOKENIZER, Case
from zpdata.errors import ZpError
from zpdata.whole_file import wholeFile


class WholeFile(Case):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "file"

    def files(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def test_it_appears_at_the_end(self):
        with wholeFile(self.path) as file:
            file.write(b"new")
            file.flush()
            self.assertFalse(self.path.exists())
        self.assertEqual(self.files(), {"file": b"new"})

    def test_what_fails_leaves_what_was_there(self):
        self.path.write_bytes(b"old")
        with self.assertRaises(ValueError), wholeFile(self.path) as file:
            file.write(b"half")
            raise ValueError
        self.assertEqual(self.files(), {"file": b"old"})
        for call in ("os.fsync", "os.replace"):
            with mock.patch(call, side_effect=OSError(errno.ENOSPC, "no space")):
                with self.assertRaises(ZpError) as raised, wholeFile(self.path) as file:
                    file.write(b"half")
            self.assertEqual((raised.exception.name, raised.exception.place), ("DiskFull", self.path))
            self.assertEqual(self.files(), {"file": b"old"}, call)

    def test_every_verb_writes_so(self):
        rows = self.write_rows([{"text": "open"}])
        answers = self.write_rows([{"text": "a"}], "answers.jsonl")
        out, words = self.folder / "out", ["--tokenizer", TOKENIZER]
        for verb in (
            [rows, *words, "-o", out],
            ["prompts", rows, *words, "-o", out],
            ["tokenizer", *words, "-o", out],
            ["classify", answers, rows, "--class_names", "a,b", "--id_column", "text", "-o", out],
        ):
            with mock.patch("os.fsync", side_effect=OSError(errno.ENOSPC, "no space")):
                self.assert_fails(7, 6002, ["out", "disk is full"], *verb)
            self.assertFalse(out.exists() and (out.is_file() or list(out.iterdir())), verb)

    def test_nothing_else_writes(self):
        for path in (ROOT / "frontends/data/zpdata").glob("*.py"):
            text = path.read_text()
            if path.name != "whole_file.py":
                self.assertIsNone(re.search(r"write_text|write_bytes|open\([^)]*[\"'][wax]b?[\"']", text), path)


if __name__ == "__main__":
    unittest.main()
