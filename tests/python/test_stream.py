"""Words as their tokens come: `zprun generate --stream_tokens true | zpdata text - --stream`."""

import io
import json
import os
import select
import subprocess
import sys
import unittest
from unittest import mock

from support import ROOT, TOKENIZER, Case
from zpdata.tokenizer import Tokenizer

SECONDS = 60


class Stream(Case):
    def setUp(self):
        super().setUp()
        self.core = Tokenizer(TOKENIZER).core
        self.texts = ["open the path", "naïve 🙂 café", "the file"]
        self.ids = [self.core.encode(text, add_special_tokens=False).ids for text in self.texts]

    def lines(self, *turns):
        """A line a token; the last of a row is over."""
        left, said = [len(ids) for ids in self.ids], []
        for row in turns:
            token = self.ids[row][len(self.ids[row]) - left[row]]
            left[row] -= 1
            said.append({"row": row, "token": token, "over": not left[row]})
        return said

    def stream(self, said, *words):
        text = "".join(json.dumps(line) + "\n" if isinstance(line, dict) else line for line in said)
        with mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode()))):
            return self.run_zpdata("text", "-", "--tokenizer", TOKENIZER, "--stream", *words)

    def whole(self, rows):
        path = self.write_rows([{"row": row, "tokens": ids, "ended": "eos"} for row, ids in enumerate(rows)], "out.jsonl")
        return self.run_zpdata("text", path, "--tokenizer", TOKENIZER)[1]

    def test_in_any_order_it_is_what_the_file_says(self):
        rows = range(len(self.ids))
        one_by_one = [row for row in rows for _ in self.ids[row]]
        in_turns = [row for turn in range(100) for row in rows if turn < len(self.ids[row])]
        for turns in (one_by_one, in_turns, one_by_one[::-1]):
            code, out, err = self.stream([{"prompts": 3}, *self.lines(*turns)])
            self.assertEqual((code, err), (0, ""))
            self.assertEqual(out, self.whole(self.ids), turns)
        self.ids = self.ids[1:2]
        out = self.stream([{"prompts": 1}, *self.lines(*[0] * len(self.ids[0]))])[1]
        self.assertEqual(out, self.texts[1] + "\n", "one prompt has no heading")

    def test_a_letter_comes_when_it_is_whole(self):
        self.ids = [self.core.encode("a🙂b", add_special_tokens=False).ids]
        said = [{"prompts": 1}, *self.lines(*[0] * len(self.ids[0]))]
        self.assertGreater(len(said), 5, "the letter is of several tokens")
        seen = {self.stream(said[:end])[1].rstrip("\n") for end in range(2, len(said) + 1)}
        self.assertEqual(seen, {"a", "a🙂", "a🙂b"})

    def test_it_comes_at_once(self):
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "frontends/data"), "PYTHONIOENCODING": "utf-8"}
        words = [sys.executable, "-m", "zpdata", "text", "-", "--tokenizer", TOKENIZER, "--stream"]
        self.ids = self.ids[:1]
        said = self.lines(*[0] * len(self.ids[0]))
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
            process.stdin.write(b'{"prompts": 1}\n')
            printed = b""
            for number, line in enumerate(said, 1):
                process.stdin.write(json.dumps(line).encode() + b"\n")
                process.stdin.flush()  # and it stays open
                expected = self.core.decode(self.ids[0][:number]).encode()
                while printed.rstrip(b"\n") != expected:
                    self.assertTrue(select.select([process.stdout], [], [], SECONDS)[0], f"{printed}, expected {expected}")
                    printed += os.read(process.stdout.fileno(), 1000)
            process.stdin.close()
            self.assertEqual(process.wait(SECONDS), 0)

    def test_a_text_that_comes_to_no_end(self):
        self.assertEqual(self.stream([]), (0, "", ""), "who was to write has said why")
        said = [{"prompts": 3}, *self.lines(*[0] * len(self.ids[0]))]
        self.assertEqual(self.stream(said[:2])[1], f"--- prompt 0\n{self.core.decode(self.ids[0][:1])}\n")
        self.assertEqual(self.stream(said)[1], f"--- prompt 0\n{self.texts[0]}\n")

    def test_other_lines(self):
        token = self.lines(0)[0]
        for said, number in (
            (["{\n"], 3002),
            (["[1]\n"], 3009),
            ([token], 3009),
            ([{"prompts": 1}, {"prompts": 1}], 3009),
            ([{"prompts": "one"}], 3009),
            ([{"prompts": 1}, {**token, "row": 1}], 3009),
            ([{"prompts": 1}, {**token, "row": True}], 3009),
            ([{"prompts": 1}, {**token, "token": -1}], 3009),
            ([{"prompts": 1}, {**token, "token": 1 << 31}], 3009),
            ([{"prompts": 1}, {**token, "over": 1}], 3009),
            ([{"prompts": 1}, {**token, "over": True}, token], 3009),
        ):
            code, _, err = self.stream(said)
            self.assertEqual(code, 4, (said, err))
            self.assertIn(f"error[ZP{number}] standard input:{len(said)}: ", err)
            self.assertEqual(err.count("\n"), 1, err)

    def test_flags(self):
        for words in (["out.jsonl", "--stream"], ["-", "--stream", "--json"]):
            self.assert_fails(2, 1001, ["--stream", "standard input"], "text", *words, "--tokenizer", TOKENIZER)


if __name__ == "__main__":
    unittest.main()
