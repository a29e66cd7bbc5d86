"""Special tokens that a tokenizer's configuration lists: their ids, and how they are matched, are those of transformers
(golden/special_tokens.json, made by golden/generate_special_tokens.py)."""

import contextlib
import io
import json
import pathlib
import shutil
import unittest

from support import GOLDEN, TOKENIZER, Case
from zpdata.tokenizer import Tokenizer

REFERENCE = json.loads((GOLDEN / "special_tokens.json").read_text())


class Special(Case):
    def model(self, config, older=None, added=None):
        model = pathlib.Path(shutil.copytree(TOKENIZER, self.folder / f"model{len(list(self.folder.iterdir()))}"))
        path = model / "tokenizer_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **config}))
        for name, content in (("special_tokens_map.json", older), ("added_tokens.json", added)):
            if content is not None:
                (model / name).write_text(json.dumps(content))
        return model

    def made(self, model, format):
        tokenizer = Tokenizer(model, format)
        made = {"tokens": tokenizer.size, "eos": tokenizer.eosToken, "ids": [encoding.ids for encoding in tokenizer.encode(REFERENCE["texts"], True)]}
        return made, tokenizer.added

    def test_reference(self):
        self.assertEqual(len(REFERENCE["cases"]), 24)
        for case in REFERENCE["cases"]:
            for format in ("none", "chatml"):
                with self.subTest(case=case["name"], format=format), contextlib.redirect_stderr(io.StringIO()):
                    model = self.model(case["config"], case["map"], case["added"])
                    self.assertEqual(self.made(model, format)[0], case[format])
                    # A tokenizer that is written with them has the same.
                    words = ["--tokenizer", model, "--chat_template_format", format]
                    code, _, err = self.run_zpdata("tokenizer", *words, "-o", self.folder / "new")
                    self.assertEqual(code, 0, err)
                    self.assertEqual(self.made(self.folder / "new", format), (case[format], []))

    def test_a_template_has_the_models_own_names(self):
        model = self.model({"image_token": "<x>", "extra_special_tokens": {"video": "<y>"}})
        (model / "chat_template.jinja").write_text("{{ image_token }}{{ video }}{{ bos_token }}{{ messages[0].content }}")
        rows = [{"messages": [{"role": "user", "content": "open"}]}]
        ids = self.segments(self.tokens(rows, tokenizer=model))[0][0]
        self.assertEqual(ids[:3], [330, 331, 1])

    def test_a_list_takes_the_place_of_a_formats_tokens(self):
        """As in the reference, where it isn't said."""
        rows = self.write_rows([{"messages": [{"role": "user", "content": "open"}]}])
        words = ["--chat_template_format", "chatml", "-o", self.output]
        for listed, said in ((["<x>"], True), (["<|im_start|>user", "<|im_start|>assistant", "<|im_start|>system"], False)):
            code, _, err = self.run_zpdata(rows, "--tokenizer", self.model({"extra_special_tokens": listed}), *words)
            self.assertEqual((code, "lists extra_special_tokens" in err), (0, said), err)

    def test_what_is_no_list(self):
        rows = self.write_rows([{"text": "open"}])
        for config in (
            {"extra_special_tokens": "<x>"},
            {"extra_special_tokens": [5]},
            {"extra_special_tokens": {"image": 5}},
            {"additional_special_tokens": [""]},
            {"additional_special_tokens": {"a": "<x>"}},
            {"extra_special_tokens": [{"content": "<x>", "lstrip": "yes"}]},
        ):
            named = "image" if "image" in str(config) else next(iter(config))
            words = ["--tokenizer", self.model(config), "-o", self.output]
            self.assert_fails(4, 3002, [f"tokenizer_config.json: {named}", " holds ", "save the tokenizer again"], rows, *words)
            # A format brings its own, but what is saved has both.
            words = ["--tokenizer", self.model(config), "--chat_template_format", "chatml", "-o", self.folder / "saved"]
            self.assert_fails(4, 3002, [f"tokenizer_config.json: {named}", " holds "], "tokenizer", *words)

    def test_what_is_wrong_in_older_files(self):
        rows = self.write_rows([{"text": "open"}])
        for older, added, place in (
            ({"eos_token": 5}, None, "special_tokens_map.json: eos_token holds 5, expected a token's text"),
            ({"pad_token": {"content": "<x>", "lstrip": 1}}, None, "special_tokens_map.json: pad_token holds "),
            ({"image_token": {"lstrip": True}}, None, "special_tokens_map.json: image_token holds "),
            (None, {"<x>": "330"}, 'added_tokens.json: <x> holds "330", expected the token\'s id'),
            (None, {"<x>": -1}, "added_tokens.json: <x> holds -1"),
            (None, [5], "added_tokens.json: holds a list"),
        ):
            self.assert_fails(4, 3002, [place, "save the tokenizer again"], rows, "--tokenizer", self.model({}, older, added), "-o", self.output)

    def test_older_files_without_a_say(self):
        """Where the configuration lists the added tokens, the others aren't read at all."""
        model = self.model({"added_tokens_decoder": {}}, {"eos_token": 5}, [5])
        self.assertEqual(Tokenizer(model).eosToken, "</s>")


if __name__ == "__main__":
    unittest.main()
