"""Which files of a directory are which split: as the reference's load_dataset finds them, and what it leaves out by its own name."""

import gzip
import json
import os
import unittest

from safetensors.numpy import load_file
from support import TOKENIZER, Case
from zpdata.splits import findSplits

# Names of files, and the splits that datasets 5.2.0 (get_data_patterns, DataFilesDict) makes of them, in its order.
REFERENCE = (
    (["data.jsonl"], {"train": ["data.jsonl"]}),
    (["b.jsonl", "a.jsonl"], {"train": ["a.jsonl", "b.jsonl"]}),
    (["en/b.jsonl", "de/a.jsonl"], {"train": ["de/a.jsonl", "en/b.jsonl"]}),
    (["train-1.jsonl", "train-2.jsonl"], {"train": ["train-1.jsonl", "train-2.jsonl"]}),
    (["my_train.jsonl", "train_2.jsonl", "training.jsonl"], {"train": ["train_2.jsonl", "my_train.jsonl", "training.jsonl"]}),
    (["train.jsonl.gz", "dev.jsonl"], {"train": ["train.jsonl.gz"], "validation": ["dev.jsonl"]}),
    (["eval.jsonl", "val.jsonl", "my train.jsonl"], {"train": ["my train.jsonl"], "validation": ["val.jsonl"], "test": ["eval.jsonl"]}),
    (["train_sft.parquet", "test_sft.parquet"], {"train": ["train_sft.parquet"], "test": ["test_sft.parquet"]}),
    (["pretrain.jsonl", "trainer.jsonl"], {"train": ["pretrain.jsonl", "trainer.jsonl"]}),  # no words of their own
    (["training/a.jsonl", "valid/a.jsonl"], {"train": ["training/a.jsonl"], "validation": ["valid/a.jsonl"]}),
    (["train/test.jsonl", "test/train.jsonl"], {"train": ["train/test.jsonl"], "test": ["test/train.jsonl"]}),
    (["data/train/a.parquet", "data/test/a.parquet"], {"train": ["data/train/a.parquet"], "test": ["data/test/a.parquet"]}),
    (["data/train-00000-of-00001.parquet"], {"train": ["data/train-00000-of-00001.parquet"]}),
    (
        ["data/train_sft-00001-of-00002.parquet", "data/train_sft-00000-of-00002.parquet", "data/a.b-00000-of-00001-0f.parquet", "notes.jsonl"],
        {
            "a.b": ["data/a.b-00000-of-00001-0f.parquet"],
            "train_sft": ["data/train_sft-00000-of-00002.parquet", "data/train_sft-00001-of-00002.parquet"],
        },
    ),
    (["train_and_test.jsonl"], {"train": ["train_and_test.jsonl"], "test": ["train_and_test.jsonl"]}),
    (["train.jsonl", "config.json", "dataset_info.json", ".hidden.jsonl", ".git/train.jsonl", "__x__/test.jsonl"], {"train": ["train.jsonl"]}),
)
# Where names say some splits, the reference passes over the other files.
OTHERS = (
    (["train.jsonl", "extra.jsonl"], {"train": ["train.jsonl"], "extra": ["extra.jsonl"]}),
    (["train/a.jsonl", "extra/b.jsonl", "extra/a.jsonl"], {"train": ["train/a.jsonl"], "extra": ["extra/a.jsonl", "extra/b.jsonl"]}),
    (["test/a.jsonl", "train_2.jsonl"], {"train": ["train_2.jsonl"], "test": ["test/a.jsonl"]}),
    (["train.jsonl", "extra-00000-of-00001.jsonl.gz"], {"train": ["train.jsonl"], "extra": ["extra-00000-of-00001.jsonl.gz"]}),
)


class Names(Case):
    def found(self, names):
        folder = self.folder / f"data set {len(list(self.folder.iterdir()))}"
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("")
        return {split: [file.relative_to(folder).as_posix() for file in files] for split, files in findSplits(folder).items()}

    def test_reference(self):
        for names, wanted in REFERENCE:
            with self.subTest(names=names):
                self.assertEqual(list(self.found(names).items()), list(wanted.items()))

    def test_what_the_reference_leaves_out(self):
        for names, wanted in OTHERS:
            with self.subTest(names=names):
                self.assertEqual(list(self.found(names).items()), list(wanted.items()))

    def test_a_split_asked_for_by_its_own_name(self):
        data = self.folder / "data"
        data.mkdir()
        for number, name in enumerate(("train_sft", "train_gen", "test_sft")):
            (data / f"{name}.jsonl").write_text('{"text": "open"}\n' * (number + 1))
        words = [data, "--tokenizer", TOKENIZER, "-o", self.output, "--json"]
        for asked, wanted in (("train", [3]), ("train_gen", [2]), ("train_sft,test", [1, 3]), ("test_sft,train_gen", [3, 2])):
            code, said, err = self.run_zpdata(*words, "--splits", asked)
            self.assertEqual((code, [report["rows"] for report in json.loads(said)]), (0, wanted), err)
        for file in self.folder.glob("tokens*"):
            file.unlink()
        self.assert_fails(2, 1001, ["has no split train_, expected one of train, test"], *words, "--splits", "train_")

    def test_links(self):
        data = self.folder / "data"
        (data / "blobs").mkdir(parents=True)
        (self.folder / "far").mkdir()
        (self.folder / "far" / "a.jsonl").write_text("")
        (data / "train").symlink_to(self.folder / "far")
        (data / "blobs" / "loop").symlink_to(data)
        self.assertEqual(findSplits(data), {"train": [data / "train" / "a.jsonl"]})

    def fails(self, number, *pieces):
        self.assert_fails(4, number, pieces, self.folder / "data", "--tokenizer", TOKENIZER, "-o", self.output)

    def test_a_split_that_is_there_twice(self):
        data = self.folder / "data"
        (data / "train").mkdir(parents=True)
        (data / "train" / "a.jsonl").write_text("")
        (data / "train.jsonl").write_text("")
        self.fails(3009, "the split train twice, in train/a.jsonl and in train.jsonl")

    def test_saved_data_sets_that_are_damaged(self):
        data = self.folder / "data"
        data.mkdir()
        for content, piece in (("{}", "lists no splits"), ('{"splits": 5}', "lists no splits"), ("[", "is not JSON"), ('{"splits": ["train"]}', "cannot be read")):
            (data / "dataset_dict.json").write_text(content)
            self.fails(3001 if piece == "cannot be read" else 3002, piece)


class Compressed(Case):
    ROWS = [{"text": "open the path"}, {"text": "key"}]

    def test_texts(self):
        wanted = self.tokens(self.ROWS)["input_ids"].tolist()
        lines = "".join(json.dumps(row) + "\n" for row in self.ROWS)
        for name, content in (
            ("a.jsonl.gz", lines),
            ("a.ndjson.gz", lines),
            ("a.json.gz", json.dumps(self.ROWS)),
            ("b.json.gz", lines),
            ("a.csv.gz", "text\nopen the path\nkey\n"),
        ):
            path = self.folder / name
            path.write_bytes(gzip.compress(content.encode()))
            code, _, err = self.run_zpdata(path, "--tokenizer", TOKENIZER, "-o", self.output)
            self.assertEqual(code, 0, err)
            self.assertEqual(load_file(self.output)["input_ids"].tolist(), wanted, name)
        data = self.folder / "data"
        data.mkdir()
        os.rename(self.folder / "a.jsonl.gz", data / "train.jsonl.gz")
        code, _, err = self.run_zpdata(data, "--tokenizer", TOKENIZER, "--splits", "train", "-o", self.output)
        self.assertEqual(code, 0, err)

    def test_damaged(self):
        whole = gzip.compress(b'{"text": "open"}\n' * 500)
        self.output.unlink(missing_ok=True)
        for content in (whole[:-10], whole[:20], b"no gzip", whole[:12] + b"\xff" * 20 + whole[32:]):
            path = self.folder / "a.jsonl.gz"
            path.write_bytes(content)
            self.assert_fails(4, 3009, ["a.jsonl.gz", "damaged"], path, "--tokenizer", TOKENIZER, "-o", self.output)

    def test_parquet_isnt_read_so(self):
        path = self.folder / "a.parquet.gz"
        path.write_bytes(gzip.compress(b"PAR1"))
        self.assert_fails(4, 3009, ["known kind"], path, "--tokenizer", TOKENIZER, "-o", self.output)


if __name__ == "__main__":
    unittest.main()
