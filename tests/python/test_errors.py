"""Bad input: one coded line that names the place and the fix, the exit code, and nothing half-written."""

import errno
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest
from unittest import mock

from support import ROOT, TOKENIZER, Case
from zpdata import flags
from zpdata.cli import parse
from zpdata.errors import ZpError, errorTable

GOOD = '{"text": "open"}\n'


class Table(unittest.TestCase):
    def test_every_name_in_use_is_in_the_one_table(self):
        names = set(errorTable())
        self.assertIn("Internal", names)
        used = 0
        for path in (ROOT / "frontends/data/zpdata").glob("*.py"):
            for name in re.findall(r'ZpError\(\s*"(\w+)"', path.read_text()):
                self.assertIn(name, names, path)
                used += 1
        self.assertGreater(used, 20)


class Rows(Case):
    def fails(self, content, number, *pieces, name="rows.jsonl", words=()):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.assert_fails(4, number, pieces, path, "--tokenizer", TOKENIZER, "-o", self.output, *words)

    def test_json_lines(self):
        self.fails(GOOD + '{"text": \n', 3002, "rows.jsonl:2")
        self.fails(GOOD + "[1]\n", 3009, "rows.jsonl:2", "list")
        self.fails(b'{"text": "\xff"}\n', 3002, "rows.jsonl:1", "UTF-8")

    def test_rows(self):
        self.fails("", 3009, "no rows")
        self.fails('{"content": "x"}\n', 3009, "rows.jsonl:1", "content", "--dataset_text_field")
        self.fails('{"prompt": "x"}\n', 3009, "rows.jsonl:1", "both")
        self.fails(GOOD + '{"text": 3}\n', 3009, "rows.jsonl:2", "text is int")
        self.fails(GOOD + '{"x": "y"}\n', 3009, "rows.jsonl:2", "text is missing")
        self.fails('{"messages": []}\n', 3009, "rows.jsonl:1", "messages")
        self.fails(
            '{"messages": [{"role": "user"}]}\n',
            3009,
            "rows.jsonl:1",
            "template",
            words=["--chat_template_format", "chatml"],
        )
        self.fails('{"input_ids": [1, -2]}\n', 3010, "rows.jsonl:1")
        self.fails('{"input_ids": [1, 2], "labels": [1]}\n', 3009, "rows.jsonl:1", "1 entries")

    def test_empty_conversations(self):
        for row in ('{"messages": [{}]}', '{"messages": [[]]}', '{"messages": [{"role": 3, "content": "x"}]}', '{"messages": "x"}'):
            self.fails(row + "\n", 3009, "rows.jsonl:1", name="rows.jsonl")
        self.fails('{"prompt": [], "completion": []}\n', 3009, "rows.jsonl:1", "prompt is not a list of messages")
        self.fails('{"messages": [{"role": "user", "content": "x"}]}\n{"messages": []}\n', 3009, "rows.jsonl:2")

    def test_no_label_left(self):
        self.fails(
            '{"prompt": "open the path", "completion": " key"}\n', 3009, "--max_length", words=["--max_length", 3]
        )

    def test_csv(self):
        self.fails("text\na\nb,c\n", 3009, "rows.csv:3", name="rows.csv")
        self.fails('text\n"a"b"\n', 3009, "rows.csv:2", name="rows.csv")

    def test_other_files(self):
        self.fails("PAR1 but not really", 3009, "damaged", name="rows.parquet")
        self.fails("x", 3009, "known kind", name="rows.txt")


class Templates(Case):
    """A model's chat template is a program that comes with it: whatever it does ends in one coded line."""

    CHAT = '{"messages": [{"role": "user", "content": "open"}]}\n'

    def setUp(self):
        super().setUp()
        self.model = pathlib.Path(shutil.copytree(TOKENIZER, self.folder / "model"))
        self.rows = self.folder / "rows.jsonl"
        self.rows.write_text(self.CHAT * 2)

    def fails(self, template, code, number, *pieces):
        (self.model / "chat_template.jinja").write_bytes(template if isinstance(template, bytes) else template.encode())
        self.assert_fails(code, number, pieces, self.rows, "--tokenizer", self.model, "-o", self.output)

    def test_that_do_not_compile(self):
        self.fails("{{ messages }}\n{% for m in messages %}\n", 2, 1002, "chat_template.jinja:2: ", "--chat_template_format chatml")
        self.fails("{{ messages[0]['content' }}", 2, 1002, "chat_template.jinja:1: ")
        self.fails("{% generation %}x", 2, 1002, "chat_template.jinja:1: ")
        self.fails(b"\xff{{ messages }}", 2, 1002, "chat_template.jinja: ", "UTF-8")

    def test_of_the_configuration(self):
        (self.model / "chat_template.jinja").unlink()
        path = self.model / "tokenizer_config.json"
        config = json.loads(path.read_text())
        for entry, piece in (("{% if %}", "chat_template:1: the chat template is not Jinja"), ([{"name": "default"}], "a name and a template")):
            path.write_text(json.dumps({**config, "chat_template": entry}))
            self.assert_fails(
                2, 1002, ["tokenizer_config.json: ", piece], self.rows, "--tokenizer", self.model, "-o", self.output
            )

    def test_that_fail_on_a_row(self):
        for template, piece in (
            ("{{ raise_exception('roles must alternate') }}", "roles must alternate"),
            ("{{ messages[5]['content'] }}", "no element 5"),
            ("{{ 1 / 0 }}", "ZeroDivisionError"),
            ("{{ messages[0].content + 1 }}", "TypeError"),
            ("{{ range(10000000) | list }}", "OverflowError"),
            ("{{ ''.__class__.__mro__ }}", "unsafe"),
            ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "RecursionError"),
        ):
            self.fails(template, 4, 3009, "rows.jsonl:1: does not go through the chat template", piece)

    def test_of_one_row_alone(self):
        self.rows.write_text(self.CHAT + '{"messages": [{"role": "tool", "content": "x"}]}\n')
        template = "{% for m in messages %}{% if m.role == 'tool' %}{{ raise_exception('no tools') }}{% endif %}{{ m.content }}{% endfor %}"
        self.fails(template, 4, 3009, "rows.jsonl:2: ", "no tools")


class Flags(Case):
    def setUp(self):
        super().setUp()
        self.rows = self.folder / "rows.jsonl"
        self.rows.write_text(GOOD)
        self.words = [self.rows, "--tokenizer", TOKENIZER, "-o", self.output]

    def test_flags(self):
        self.assert_fails(2, 1003, ["--max_lenght", "--max_length"], *self.words, "--max_lenght", 3)
        self.assert_fails(2, 1001, ["could be"], *self.words, "--dataset", 3)
        self.assert_fails(2, 1001, ["0", "from 1"], *self.words, "--max_length", 0)
        self.assert_fails(2, 1001, ["chatlm"], *self.words, "--chat_template_format", "chatlm")
        self.assert_fails(2, 1001, ["too many"], *self.words, "more")
        self.assert_fails(2, 1001, ["--tokenizer"], self.rows, "-o", self.output)
        self.assert_fails(2, 1001, ["split"], *self.words, "--splits", "train")

    def test_every_flag_refuses_another_type(self):
        """Each flag of each verb that takes a number, a truth value or one of some words."""
        tried = 0
        for name in (name for name in dir(flags) if name.startswith("make") and name.endswith("Parser")):
            parser = getattr(flags, name)()
            for action in parser._actions:
                spelled = next((o for o in action.option_strings if o.startswith("--")), None)
                if not spelled or (action.type in (None, str) and not action.choices) or action.nargs == 0:
                    continue
                for wrong in ("perhaps?", "") if action.type is int else ("perhaps?", "-3", ""):
                    with self.subTest(verb=name, flag=spelled, value=wrong):
                        with self.assertRaises(ZpError) as caught:
                            parse(parser, [f"{spelled}={wrong}"])
                        self.assertEqual(caught.exception.name, "Usage")
                        self.assertIn(spelled, caught.exception.what)
                        self.assertIn(";", caught.exception.what)
                tried += 1
        self.assertGreater(tried, 25)

    def test_spellings(self):
        for words in (["--max-length", "7"], ["--max_len=7"], ["--max-seq-length=7"]):
            self.assertEqual(self.run_zpdata(*self.words, *words)[0], 0, words)
            self.assertEqual(self.metadata()["max_length"], "7")
        for words, wanted in (
            (["--packing", "--quiet"], "bfd"),
            (["--packing", "False"], "none"),
            (["--packing=yes"], "bfd"),
        ):
            self.assertEqual(self.run_zpdata(*words, *self.words)[0], 0, words)
            self.assertEqual(self.metadata()["packing"], wanted)

    def test_splits(self):
        data = self.folder / "data"
        data.mkdir()
        (data / "train.jsonl").write_text(GOOD)
        words = ["--tokenizer", TOKENIZER, "-o", self.output]
        self.assert_fails(2, 1001, ["data: has no split test, expected one of train"], data, *words, "--splits", "test")
        self.assert_fails(2, 1001, ["has no split test"], data, *words, "--splits", "train,test")

    def test_files(self):
        self.assert_fails(4, 3001, ["nothing.jsonl"], self.folder / "nothing.jsonl", *self.words[1:])
        self.assert_fails(4, 3001, ["tokenizer.json"], self.rows, "--tokenizer", self.folder, "-o", self.output)
        (self.folder / "tokenizer.json").write_text("{}")
        self.assert_fails(4, 3002, ["tokenizer.json"], self.rows, "--tokenizer", self.folder, "-o", self.output)
        (self.folder / "empty").mkdir()
        self.assert_fails(4, 3001, ["no data file"], self.folder / "empty", *self.words[1:])

    def test_output_that_cannot_be_written(self):
        self.assert_fails(7, 6001, ["rows.jsonl/x"], *self.words[:-1], self.rows / "x")

    def test_full_disk(self):
        with mock.patch("os.fsync", side_effect=OSError(errno.ENOSPC, "no space")):
            self.assert_fails(7, 6002, ["disk is full"], *self.words)

    @unittest.skipUnless(os.path.exists("/dev/full"), "needs /dev/full")
    def test_full_device(self):
        part = self.output.with_name(f"{self.output.name}.part{os.getpid()}")
        part.symlink_to("/dev/full")
        self.assert_fails(7, 6002, ["disk is full"], *self.words)

    def test_show(self):
        self.run_zpdata(*self.words)
        made = self.output.rename(self.folder / "made.safetensors")
        self.assert_fails(2, 1001, ["0 to 0"], "show", made, "--row", 1)
        self.assert_fails(2, 1001, ["no row -1"], "show", made, "--row", -1)
        self.assert_fails(4, 3001, ["other"], "show", self.folder / "other")
        made.write_bytes(made.read_bytes()[:-1])
        self.assert_fails(4, 3003, ["made.safetensors"], "show", made)


class Program(Case):
    def test_module_and_exit_code(self):
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "frontends/data")}
        done = subprocess.run(
            [sys.executable, "-P", "-m", "zpdata", "nothing", "--tokenizer", TOKENIZER, "-o", "x"],
            text=True,
            capture_output=True,
            env=environment,
            cwd=self.folder,
        )
        self.assertEqual((done.returncode, done.stdout), (4, ""))
        self.assertTrue(done.stderr.startswith("error[ZP3001] nothing: "), done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        self.assertEqual(list(pathlib.Path(self.folder).iterdir()), [])

    def test_help(self):
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "frontends/data")}
        done = subprocess.run(
            [sys.executable, "-m", "zpdata", "--help"], text=True, capture_output=True, env=environment
        )
        self.assertEqual(done.returncode, 0)
        self.assertIn("--chat_template_format", done.stdout)


if __name__ == "__main__":
    unittest.main()
