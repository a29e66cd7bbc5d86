"""The same rows from every kind of file, directories of splits, and rows that are wrong."""

import json
import shutil
import unittest

import numpy
import pyarrow
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet
from safetensors.numpy import load_file
from support import TOKENIZER, Case

ROWS = [{"prompt": 'open "the path",', "completion": " a file\nof values"}, {"prompt": "join", "completion": " 12"}]


class Files(Case):
    def make(self, path, *words):
        code, out, err = self.run_zpdata(
            path, "--tokenizer", TOKENIZER, "--max_length", 32, "-o", self.output, *words
        )
        self.assertEqual(code, 0, err)
        return out

    def assert_same(self, path):
        self.make(path)
        made = load_file(self.output)
        wanted = self.tokens(ROWS, "--max_length", 32)
        for name, tensor in wanted.items():
            numpy.testing.assert_array_equal(made[name], tensor, f"{path}: {name}")

    def test_json(self):
        for name, content in (
            ("a.json", json.dumps(ROWS)),
            ("b.json", json.dumps({"data": ROWS})),
            ("c.json", "\n".join(map(json.dumps, ROWS))),
            ("d.ndjson", "\n\n".join(map(json.dumps, ROWS))),
        ):
            path = self.folder / name
            path.write_text(content)
            self.assert_same(path)

    def test_csv(self):
        path = self.folder / "rows.csv"
        path.write_text('prompt,completion\n"open ""the path"","," a file\nof values"\njoin, 12\n')
        self.assert_same(path)

    def test_parquet(self):
        path = self.folder / "rows.parquet"
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), path, row_group_size=1)
        self.assert_same(path)

    def test_arrow(self):
        table = pyarrow.Table.from_pylist(ROWS)
        for name, writer in (("stream.arrow", pyarrow.ipc.new_stream), ("file.arrow", pyarrow.ipc.new_file)):
            with writer(str(self.folder / name), table.schema) as sink:
                sink.write_table(table)
            self.assert_same(self.folder / name)

    def test_messages_from_parquet_leave_nulls_out(self):
        rows = [
            {"messages": [{"role": "user", "content": "open", "name": None}, {"role": "assistant", "content": "key"}]}
        ]
        path = self.folder / "rows.parquet"
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
        self.make(path)
        made = load_file(self.output)["input_ids"]
        numpy.testing.assert_array_equal(made, self.tokens(rows, "--max_length", 32)["input_ids"])

    def saved(self, **columns):
        """Columns (what makes a type of that of JSON texts, values) in a Parquet and an Arrow file, as `datasets` 5 saves what has no one type."""
        arrays = {name: pyarrow.array(values, kind(pyarrow.string())).cast(kind(pyarrow.json_())) for name, (kind, values) in columns.items()}
        table = pyarrow.table(arrays)
        files = [self.folder / name for name in ("typed.parquet", "typed.arrow")]
        pyarrow.parquet.write_table(table, files[0])
        with pyarrow.ipc.new_stream(str(files[1]), table.schema) as sink:
            sink.write_table(table)
        return files

    def test_columns_of_json(self):
        """Messages with keys of their own, contents that are texts or lists, tools; at any depth of the schema."""
        chats = [
            [{"role": "user", "content": "open"}, {"role": "assistant", "content": "key", "name": "x"}],
            [{"role": "user", "content": [{"type": "text", "text": "the path"}]}, {"role": "assistant", "content": "a file", "name": None}],
        ]
        tools = [[{"name": "read"}], None]
        wanted = [{"messages": chat, "tools": some} for chat, some in zip(chats, tools)]
        model = self.folder / "model"
        shutil.copytree(TOKENIZER, model)
        (model / "chat_template.jinja").write_text(
            "{{ tools | tojson }}{% for m in messages %}{{ m.role }} {{ m.content if m.content is string else m.content[0].text }} {{ m.name }}\n"
            "{% endfor %}"
        )
        wanted = self.tokens(wanted, "--max_length", 64, tokenizer=model)["input_ids"]
        cells = [[{**message, "content": json.dumps(message["content"])} for message in chat] for chat in chats]

        def message(text):
            return pyarrow.struct([("role", pyarrow.string()), ("content", text), ("name", pyarrow.string())])

        for name, kind, values in (
            ("a message", pyarrow.list_, [list(map(json.dumps, chat)) for chat in chats]),
            ("all messages", lambda text: text, list(map(json.dumps, chats))),
            ("a content", lambda text: pyarrow.list_(message(text)), cells),
            ("a content of a long list", lambda text: pyarrow.large_list(message(text)), cells),
            ("a content of two", lambda text: pyarrow.list_(message(text), 2), cells),
        ):
            for path in self.saved(messages=(kind, values), tools=(lambda text: text, [some and json.dumps(some) for some in tools])):
                with self.subTest(name, file=path.name):
                    code, _, err = self.run_zpdata(path, "--tokenizer", model, "--max_length", 64, "-o", self.output)
                    self.assertEqual(code, 0, err)
                    numpy.testing.assert_array_equal(load_file(self.output)["input_ids"], wanted)

    def test_cells_that_are_no_json(self):
        def kind(text):
            return pyarrow.list_(pyarrow.struct([("role", pyarrow.string()), ("content", text)]))

        for content, said in (("open", "messages.content is not JSON (Expecting value"), ("[" * 100000, "messages.content is nested too deep")):
            values = [[{"role": "user", "content": '"open"'}], [{"role": "user", "content": content}]]
            for path in self.saved(messages=(kind, values)):
                words = [path, "--tokenizer", TOKENIZER, "-o", self.output]
                self.assert_fails(4, 3009, [f"{path}: row 1: {said}", "as the schema says; mend or drop the row"], *words)

    def test_directory_of_splits(self):
        data = self.folder / "data set"
        (data / "extra").mkdir(parents=True)
        for name, row in (("train-00000-of-00002", 0), ("train-00001-of-00002", 1), ("test", 1), ("extra/a", 0)):
            (data / f"{name}.jsonl").write_text(json.dumps(ROWS[row]) + "\n")
        self.make(data)
        shapes = {p.name: load_file(p)["labels"].shape for p in self.folder.glob("tokens*")}
        self.assertEqual(
            shapes,
            {
                "tokens-train.safetensors": (2, 32),
                "tokens-test.safetensors": (1, 32),
                "tokens-extra.safetensors": (1, 32),
            },
        )
        self.make(data, "--splits", "test")
        self.assertEqual(load_file(self.output)["labels"].shape, (1, 32))

    def test_saved_data_sets(self):
        data = self.folder / "saved"
        table = pyarrow.Table.from_pylist(ROWS)
        for split in ("train", "test"):
            (data / split).mkdir(parents=True)
            with pyarrow.ipc.new_stream(str(data / split / "data-00000-of-00001.arrow"), table.schema) as sink:
                sink.write_table(table)
            (data / split / "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}')
        (data / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
        self.assert_same(data / "train")
        self.make(data)
        self.assertEqual(load_file(self.folder / "tokens-train.safetensors")["labels"].shape, (2, 32))


class Reports(Case):
    def test_json_and_metadata(self):
        code, out, _ = self.run_zpdata(
            self.write_rows(ROWS),
            "--tokenizer",
            TOKENIZER,
            "--packing",
            "--max_length=40",
            "--json",
            "-o",
            self.output,
        )
        self.assertEqual(code, 0)
        (report,) = json.loads(out)
        tensors = load_file(self.output)
        self.assertEqual(report["tokens"], int((tensors["segment_ids"] >= 0).sum()))
        self.assertEqual(report["counted"], int((tensors["labels"][:, 1:] >= 0).sum()))
        self.assertEqual(report["padding"] + report["tokens"], tensors["labels"].size)
        metadata = self.metadata()
        self.assertEqual(
            (metadata["packing"], metadata["max_length"], metadata["chat_template_format"]), ("bfd", "40", "none")
        )
        self.assertEqual(metadata["rows"], str(len(tensors["labels"])))

    def test_the_same_input_makes_the_same_bytes(self):
        words = [self.write_rows(ROWS), "--tokenizer", TOKENIZER, "-o", self.output]
        self.run_zpdata(*words)
        first = self.output.read_bytes()
        self.run_zpdata(*words)
        self.assertEqual(self.output.read_bytes(), first)

    def test_show(self):
        chat = [{"role": "user", "content": "open"}, {"role": "assistant", "content": "key"}]
        self.tokens(
            [{"messages": chat}, {"messages": chat[:1]}],
            "--completion_only_loss",
            "true",
            "--chat_template_format",
            "chatml",
            "--packing",
            "--max_length",
            32,
        )
        code, out, _ = self.run_zpdata("show", self.output, "--row", 0)
        self.assertEqual(code, 0)
        self.assertIn("2 documents", out)
        self.assertIn("<s>⟦<|im_start|>user\nopen<|im_end|>\n<|im_start|>assistant\nkey<|im_end|>\n⟧", out)
        code, out, _ = self.run_zpdata("show", self.output, "--json")
        document = json.loads(out)["documents"][0]
        self.assertEqual([span["counted"] for span in document["spans"]], [False, True])
        self.assertEqual(sum(span["tokens"] for span in document["spans"]), document["tokens"])


if __name__ == "__main__":
    unittest.main()
