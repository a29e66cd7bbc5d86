"""Tokenizers by the class that transformers 5 takes for them, which may go over what tokenizer.json says (golden/tokenizer_classes.json, made by
golden/generate_tokenizer_classes.py), and what is written of them."""

import json
import unittest

from support import GOLDEN, Case
from zpdata.tokenizer import Tokenizer

REFERENCE = json.loads((GOLDEN / "tokenizer_classes.json").read_text())
CASES = {case["name"]: case for case in REFERENCE["cases"]}
PARTS = ("normalizer", "pre_tokenizer", "post_processor", "decoder", "model")


class Classes(Case):
    def model(self, case, name="model"):
        model = self.folder / name
        model.mkdir(exist_ok=True)
        files = {"tokenizer": REFERENCE["files"][case["file"]], "tokenizer_config": case["config"], "config": case["model"]}
        for file, content in files.items():
            (model / f"{file}.json").unlink(missing_ok=True)
            if content is not None:
                (model / f"{file}.json").write_text(json.dumps(content))
        return model

    def check(self, model, case):
        tokenizer = Tokenizer(model)
        ids = [encoding.ids for encoding in tokenizer.encode(REFERENCE["texts"], True)]
        said = [tokenizer.core.decode(some, skip_special_tokens=True) for some in ids]
        self.assertEqual(ids, case["ids"])
        self.assertEqual(said, case["said"])
        self.assertEqual((tokenizer.size, {**tokenizer.own, **tokenizer.special}), (case["tokens"], case["special"]))

    def save(self, model, *words):
        code, _, err = self.run_zpdata("tokenizer", "--tokenizer", model, *words, "-o", self.folder / "new")
        self.assertEqual((code, err), (0, ""))
        return self.folder / "new"

    def test_reference(self):
        self.assertEqual(len(CASES), 33)
        for name, case in CASES.items():
            with self.subTest(name):
                self.check(self.model(case), case)

    def test_what_is_written(self):
        """It is read alike without the model beside it, and for who knows of no classes tokenizer.json says what it said."""
        for name, case in CASES.items():
            with self.subTest(name):
                new = self.save(self.model(case))
                self.check(new, case)
                saved, had = json.loads((new / "tokenizer.json").read_text()), REFERENCE["files"][case["file"]]
                for part in PARTS:
                    self.assertEqual(saved[part], had[part])
                if "tokenizer_class" in case["config"] and name not in ("mistral", "mixtral"):
                    self.assertEqual(json.loads((new / "tokenizer_config.json").read_text())["tokenizer_class"], case["config"]["tokenizer_class"])

    def test_a_format_is_written_too(self):
        rows = [{"messages": [{"role": "user", "content": "the path"}, {"role": "assistant", "content": "open file"}]}]
        for name in ("llama", "mistral", "code_llama", "smol", "decoder"):
            with self.subTest(name):
                model, words = self.model(CASES[name]), ("--chat_template_format", "chatml")
                new = self.save(model, *words)
                made = [self.segments(self.tokens(rows, *words, tokenizer=where)) for where in (model, new)]
                self.assertEqual(made[1], made[0])

    def test_an_adapters_tokenizer_is_its_models(self):
        """A Mistral's names LlamaTokenizer; only the model says that it isn't one."""
        base, adapter = self.model(CASES["mistral"], "base"), self.model({**CASES["mistral"], "model": None}, "adapter")
        (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base)}))
        self.check(adapter, CASES["mistral"])
        (adapter / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "someone/elsewhere"}))
        self.assertEqual(Tokenizer(adapter).encode(["</s> a"], False)[0].ids, Tokenizer(self.model(CASES["legacy"])).encode(["</s> a"], False)[0].ids)

    def test_another_model_than_the_class_has(self):
        case = {**CASES["mt0_plain"], "config": {"tokenizer_class": "LlamaTokenizer", "unk_token": "<unk>", "bos_token": None}}
        rows = self.write_rows([{"text": "the path"}])
        code, _, err = self.run_zpdata(rows, "--tokenizer", self.model(case), "-o", self.output)
        self.assertEqual((code, err.count("\n")), (0, 1), err)
        self.assertIn("has a Unigram model where LlamaTokenizer expects BPE", err)
        self.assertIn("read as it stands", err)


if __name__ == "__main__":
    unittest.main()
