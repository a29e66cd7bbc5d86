"""Prompts and continuations: what a prompt's tokens are, and tokens back to words."""

import json
import unittest

from support import TOKENIZER, Case
from zpdata.tokenizer import Tokenizer

ASK = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "open the path"}]
ANSWER = {"role": "assistant", "content": "the file"}


class Prompts(Case):
    def prompts(self, rows, *words):
        """The token lists of the prompts that zpdata makes of some rows."""
        code, _, err = self.run_zpdata("prompts", self.write_rows(rows), "--tokenizer", TOKENIZER, "-o", self.output, *words)
        self.assertEqual(code, 0, err)
        return [segments[0] for segments in self.segments(self.load())]

    def load(self):
        from safetensors.numpy import load_file

        return load_file(self.output)

    def training_row(self, row, *words):
        return self.segments(self.tokens([row], *words))[0][0]

    def test_a_prompt_begins_as_a_training_row_of_its_kind(self):
        chat = {"messages": [*ASK, ANSWER]}
        for words in (["--chat_template_format", "chatml"], ["--chat_template_format", "zephyr"]):
            whole = self.training_row(chat, *words)
            for asked in ({"messages": ASK}, chat, {"prompt": ASK}):
                (prompt,) = self.prompts([asked], *words)
                self.assertEqual(prompt, whole[: len(prompt)], (words, asked))
                self.assertLess(len(prompt), len(whole))
        whole = self.training_row({"text": "open the path of the file"})
        self.assertEqual(self.prompts([{"prompt": "open the path"}, {"text": "open the path of the file"}])[1], whole[:-1])

    def test_the_tokenizers_own_template_says_how_an_answer_begins(self):
        (prompt,) = self.prompts([{"messages": ASK}])
        text = Tokenizer(TOKENIZER).core.decode(prompt, skip_special_tokens=False)
        self.assertTrue(text.endswith("[assistant] <think>"), text)

    def test_the_answer_is_next(self):
        """With the template's words before an answer, what follows in training is what the assistant writes."""
        words = ["--chat_template_format", "chatml"]
        whole = self.training_row({"messages": [*ASK, ANSWER]}, *words)
        (prompt,) = self.prompts([{"messages": ASK}], *words)
        rest = Tokenizer(TOKENIZER, "chatml").core.decode(whole[len(prompt) :], skip_special_tokens=True)
        self.assertEqual(rest.strip(), "the file")

    def test_the_formats_own_end(self):
        self.prompts([{"prompt": "open"}], "--chat_template_format", "chatml")
        chatml = Tokenizer(TOKENIZER, "chatml").core.token_to_id("<|im_end|>")
        self.assertEqual(self.metadata()["eos_token_id"], str(chatml))
        tensors = self.load()
        self.assertEqual(set(tensors), {"input_ids", "labels", "position_ids", "segment_ids"})

    def test_padding_is_on_the_right(self):
        rows = self.prompts([{"prompt": "open"}, {"prompt": "open the path of the file"}])
        tensors = self.load()
        self.assertEqual(tensors["input_ids"].shape, (2, len(rows[1])))
        self.assertEqual(tensors["segment_ids"][0].tolist(), [0] * len(rows[0]) + [-1] * (len(rows[1]) - len(rows[0])))

    def test_report(self):
        path = self.write_rows([{"prompt": "open"}, {"prompt": "open the path"}])
        code, out, _ = self.run_zpdata("prompts", path, "--tokenizer", TOKENIZER, "-o", self.output, "--json")
        report = json.loads(out)
        self.assertEqual((code, report["prompts"]), (0, 2))
        self.assertEqual(report["longest"], self.load()["input_ids"].shape[1])

    def test_what_is_no_prompt(self):
        flags = ["--tokenizer", TOKENIZER, "-o", self.output]
        for row, pieces in (
            ({"question": "open"}, ["rows.jsonl:1", "question", "expected prompt, messages or text"]),
            ({"messages": [ANSWER]}, ["rows.jsonl:1", "no message to answer"]),
            ({"messages": []}, ["rows.jsonl:1", "not a list of messages"]),
            ({"prompt": 3}, ["rows.jsonl:1", "prompt"]),
        ):
            self.assert_fails(4, 3009, pieces, "prompts", self.write_rows([row]), *flags)
        self.assert_fails(4, 3001, ["nowhere"], "prompts", "nowhere", *flags)


class Text(Case):
    def made(self, rows):
        return self.write_rows(rows, "out.jsonl")

    def test_words(self):
        core = Tokenizer(TOKENIZER).core
        ids = core.encode("the file", add_special_tokens=False).ids
        eos = core.token_to_id(Tokenizer(TOKENIZER).eosToken)
        one = self.made([{"row": 0, "tokens": [*ids, eos], "ended": "eos"}])
        code, out, _ = self.run_zpdata("text", one, "--tokenizer", TOKENIZER)
        self.assertEqual((code, out.strip()), (0, "the file"))
        two = self.made([{"row": 0, "tokens": ids, "ended": "length"}, {"row": 1, "tokens": [eos], "ended": "eos"}])
        _, out, _ = self.run_zpdata("text", two, "--tokenizer", TOKENIZER)
        self.assertEqual([line.strip() for line in out.splitlines()], ["--- prompt 0", "the file", "--- prompt 1", ""])
        _, out, _ = self.run_zpdata("text", two, "--tokenizer", TOKENIZER, "--json")
        self.assertEqual([json.loads(line)["ended"] for line in out.splitlines()], ["length", "eos"])

    def test_what_is_no_continuation(self):
        for text, number, pieces in (
            ('{"row": 0}\n', 3009, ["out.jsonl:1", "has no tokens"]),
            ('{"tokens": [-1]}\n', 3009, ["out.jsonl:1", "has no tokens"]),
            ("[]\n", 3009, ["out.jsonl:1"]),
            ("{\n", 3002, ["out.jsonl:1", "is not JSON"]),
            ("", 3009, ["holds no rows"]),
        ):
            path = self.folder / "out.jsonl"
            path.write_text(text)
            self.assert_fails(4, number, pieces, "text", path, "--tokenizer", TOKENIZER)
        self.assert_fails(4, 3001, ["nowhere"], "text", "nowhere", "--tokenizer", TOKENIZER)


if __name__ == "__main__":
    unittest.main()
