"""What a row's fields may hold: tools written as JSON, labels and masks, texts, and how each is refused."""

import json
import pathlib
import shutil
import unittest
from unittest import mock

from support import GOLDEN, TOKENIZER, Case

CHAT = [{"role": "user", "content": "open"}, {"role": "assistant", "content": "key"}]
TOOLS = [{"type": "function", "function": {"name": "read", "parameters": {"path": "a file"}}}]
TEMPLATE = """{% for tool in tools or [] %}[{{ tool['function']['name'] }} {{ tool | tojson }}]{% endfor %}
{% for m in messages %}{{ m['role'] }} {{ m['content'] }} {% endfor %}"""


class Tools(Case):
    """The reference reads a text in the column `tools` as JSON (TRL's SFTTrainer, tokenize_fn)."""

    def setUp(self):
        super().setUp()
        self.model = pathlib.Path(shutil.copytree(TOKENIZER, self.folder / "model"))
        (self.model / "chat_template.jinja").write_text(TEMPLATE)

    def made(self, tools, **row):
        row = row or {"messages": CHAT}
        return self.segments(self.tokens([{**row, "tools": tools}], tokenizer=self.model))

    def test_json_is_the_list_that_it_writes(self):
        for row in ({"messages": CHAT}, {"prompt": CHAT[:1], "completion": CHAT[1:]}):
            plain = self.made(TOOLS, **row)
            self.assertEqual(self.made(json.dumps(TOOLS), **row), plain)
            self.assertNotEqual(self.made(None, **row), plain)
            self.assertEqual(self.made("null", **row), self.made(None, **row))
            self.assertEqual(self.made("[]", **row), self.made([], **row))

    def test_prompts_too(self):
        made = []
        for tools in (TOOLS, json.dumps(TOOLS), None):
            path = self.write_rows([{"messages": CHAT[:1], "tools": tools}])
            self.assertEqual(self.run_zpdata("prompts", path, "--tokenizer", self.model, "-o", self.output)[0], 0)
            made.append(self.output.read_bytes())
        self.assertEqual(made[0], made[1])
        self.assertNotEqual(made[0], made[2])

    def test_a_tool_template_is_chosen(self):
        (self.model / "additional_chat_templates").mkdir()
        (self.model / "additional_chat_templates" / "tool_use.jinja").write_text("sorted {{ tools | length }}")
        self.assertEqual(self.made(json.dumps(TOOLS)), self.made(TOOLS))
        self.assertEqual(self.made("[]"), self.made([]))
        self.assertEqual(self.made("null"), self.made(None))
        ids = {self.made(tools)[0][0][-1] for tools in ([], TOOLS)}
        self.assertEqual(len(ids), 2, "the length of the list isn't said")
        self.assertNotEqual(self.made([]), self.made(None))

    def test_what_is_no_list_of_tools(self):
        for tools, number, pieces in (
            ("read the file", 3002, ["rows.jsonl:1: tools: is not JSON"]),
            ("", 3002, ["rows.jsonl:1: tools: is not JSON"]),
            ("[" * 100000, 3002, ["rows.jsonl:1: tools: "]),
            ('{"name": "read"}', 3009, ["rows.jsonl:1: tools is not a list"]),
            ('"read"', 3009, ["tools is not a list"]),
            ("[1]", 3009, ["tools is not a list"]),
            (5, 3009, ["tools is not a list"]),
            (["read"], 3009, ["tools is not a list"]),
            ({"name": "read"}, 3009, ["tools is not a list"]),
        ):
            path = self.write_rows([{"messages": CHAT, "tools": tools}])
            self.assert_fails(4, number, pieces, path, "--tokenizer", self.model, "-o", self.output)


class Tokens(Case):
    """Rows that are tokens already."""

    def fails(self, row, number, *pieces, words=()):
        path = self.write_rows([{"input_ids": [5, 6]}, row])
        self.assert_fails(4, number, ["rows.jsonl:2: ", *pieces], path, "--tokenizer", TOKENIZER, "-o", self.output, *words)

    def labels(self, row, *words):
        return self.tokens([row], "--max_length", 3, *words)["labels"].tolist()[0][:2]

    def test_labels_and_masks(self):
        self.assertEqual(self.labels({"input_ids": [5, 6], "labels": [-100, 7]}), [-100, 7])
        self.assertEqual(self.labels({"input_ids": [5, 6], "labels": None}), [5, 6])
        self.assertEqual(self.labels({"input_ids": [5, 6], "assistant_masks": [0, 1]}), [-100, 6])
        self.assertEqual(self.labels({"input_ids": [5, 6], "assistant_masks": [True, False]}), [5, -100])
        masked = {"input_ids": [5, 6], "completion_mask": [0, 1]}
        self.assertEqual(self.labels(masked), [5, 6])
        self.assertEqual(self.labels(masked, "--completion_only_loss", "true"), [-100, 6])

    def test_input_ids(self):
        for wrong in ("abc", None, 5, {"a": 1}):
            self.fails({"input_ids": wrong}, 3009, "input_ids is ", "expected a list of token ids")
        for wrong in ([1.0, 2], ["5"], [True], [-5], [2**31], [10**20], [None], [[5]]):
            self.fails({"input_ids": wrong}, 3010, "input_ids holds something that is not a token id")

    def test_labels(self):
        for wrong in ("ab", 5, {"a": 1, "b": 2}, True):
            self.fails({"input_ids": [5, 6], "labels": wrong}, 3009, "labels is ", "expected a list")
        self.fails({"input_ids": [5, 6], "labels": [5]}, 3009, "labels has 1 entries, expected the 2")
        for wrong in (["a", "b"], [1.5, 2], [5, 6.0], [-5, 6], [5, 2**31], [5, 99999999999], [None, 6], [True, 6], [[5], 6]):
            self.fails({"input_ids": [5, 6], "labels": wrong}, 3010, "labels holds something that is neither a token id nor -100")

    def test_masks(self):
        for name, words in (("assistant_masks", ()), ("completion_mask", ["--completion_only_loss", "true"])):
            for wrong in (1, "01", {"0": 1, "1": 1}):
                self.fails({"input_ids": [5, 6], name: wrong}, 3009, f"{name} is ", "expected a list", words=words)
            for wrong in ([1], [1, 1, 1], []):
                self.fails({"input_ids": [5, 6], name: wrong}, 3009, f"{name} has {len(wrong)} entries", words=words)
            for wrong in (["x", "y"], [0.5, 1], [None, 1], [2, 1], [[], 1]):
                self.fails({"input_ids": [5, 6], name: wrong}, 3009, f"{name} holds something else than 0 and 1", words=words)


class Texts(Case):
    """Half of a letter can be written in JSON and in nothing else."""

    def fails(self, row, *words, verb=(), tokenizer=TOKENIZER):
        path = self.folder / "rows.jsonl"
        path.write_text(json.dumps(row) + "\n")  # which writes it as \\ud800
        self.assert_fails(
            4, 3009, ["rows.jsonl:1: has half a letter", "\\ud800"], *verb, path, "--tokenizer", tokenizer, "-o", self.output, *words
        )

    def test_rows(self):
        half = "the \ud800 path"
        self.fails({"text": half})
        self.fails({"prompt": half, "completion": "key"})
        self.fails({"prompt": "open", "completion": half})
        self.fails({"messages": [{"role": "user", "content": half}]})
        self.fails({"messages": [{"role": "user", "content": half}]}, "--chat_template_format", "chatml")
        self.fails({"prompt": [{"role": "user", "content": half}], "completion": CHAT[1:]})

    def test_a_half_like_a_mark(self):
        for half in "\udc50\udc51":
            for row in ({"messages": [{"role": "user", "content": f"a {half} b"}]}, {"messages": CHAT, "tools": [{"name": half}]}):
                path = self.folder / "rows.jsonl"
                path.write_text(json.dumps(row) + "\n")
                said = ["rows.jsonl:1: has half a letter", f"\\u{ord(half):04x}"]
                for words in ((), ("--assistant_only_loss",)):
                    self.assert_fails(4, 3009, said, path, "--tokenizer", TOKENIZER, "-o", self.output, *words)

    def test_pairs(self):
        for mode in (["--mode", "causal"], ["--mode", "seq2seq", "--decoder_start_token_id", 0]):
            padded = {"tokenizer": GOLDEN / "tokenizer-bart"}  # names a pad token, so nothing else is said
            self.fails({"prompt": "the \ud800 path", "completion": "key"}, *mode, **padded)
            self.fails({"prompt": "open", "completion": "\ud800"}, *mode, **padded)
            self.fails({"prompt": "\ud800"}, *mode, verb=["prompts"], **padded)

    def test_prompts(self):
        self.fails({"prompt": "open \ud800"}, verb=["prompts"])
        self.fails({"text": "open \ud800"}, verb=["prompts"])
        self.fails({"messages": [{"role": "user", "content": "\ud800"}]}, verb=["prompts"])

    def test_both_halves_are_a_letter(self):
        path = self.folder / "pair.jsonl"
        path.write_text('{"text": "a \\ud83d\\ude00"}\n')
        self.assertEqual(self.run_zpdata(path, "--tokenizer", TOKENIZER, "-o", self.output)[0], 0)
        made = self.output.read_bytes()[-64:]
        path.write_text('{"text": "a \U0001f600"}\n')
        self.assertEqual(self.run_zpdata(path, "--tokenizer", TOKENIZER, "-o", self.output)[0], 0)
        self.assertEqual(self.output.read_bytes()[-64:], made)

    def test_words_of_the_command_line(self):
        """A file name is bytes, and what it is made of is said in the file's metadata, which is text."""
        path = self.write_rows([{"text": "open"}], "rows\udcff.jsonl")
        self.assertEqual(self.run_zpdata(path, "--tokenizer", TOKENIZER, "-o", self.output)[0], 0)
        self.assertTrue(self.metadata()["dataset"].endswith("rows?.jsonl"))


class Depth(Case):
    """JSON nested deeper than a parser goes."""

    DEEP = "[" * 100000 + "]" * 100000

    def fails(self, name, content, *words, verb=()):
        path = self.folder / name
        path.write_text(content)
        self.assert_fails(4, 3002, [name, "too deep"], *verb, path, *words)

    def test_rows(self):
        flags = ["--tokenizer", TOKENIZER, "-o", self.output]
        self.fails("rows.jsonl", '{"text": ' + self.DEEP + "}\n", *flags)
        self.fails("rows.json", self.DEEP, *flags)
        self.fails("rows.json", '{"data": ' + self.DEEP + "}\n", *flags)
        self.fails("rows.jsonl", '{"prompt": ' + self.DEEP + "}\n", *flags, verb=["prompts"])

    def test_answers(self):
        rows = self.write_rows([{"completion": "a"}])
        deep = '{"tokens": ' + self.DEEP + "}\n"
        self.fails("out.jsonl", deep, "--tokenizer", TOKENIZER, verb=["text"])
        self.fails("out.jsonl", deep, rows, "--tokenizer", TOKENIZER, verb=["accuracy"])
        self.fails("out.jsonl", deep, rows, verb=["accuracy"])
        self.fails("out.jsonl", deep, rows, "--class_names", "a,b", "-o", self.folder / "c.csv", verb=["classify"])

    def test_tokenizer(self):
        model = pathlib.Path(shutil.copytree(TOKENIZER, self.folder / "model"))
        (model / "tokenizer_config.json").write_text('{"eos_token": ' + self.DEEP + "}")
        rows = self.write_rows([{"text": "open"}])
        self.assert_fails(4, 3002, ["tokenizer_config.json", "too deep"], rows, "--tokenizer", model, "-o", self.output)


class Lengths(Case):
    def test_longer_than_a_files_positions(self):
        words = [self.write_rows([{"prompt": "open", "completion": "key"}]), "--tokenizer", TOKENIZER, "-o", self.output]
        for length in (2**31, 2**40, 10**30):
            self.assert_fails(2, 1001, ["--max_length", "more than 2147483647"], *words, "--max_length", length)
            for flag in ("--max_source_length", "--max_target_length", "--decoder_start_token_id"):
                self.assert_fails(2, 1001, [flag], *words, "--mode", "seq2seq", flag, length)

    def test_too_little_memory(self):
        words = [self.write_rows([{"text": "open"}]), "--tokenizer", TOKENIZER, "-o", self.output]
        with mock.patch("zpdata.token_file.numpy.full", side_effect=MemoryError):
            self.assert_fails(3, 2002, ["--max_length"], *words)

    def test_rows_are_written_in_parts(self):
        """However many are made dense at once, the file is the same."""
        rows = [{"text": "open the path " * n} for n in range(1, 30)]
        whole = self.tokens(rows, "--max_length", 16)
        for tokens in (1, 16, 50, 16 * 7):
            with mock.patch("zpdata.token_file.AT_ONCE", tokens):
                for name, values in self.tokens(rows, "--max_length", 16).items():
                    self.assertEqual(values.tolist(), whole[name].tolist(), (tokens, name))


if __name__ == "__main__":
    unittest.main()
