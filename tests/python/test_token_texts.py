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


class OddVocabularies(Case):
    def words(self, vocabulary, decoder=None, unknown="[UNK]"):
        """A tokenizer of whole words."""
        return {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [],
            "normalizer": None,
            "pre_tokenizer": {"type": "Whitespace"},
            "post_processor": None,
            "decoder": decoder,
            "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": unknown},
        }

    def texts(self, *arguments, **more):
        return tokenTexts(tokenizers.Tokenizer.from_str(json.dumps(self.words(*arguments, **more))))

    def folder_of(self, content, config=None):
        folder = self.folder / "tokenizer"
        folder.mkdir(exist_ok=True)
        (folder / "tokenizer.json").write_text(json.dumps(content))
        (folder / "tokenizer_config.json").write_text(json.dumps(config or {}))
        return folder

    def test_ids_that_are_left_out(self):
        texts = self.texts({"abcdef": 4, "path": 9, "[UNK]": 1})
        self.assertEqual(texts, [b"", b" [UNK]", b"", b"", b" abcdef", b"", b"", b"", b"", b" path"])
        folder = self.folder_of(self.words({"path": 9, "[UNK]": 1}))
        code, _, err = self.run_zpdata(
            "prompts", self.write_rows([{"prompt": "path"}]), "--tokenizer", folder, "-o", self.output, "--token_text", "true"
        )
        self.assertEqual(code, 0, err)
        tensors = load_file(self.output)
        self.assertEqual(tensors["token_ends"].shape, (10,))
        self.assertEqual(tensors["token_ends"][9], len(tensors["token_bytes"]))

    def test_no_vocabulary(self):
        self.assertEqual(self.texts({}), [])

    def test_words_of_other_letters(self):
        """Where "abcdef" is no text of the tokenizer's, another one stands before a token."""
        words = {"\u2581\u0434\u0430": 0, "\u2581\u043d\u0435\u0442": 3}
        decoder = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
        for unknown in ("[UNK]", "\u2581\u0434\u0430"):  # one that isn't there; one that is
            texts = self.texts(words, decoder, unknown)
            self.assertEqual([text.decode() for text in texts], [" \u0434\u0430", "", "", " \u043d\u0435\u0442"], unknown)

    def test_a_decoder_that_changes_what_was_said(self):
        replace = {"type": "Replace", "pattern": {"String": "fpath"}, "content": "!"}
        decoder = {"type": "Sequence", "decoders": [{"type": "Fuse"}, replace]}
        folder = self.folder_of(self.words({"abcdef": 0, "path": 1, "[UNK]": 2}, decoder))
        rows = self.write_rows([{"prompt": "path"}])
        words = ["prompts", rows, "--tokenizer", folder, "-o", self.output, "--token_text", "true"]
        self.assert_fails(2, 1002, ["--token_text", "'path'", "'abcdef'"], *words)

    def test_ids_that_are_none(self):
        rows = self.write_rows([{"prompt": "path"}])
        words = ["prompts", rows, "-o", self.output, "--token_text", "true", "--tokenizer"]
        for identity in (-1, 1.5, "one", 1 << 32):
            folder = self.folder_of(self.words({"path": identity, "[UNK]": 0}))
            self.assert_fails(4, 3002, ["tokenizer.json: is not a tokenizer"], *words, folder)
        folder = self.folder_of(self.words({"path": 1 << 24, "[UNK]": 0}))
        self.assert_fails(4, 3010, ["--token_text", "'path' the id 16777216"], *words, folder)

    def test_added_tokens(self):
        rows = self.write_rows([{"text": "path"}])
        content = self.words({"path": 0, "[UNK]": 1})
        for config, pieces in (
            ({"added_tokens_decoder": {"two": "a"}}, ['added_tokens_decoder holds "two"', "whole numbers"]),
            ({"added_tokens_decoder": {"-2": "a"}}, ['added_tokens_decoder holds "-2"']),
            ({"added_tokens_decoder": {"1.5": "a"}}, ['added_tokens_decoder holds "1.5"']),
            ({"added_tokens_decoder": ["a"]}, ["an object from ids to tokens"]),
            ({"added_tokens_decoder": {"2": {"text": "a"}}}, ["added_tokens_decoder.2", "content"]),
            ({"added_tokens_decoder": {"2": 7}}, ["added_tokens_decoder.2 holds 7"]),
            ({"added_tokens_decoder": {"2": {"content": "a", "special": "yes"}}}, ["true or false"]),
            ({"eos_token": {"special": True}}, ["eos_token holds"]),
            ({"pad_token": 3}, ["pad_token holds 3"]),
        ):
            folder = self.folder_of(content, config)
            pieces = ["tokenizer_config.json", *pieces]
            self.assert_fails(4, 3002, pieces, rows, "--tokenizer", folder, "-o", self.output)
        more = {"added_tokens_decoder": {"7": {"content": "<b>", "special": True, "id": 7}, "2": "<a>"}}
        folder = self.folder_of(content, more)
        tensors = self.tokens([{"text": "path <a> <b>"}], tokenizer=folder)
        self.assertEqual(self.segments(tensors), [[[0, 2, 3]]])


if __name__ == "__main__":
    unittest.main()
