"""zpdata tokenizer: the numbers are those that transformers 5.23 gives the guide's special tokens on the same directory."""

import json
import unittest

from safetensors.numpy import load_file
from support import TOKENIZER, Case
from tokenizers import Tokenizer

IDS = {"<|im_end|>": 330, "<pad>": 331, "<|im_start|>user": 332, "<|im_start|>assistant": 333, "<|im_start|>system": 334}
CHAT = "<|im_start|>user\nHello zip()<|im_end|>\n"


class SavedTokenizer(Case):
    def save(self, *words):
        output = self.folder / "new"
        code, said, _ = self.run_zpdata("tokenizer", "--tokenizer", TOKENIZER, *words, "-o", output, "--json")
        self.assertEqual(code, 0)
        return output, json.loads(said)

    def test_has_the_formats_tokens(self):
        output, report = self.save("--chat_template_format", "chatml")
        self.assertEqual(report, {"tokens": 335, "added": list(IDS)})
        core = Tokenizer.from_file(str(output / "tokenizer.json"))
        self.assertEqual({token: core.token_to_id(token) for token in IDS}, IDS)
        self.assertEqual(core.encode(CHAT).ids[:3], [1, 332, 201])
        config = json.loads((output / "tokenizer_config.json").read_text())
        self.assertEqual((config["eos_token"], config["pad_token"], config["bos_token"]), ("<|im_end|>", "<pad>", "<s>"))
        self.assertEqual(config["additional_special_tokens"], list(IDS)[2:])
        self.assertIn("<|im_start|>", (output / "chat_template.jinja").read_text())

    def test_is_read_as_it_was_written(self):
        output, _ = self.save("--chat_template_format", "chatml")
        code, said, _ = self.run_zpdata("tokenizer", "--tokenizer", output, "--chat_template_format", "chatml", "--json")
        self.assertEqual((code, json.loads(said)), (0, {"tokens": 335, "added": []}))
        rows = self.write_rows([{"messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "zip"}]}])
        made = []
        for tokenizer, format in ((TOKENIZER, "chatml"), (output, "chatml"), (output, "none")):
            file = self.folder / f"{len(made)}.safetensors"
            words = ["--tokenizer", tokenizer, "--chat_template_format", format, "--max_length", 64, "--quiet"]
            self.assertEqual(self.run_zpdata(rows, *words, "-o", file)[0], 0)
            made.append(load_file(file)["input_ids"].tolist())
        self.assertEqual(made[0], made[1])
        self.assertIn(332, made[2][0], "the template went along")

    def test_without_a_format_nothing_is_added(self):
        _, report = self.save()
        self.assertEqual(report["added"], [])

    def test_counts_without_a_directory(self):
        code, said, _ = self.run_zpdata("tokenizer", "--tokenizer", TOKENIZER, "--chat_template_format", "zephyr")
        self.assertEqual(code, 0)
        self.assertIn("tokens; added: <pad>, <|user|>, <|assistant|>, <|system|>", said)

    def test_a_place_that_cannot_be_written(self):
        (self.folder / "new").write_text("a file")
        code, _, complaint = self.run_zpdata("tokenizer", "--tokenizer", TOKENIZER, "-o", self.folder / "new")
        self.assertEqual(code, 7)
        self.assertRegex(complaint, r"^error\[ZP\d{4}\]")


if __name__ == "__main__":
    unittest.main()
