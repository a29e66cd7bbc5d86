"""Every file that zpdata writes is whole or not there."""

import errno
import os
import re
import stat
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

    def refuses(self, path, *pieces):
        with self.assertRaises(ZpError) as raised, wholeFile(path) as file:
            file.write(b"new")
        self.assertEqual((raised.exception.name, str(raised.exception.place)), ("DiskWrite", str(path)))
        for piece in pieces:
            self.assertIn(piece, raised.exception.what)

    def test_what_is_no_file_stays_what_it_is(self):
        pipe, folder = self.folder / "pipe", self.folder / "folder"
        os.mkfifo(pipe)
        folder.mkdir()
        (self.folder / "to the pipe").symlink_to(pipe)
        (self.folder / "to the folder").symlink_to("folder")
        before = sorted(self.folder.iterdir())
        for name, piece in (("pipe", "a pipe"), ("folder", "a directory"), ("to the pipe", "a pipe"), ("to the folder", "a directory")):
            self.refuses(self.folder / name, piece)
        self.assertEqual(sorted(self.folder.iterdir()), before)
        self.assertTrue(stat.S_ISFIFO(pipe.stat().st_mode))
        self.assertTrue((self.folder / "to the pipe").is_symlink())

    def test_a_link_stays_and_its_file_is_written(self):
        (self.folder / "far").mkdir()
        (self.folder / "far" / "old").write_bytes(b"old")
        for name, aim in (("near", "far/old"), ("again", "near"), ("to nothing yet", "far/new")):
            link = self.folder / name
            link.symlink_to(aim)
            with wholeFile(link) as file:
                file.write(name.encode())
                file.flush()
                self.assertNotEqual(link.exists() and link.read_bytes(), name.encode())
            self.assertEqual((os.readlink(link), link.read_bytes()), (aim, name.encode()))
        self.assertEqual({path.name: path.read_bytes() for path in (self.folder / "far").iterdir()}, {"old": b"again", "new": b"to nothing yet"})

    def test_a_link_to_nowhere(self):
        loop, astray = self.folder / "loop", self.folder / "astray"
        loop.symlink_to("loop")
        astray.symlink_to("no folder/file")
        self.refuses(loop, "leads back to itself")
        self.refuses(astray, "No such file or directory")
        self.assertTrue(loop.is_symlink() and astray.is_symlink())

    def test_a_users_pipe(self):
        pipe = self.folder / "pipe"
        os.mkfifo(pipe)
        rows = self.write_rows([{"text": "open"}])
        self.assert_fails(7, 6001, ["pipe", "-o"], rows, "--tokenizer", TOKENIZER, "-o", pipe)
        self.assertTrue(stat.S_ISFIFO(pipe.stat().st_mode))

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
            if out.is_dir():
                out.rmdir()

    def test_nothing_else_writes(self):
        for path in (ROOT / "frontends/data/zpdata").glob("*.py"):
            text = path.read_text()
            if path.name != "whole_file.py":
                self.assertIsNone(re.search(r"write_text|write_bytes|open\([^)]*[\"'][wax]b?[\"']", text), path)


if __name__ == "__main__":
    unittest.main()
