"""What tokens say: held to transformers (golden/generate_token_texts.py), and in the file that zprun reads."""

import json
import unittest

import tokenizers
from support import GOLDEN, TOKENIZER, Case
from safetensors.numpy import load_file
from zpdata.token_texts import tokenTexts


class TokenTexts(Case):
    def test_they_are_the_references(self):
        golden = json.loads((GOLDEN / "token_texts.json").read_text())
        for name, one in golden.items():
            if name == "transformers":
                continue
            with self.subTest(name):
                if "tokenizer" in one:
                    core = tokenizers.Tokenizer.from_str(json.dumps(one["tokenizer"]))
                else:
                    core = tokenizers.Tokenizer.from_file(str(GOLDEN / name / "tokenizer.json"))
                texts = tokenTexts(core)
                self.assertGreater(len(one["texts"]), 15)
                for identity, expected in one["texts"]:
                    self.assertEqual(texts[identity].hex(), expected, f"token {identity}")

    def test_a_file_has_them_when_asked(self):
        rows = self.write_rows([{"prompt": "open the path"}])
        common = ["prompts", rows, "--tokenizer", TOKENIZER, "-o", self.output]
        self.assertEqual(self.run_zpdata(*common)[0], 0)
        self.assertNotIn("token_bytes", load_file(self.output))
        self.assertEqual(self.run_zpdata(*common, "--token_text", "true")[0], 0)
        tensors = load_file(self.output)
        ids, ends, joined = tensors["input_ids"][0], tensors["token_ends"], tensors["token_bytes"].tobytes()
        text = b"".join(joined[ends[i - 1] if i else 0 : ends[i]] for i in ids)
        self.assertEqual(text.decode(), "<s>open the path")


if __name__ == "__main__":
    unittest.main()
