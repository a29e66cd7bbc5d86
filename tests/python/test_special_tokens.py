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
    def model(self, config, older=None):
        model = pathlib.Path(shutil.copytree(TOKENIZER, self.folder / f"model{len(list(self.folder.iterdir()))}"))
        path = model / "tokenizer_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **config}))
        if older is not None:
            (model / "special_tokens_map.json").write_text(json.dumps(older))
        return model

    def test_reference(self):
        self.assertEqual(len(REFERENCE["cases"]), 16)
        for case in REFERENCE["cases"]:
            for format in ("none", "chatml"):
                with self.subTest(case=case["name"], format=format), contextlib.redirect_stderr(io.StringIO()):
                    model = self.model(case["config"], case["map"])
                    tokenizer = Tokenizer(model, format)
                    made = [encoding.ids for encoding in tokenizer.encode(REFERENCE["texts"], True)]
                    self.assertEqual({"tokens": tokenizer.size, "ids": made}, case[format])
                    # A tokenizer that is written with them has the same.
                    words = ["--tokenizer", model, "--chat_template_format", format]
                    code, _, err = self.run_zpdata("tokenizer", *words, "-o", self.folder / "new")
                    self.assertEqual(code, 0, err)
                    tokenizer = Tokenizer(self.folder / "new", format)
                    made = [encoding.ids for encoding in tokenizer.encode(REFERENCE["texts"], True)]
                    self.assertEqual({"tokens": tokenizer.size, "ids": made, "added": []}, {**case[format], "added": tokenizer.added})

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


if __name__ == "__main__":
    unittest.main()
