"""Texts with answers: `--mode causal` and `--mode seq2seq` make the rows of the PEFT guide's two scripts. golden/pairs.json was
made by golden/generate_pairs.py with transformers' own tokenizers and models."""

import csv
import json
import re
import unittest

import numpy
import pyarrow
import pyarrow.parquet
from safetensors.numpy import load_file
from support import GOLDEN, ROOT, Case
from zpdata.seq2seq import CLASS_DEFAULTS
from zpdata.tokenizer import Tokenizer

BART, T5, PLAIN = GOLDEN / "tokenizer-bart", GOLDEN / "tokenizer-t5", GOLDEN / "tokenizer"
COLUMNS = ["--source_column", "Tweet text", "--target_column", "text_label"]


def flag_words(flags):
    return [*COLUMNS, *(f"--{name}={str(value).lower()}" for name, value in flags.items())]


class Pairs(Case):
    def make(self, rows, *words, tokenizer):
        """(tensors, what it said) of some rows."""
        code, _, err = self.run_zpdata(self.write_rows(rows), "--tokenizer", tokenizer, "-o", self.output, *words)
        self.assertEqual(code, 0, err)
        return load_file(self.output), err

    def prompts(self, rows, *words, tokenizer):
        code, _, err = self.run_zpdata(
            "prompts", self.write_rows(rows), "--tokenizer", tokenizer, "-o", self.output, *words
        )
        self.assertEqual(code, 0, err)
        return load_file(self.output)


class Reference(Pairs):
    def check_causal(self, tensors, expected, labels=True):
        self.assertEqual(tensors["input_ids"].shape, (len(expected), len(expected[0][0])))
        for number, (ids, mask, counted) in enumerate(expected):
            real = numpy.array(mask) == 1
            ours = {name: tensor[number] for name, tensor in tensors.items()}
            self.assertEqual(ours["input_ids"][real].tolist(), numpy.array(ids)[real].tolist(), f"row {number}")
            self.assertEqual((ours["segment_ids"] == 0).tolist(), real.tolist())
            self.assertEqual((ours["segment_ids"] == -1).tolist(), (~real).tolist())
            self.assertEqual(ours["position_ids"].tolist(), ((numpy.cumsum(mask) - 1) * mask).tolist())
            if labels:
                self.assertEqual(ours["labels"].tolist(), counted, f"row {number}")

    def check_seq2seq(self, tensors, expected):
        for number, (source, labels, shifted) in enumerate(expected):
            ours = {name: tensor[number] for name, tensor in tensors.items()}
            real = ours["source_segment_ids"] == 0
            self.assertEqual(ours["source_ids"][real].tolist(), source, f"row {number}")
            self.assertEqual(real.tolist(), [True] * len(source) + [False] * (len(real) - len(source)))
            self.assertEqual(ours["source_position_ids"][real].tolist(), list(range(len(source))))
            # The label of token t is labels[t + 1], as for any causal row.
            self.assertEqual(ours["labels"].tolist(), [-100, *labels])
            predicting = ours["labels"][1:] != -100
            self.assertTrue(predicting.any())
            last = int(numpy.flatnonzero(predicting)[-1]) + 1
            self.assertEqual(ours["input_ids"][:last].tolist(), shifted[:last], f"row {number}")
            self.assertEqual(ours["position_ids"][: last + 1].tolist(), list(range(last + 1)))

    def check(self, case):
        tokenizer, words = GOLDEN / case["tokenizer"], flag_words(case["flags"])
        if "causal" in case:
            self.check_causal(self.make(case["rows"], *words, tokenizer=tokenizer)[0], case["causal"])
        elif "prompts" in case:
            self.check_causal(self.prompts(case["rows"], *words, tokenizer=tokenizer), case["prompts"], labels=False)
        else:
            self.check_seq2seq(self.make(case["rows"], *words, tokenizer=tokenizer)[0], case["seq2seq"])


for index, golden in enumerate(json.loads((GOLDEN / "pairs.json").read_text())["cases"]):
    kind = next(name for name in ("causal", "prompts", "seq2seq") if name in golden)
    setattr(Reference, f"test_{index:02}_{kind}_{golden['tokenizer']}", lambda self, case=golden: self.check(case))

ROWS = [
    {"Tweet text": "my order is lost", "text_label": "complaint"},
    {"Tweet text": "thanks", "text_label": "no complaint"},
]
SEQ2SEQ = ["--mode", "seq2seq", *COLUMNS]
CAUSAL = ["--mode", "causal", *COLUMNS]


class Files(Pairs):
    def test_csv_jsonl_and_parquet_make_the_same_file(self):
        table = self.folder / "rows.parquet"
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), table)
        with open(self.folder / "rows.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, ["Tweet text", "text_label"])
            writer.writeheader()
            writer.writerows(ROWS)
        for mode in (SEQ2SEQ, CAUSAL):
            tokens, _ = self.make(ROWS, *mode, tokenizer=BART)
            for name in ("rows.csv", "rows.parquet"):
                output = self.folder / (name + ".safetensors")
                code, _, err = self.run_zpdata(self.folder / name, "--tokenizer", BART, "-o", output, *mode)
                self.assertEqual(code, 0, err)
                self.assertEqual(
                    {k: v.tolist() for k, v in load_file(output).items()},
                    {k: v.tolist() for k, v in tokens.items()},
                    name,
                )

    def test_numbers_of_classes(self):
        """A Parquet file of the hub names its classes, with underscores; others are named by a flag."""
        words, _ = self.make(ROWS, *SEQ2SEQ, tokenizer=BART)
        names = ["Unlabeled", "complaint", "no_complaint"]
        numbered = [{"Tweet text": row["Tweet text"], "text_label": number} for row, number in zip(ROWS, (1, 2))]
        features = {
            "text_label": {"names": names, "_type": "ClassLabel"},
            "Tweet text": {"dtype": "string", "_type": "Value"},
        }
        table = pyarrow.Table.from_pylist(numbered).replace_schema_metadata(
            {"huggingface": json.dumps({"info": {"features": features}})}
        )
        path = self.folder / "numbered.parquet"
        pyarrow.parquet.write_table(table, path)
        code, _, err = self.run_zpdata(path, "--tokenizer", BART, "-o", self.output, *SEQ2SEQ)
        self.assertEqual(code, 0, err)
        self.assertEqual(load_file(self.output)["labels"].tolist(), words["labels"].tolist())
        named = ["--class_names", "Unlabeled,complaint,no complaint"]
        self.assertEqual(
            self.make(numbered, *SEQ2SEQ, *named, tokenizer=BART)[0]["labels"].tolist(), words["labels"].tolist()
        )
        texts = [{**row, "text_label": str(row["text_label"])} for row in numbered]  # as a CSV has them
        self.assertEqual(
            self.make(texts, *SEQ2SEQ, *named, tokenizer=BART)[0]["labels"].tolist(), words["labels"].tolist()
        )
        rows = self.write_rows([{**ROWS[0], "text_label": 3}])
        self.output.unlink()
        self.assert_fails(
            4,
            3009,
            ["rows.jsonl:1", "is class 3, expected 0 to 2"],
            rows,
            "--tokenizer",
            BART,
            "-o",
            self.output,
            *SEQ2SEQ,
            *named,
        )

    def test_splits_have_one_length(self):
        folder = self.folder / "data"
        folder.mkdir()
        for name, row in zip(("train", "test"), ROWS):
            (folder / f"{name}.jsonl").write_text(json.dumps(row) + "\n")
        code, out, err = self.run_zpdata(folder, "--tokenizer", BART, "-o", self.output, *SEQ2SEQ)
        self.assertEqual(code, 0, err)
        train, test = (load_file(self.folder / f"tokens-{name}.safetensors") for name in ("train", "test"))
        for name in ("input_ids", "source_ids"):
            self.assertEqual(train[name].shape, test[name].shape)
        self.assertIn("(source and target)", out)

    def test_metadata(self):
        self.make(ROWS, *SEQ2SEQ, tokenizer=T5)
        metadata = self.metadata()
        self.assertEqual(
            (metadata["kind"], metadata["decoder_start_token_id"], metadata["padding_side"]), ("seq2seq", "0", "right")
        )
        self.make(ROWS, *CAUSAL, tokenizer=T5)
        self.assertEqual((self.metadata()["kind"], self.metadata()["padding_side"]), ("causal", "left"))
        self.make([{"text": "a path"}], tokenizer=PLAIN)
        self.assertEqual(self.metadata()["kind"], "causal")

    def test_prompts_of_an_encoder_are_its_source_side(self):
        whole, _ = self.make(ROWS, *SEQ2SEQ, tokenizer=BART)
        prompts = self.prompts(ROWS, *SEQ2SEQ, tokenizer=BART)
        for name, source in (("input_ids", "source_ids"), ("segment_ids", "source_segment_ids")):
            self.assertEqual(prompts[name].tolist(), whole[source].tolist())
        self.assertEqual(self.metadata()["decoder_start_token_id"], "2")

    def test_more_rows_than_are_encoded_at_once(self):
        for mode in (SEQ2SEQ, CAUSAL):
            for make in (self.make, self.prompts):
                few, many = (make(rows, *mode, tokenizer=BART) for rows in (ROWS, ROWS * 501))
                few, many = (made[0] if isinstance(made, tuple) else made for made in (few, many))
                for name, tensor in few.items():
                    self.assertEqual(many[name].shape, (1002, tensor.shape[1]))
                    self.assertTrue((many[name].reshape(501, *tensor.shape) == tensor).all(), name)
        long = [{"Tweet text": "help " * 30, "text_label": "a"}] * 1002
        _, said = self.make(long, *CAUSAL, "--max_length", 40, tokenizer=PLAIN)
        self.assertIn("1002 of 1002 rows are longer than 40 tokens", said)
        _, said = self.make(long, *SEQ2SEQ, "--max_source_length", 20, tokenizer=BART)
        self.assertIn("1002 of 1002 texts are longer than 20 tokens", said)

    def test_prompts_need_no_answers(self):
        rows = [{"Tweet text": "my order"}]
        for mode in (SEQ2SEQ, CAUSAL):
            self.prompts(rows, *mode, tokenizer=BART)

    def test_show(self):
        self.make(ROWS, *SEQ2SEQ, tokenizer=BART)
        code, out, err = self.run_zpdata("show", self.output, "--row", 0)
        self.assertEqual(code, 0, err)
        self.assertIn("source: <s>my order is lost</s>", out)
        self.assertIn("⟦complaint</s>⟧", out.replace("<s>", ""))
        self.make(ROWS, *CAUSAL, tokenizer=PLAIN)
        _, out, _ = self.run_zpdata("show", self.output, "--row", 1)
        self.assertIn("Tweet text : thanks Label : ⟦no complaint</s>⟧", out)


class Choices(Pairs):
    def test_a_long_row_keeps_its_answer(self):
        rows = [{"Tweet text": "help " * 30 + "thanks", "text_label": "complaint"}]
        tensors, said = self.make(rows, *CAUSAL, "--max_length", 40, tokenizer=PLAIN)
        self.assertIn("1 of 1 rows are longer than 40 tokens: the end of the text is left out", said)
        self.assertEqual((tensors["segment_ids"] == 0).sum(), 40)
        whole, _ = self.make(rows, *CAUSAL, "--max_length", 200, tokenizer=PLAIN)
        ids, counted = tensors["input_ids"][0], tensors["labels"][0] != -100
        full, told = whole["input_ids"][0], whole["labels"][0] != -100
        self.assertEqual(ids[counted].tolist(), full[told].tolist(), "the answer")
        start = int((whole["segment_ids"][0] == -1).sum())
        kept = (
            int(numpy.flatnonzero(ids[:20] != full[start : start + 20])[0])
            if (ids[:20] != full[start : start + 20]).any()
            else 20
        )
        self.assertGreater(kept, 12, "the prompt begins as it did")
        tail = 9  # " Label : " in tokens that no word of the text has
        end = int(numpy.flatnonzero(counted)[0])
        self.assertEqual(
            ids[end - tail : end].tolist(),
            full[int(numpy.flatnonzero(told)[0]) - tail : int(numpy.flatnonzero(told)[0])].tolist(),
        )
        lost, said = self.make([*rows, ROWS[1]], *CAUSAL, "--max_length", 40, "--reference_quirks", tokenizer=PLAIN)
        self.assertIn("is lost, as in the reference", said)
        self.assertEqual(lost["labels"].shape[0], 2, "the row stays, as in the reference")
        self.assertTrue((lost["labels"][0] == -100).all())

    def test_the_template(self):
        flags = [*CAUSAL, "--input_template", "{column}? {text}!"]
        self.make([{"Tweet text": "{column} {text}", "text_label": "a"}], *flags, tokenizer=PLAIN)
        _, out, _ = self.run_zpdata("show", self.output)
        self.assertIn("Tweet text? {column} {text}!⟦a", out)

    def test_a_tokenizer_without_a_pad_token(self):
        tensors, said = self.make(ROWS, *CAUSAL, tokenizer=PLAIN)
        self.assertIn("has no pad token: rows are filled up with </s>", said)
        self.assertEqual(tensors["input_ids"][0][0], 2)
        self.assertEqual(tensors["segment_ids"][0][0], -1)
        counted = tensors["labels"] != -100
        self.assertTrue((tensors["input_ids"][counted] == 2).any(), "the EOS that ends an answer counts all the same")
        _, said = self.make(ROWS, *CAUSAL, tokenizer=BART)
        self.assertEqual(said, "")

    def copy(self, tokenizer, **changes):
        """A tokenizer's folder with another config.json or tokenizer_config.json; None takes a key away."""
        folder = self.folder / "changed"
        folder.mkdir(exist_ok=True)
        (folder / "tokenizer.json").write_bytes((tokenizer / "tokenizer.json").read_bytes())
        for name, edits in (
            ("config.json", changes.get("model", {})),
            ("tokenizer_config.json", changes.get("words", {})),
        ):
            content = {**json.loads((tokenizer / name).read_text()), **edits}
            (folder / name).write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
        return folder

    def test_the_start_token(self):
        missing = self.copy(T5, model={"decoder_start_token_id": None})
        rows = self.write_rows(ROWS)
        pieces = ["config.json: has no decoder_start_token_id", "--decoder_start_token_id"]
        self.assert_fails(2, 1002, pieces, rows, "--tokenizer", missing, "-o", self.output, *SEQ2SEQ)
        self.assert_fails(2, 1002, pieces, "prompts", rows, "--tokenizer", missing, "-o", self.output, *SEQ2SEQ)
        self.assertEqual(
            self.make(ROWS, *SEQ2SEQ, "--decoder_start_token_id", 3, tokenizer=missing)[0]["input_ids"][0][0], 3
        )
        (missing / "generation_config.json").write_text('{"decoder_start_token_id": 4}')
        self.assertEqual(self.make(ROWS, *SEQ2SEQ, tokenizer=missing)[0]["input_ids"][0][0], 4)
        of_class = self.copy(BART, model={"decoder_start_token_id": None})
        (of_class / "generation_config.json").unlink()
        self.assertEqual(self.make(ROWS, *SEQ2SEQ, tokenizer=of_class)[0]["input_ids"][0][0], 2)
        self.output.unlink()
        for wrong in (-1, 320, "two", True):
            folder = self.copy(BART, model={"decoder_start_token_id": wrong})
            self.assert_fails(
                2, 1002, [f"is {wrong}, expected a token id"], rows, "--tokenizer", folder, "-o", self.output, *SEQ2SEQ
            )

    def test_an_answer_that_no_tokenizer_ends(self):
        tensors, _ = self.make(ROWS, *SEQ2SEQ, "--decoder_start_token_id", 1, tokenizer=PLAIN)
        for labels in tensors["labels"]:
            self.assertEqual(labels[labels != -100][-1], 2)

    def test_learned_positions_end(self):
        rows = self.write_rows([{"Tweet text": "help " * 100, "text_label": "a"}])
        unlimited = self.copy(BART, words={"model_max_length": None})
        flags = ["--tokenizer", unlimited, "-o", self.output, *SEQ2SEQ]
        pieces = ["has 64 learned positions", "--max_source_length 64"]
        self.assert_fails(2, 1007, pieces, rows, *flags)
        self.assert_fails(2, 1007, pieces, rows, *flags, "--max_source_length", 65)
        self.assert_fails(2, 1007, ["--max_target_length 64"], rows, *flags, "--max_target_length", 65)
        self.assertEqual(self.run_zpdata(rows, *flags, "--max_source_length", 64)[0], 0)


class Wrong(Pairs):
    def test_rows(self):
        for mode in (SEQ2SEQ, CAUSAL):
            flags = ["--tokenizer", BART, "-o", self.output, *mode]
            for row, pieces in (
                ({"text": "a"}, ["rows.jsonl:1", "has the columns text, expected Tweet text", "--source_column"]),
                ({"Tweet text": "a"}, ["rows.jsonl:1", "expected text_label", "--target_column"]),
                ({"Tweet text": 3, "text_label": "a"}, ["Tweet text is int, expected a text"]),
                ({"Tweet text": "a", "text_label": None}, ["text_label is NoneType"]),
                ({"Tweet text": "a", "text_label": ["b"]}, ["text_label is list"]),
            ):
                self.assert_fails(4, 3009, pieces, self.write_rows([row]), *flags)
            self.assert_fails(4, 3009, ["holds no rows"], self.write_rows([]), *flags)

    def test_flags(self):
        rows = self.write_rows(ROWS)
        flags = ["--tokenizer", BART, "-o", self.output]
        for words, pieces in (
            ([*CAUSAL, "--input_template", "no place"], ["expected one {text}"]),
            ([*SEQ2SEQ, "--max_target_length", "1"], ["--max_target_length", "expected 4 at least"]),
            ([*SEQ2SEQ, "--max_length", "64"], ["--max_length", "--max_source_length"]),
            ([*SEQ2SEQ, "--packing"], ["--packing", "a pair a row"]),
            ([*CAUSAL, "--packing"], ["--packing"]),
            (["--max_source_length", "8"], ["--max_source_length", "--mode seq2seq"]),
            ([*CAUSAL, "--max_target_length", "8"], ["--max_target_length", "--mode seq2seq"]),
            (["--mode", "other"], ["invalid choice"]),
        ):
            self.assert_fails(2, 1001, pieces, rows, *flags, *words)

    def test_flags_of_another_mode(self):
        rows = self.write_rows(ROWS)
        flags = ["--tokenizer", BART, "-o", self.output]
        of_rows = (
            ["--shuffle_dataset"],
            ["--assistant_only_loss", "true"],
            ["--completion_only_loss", "true"],
            ["--reference_eos"],
            ["--packing_strategy", "bfd"],
            ["--dataset_num_proc", "1"],
            ["--dataset_text_field", "text"],
        )
        for mode in ("causal", "seq2seq"):
            for words in of_rows:
                pieces = [words[0] + ": is given with --mode " + mode, "expected --mode sft"]
                self.assert_fails(2, 1001, pieces, rows, *flags, "--mode", mode, *COLUMNS, *words)
        of_pairs = (
            ["--input_template", "{text}"],
            ["--class_names", "a,b"],
            ["--reference_quirks"],
            ["--source_column", "prompt"],
            ["--target_column", "completion"],
        )
        for verb in ([], ["prompts"]):
            for words in of_pairs:
                pieces = [words[0] + ": is given with --mode sft", "expected --mode causal or seq2seq"]
                self.assert_fails(2, 1001, pieces, *verb, rows, *flags, *words)
                self.assert_fails(2, 1001, pieces, *verb, rows, *flags, "--mode", "sft", *words)
            for mode in ("sft", "causal"):
                pieces = ["--decoder_start_token_id: is given with --mode " + mode, "expected --mode seq2seq"]
                columns = COLUMNS if mode == "causal" else []
                self.assert_fails(2, 1001, pieces, *verb, rows, *flags, "--mode", mode, *columns, "--decoder_start_token_id", 2)
        pieces = ["--max_length: is given with --mode sft", "expected --mode causal", "taken whole"]
        self.assert_fails(2, 1001, pieces, "prompts", rows, *flags, "--max_length", 8)
        pieces = ["--max_length: is given with --mode seq2seq", "--max_source_length"]
        self.assert_fails(2, 1001, pieces, "prompts", rows, *flags, *SEQ2SEQ, "--max_length", 8)

    def test_flags_that_are_off(self):
        """zp sft hands on what its user wrote, and what is off changes nothing."""
        off = ["--packing", "false", "--shuffle_dataset=False", "--assistant_only_loss", "no", "--reference_eos", "false"]
        for mode in (SEQ2SEQ, CAUSAL):
            self.make(ROWS, *mode, *off, tokenizer=BART)
        self.make([{"text": "a path"}], "--reference_quirks", "false", tokenizer=PLAIN)

    def test_defaults_are_the_importers(self):
        """A row begins with what zpc import takes for a decoder_start_token_id that no file names."""
        tables = "".join(path.read_text() for path in sorted((ROOT / "frontends/huggingface/architectures").glob("*.cpp")))
        families = re.findall(r"constinit const Family \w+ = \{(.*?)\n\};", tables, re.DOTALL)
        self.assertGreaterEqual(len(families), 10)
        starts = {}
        for family in families:
            if found := re.search(r"\.decoderStart = (-?\d+),", family):
                starts[re.search(r'\.modelType = "(\w+)",', family)[1]] = int(found[1])
        self.assertEqual(starts, CLASS_DEFAULTS)

    def test_no_room(self):
        rows = self.write_rows(ROWS)
        flags = ["--tokenizer", BART, "-o", self.output]
        self.assert_fails(
            4,
            3009,
            ["rows.jsonl:1", "before its text has a word", "--max_length"],
            rows,
            *flags,
            *CAUSAL,
            "--max_length",
            11,
        )
        words = self.write_rows([{"Tweet text": "open", "text_label": "the path of the file"}])
        alone = Tokenizer(BART).encode(["the path of the file"], False)[0].ids
        self.assert_fails(
            4,
            3009,
            ["rows.jsonl:1: has an answer that with its EOS takes 2 tokens more than a row has", "--max_length"],
            words,
            *flags,
            *CAUSAL,
            "--max_length",
            len(alone) - 1,
        )
        self.assert_fails(4, 3009, ["expected at most 0 beside"], words, *flags, *CAUSAL, "--max_length", len(alone) + 1)
        self.assert_fails(2, 1001, ["--max_source_length"], rows, *flags, *SEQ2SEQ, "--max_source_length", 1)
        self.assert_fails(2, 1001, ["--max_target_length"], rows, *flags, *SEQ2SEQ, "--max_target_length", 2)


if __name__ == "__main__":
    unittest.main()
