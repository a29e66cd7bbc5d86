"""Where rows come from: a JSONL, JSON, Parquet, CSV or Arrow file, or a directory of splits.

A split is a name and a list of files; reading it yields (row, place) pairs in file order, where place names file
and line for error messages.
"""

import csv
import json
import pathlib
import re
import sys

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

from .errors import ZpError, readError

SUFFIXES = (".jsonl", ".ndjson", ".json", ".parquet", ".csv", ".arrow")
SHARD = re.compile(r"-\d{5}-of-\d{5}$")


def findSplits(dataset):
    """Split name -> files. A single file is the one split named ''."""
    path = pathlib.Path(dataset)
    if not path.exists():
        raise ZpError("FileMissing", dataset, "no such file or directory; give a data file or a directory of splits")
    if path.is_file():
        if path.suffix not in SUFFIXES:
            raise ZpError(
                "Dataset",
                dataset,
                f"is not a known kind of data file, expected one of {' '.join(SUFFIXES)}; " "convert it or rename it",
            )
        return {"": [path]}
    if (path / "state.json").exists():  # one data set written by save_to_disk
        return {"": savedFiles(path)}
    if (path / "dataset_dict.json").exists():  # several of them
        names = parseJson((path / "dataset_dict.json").read_bytes(), f"{path}/dataset_dict.json")["splits"]
        return {name: savedFiles(path / name) for name in names}
    splits = {}
    for folder in (path, path / "data"):
        for file in sorted(folder.glob("*")):
            if file.is_file() and file.suffix in SUFFIXES:
                splits.setdefault(SHARD.sub("", file.stem), []).append(file)
    for folder in sorted(path.glob("*")):
        files = sorted(f for f in folder.glob("*") if f.is_file() and f.suffix in SUFFIXES)
        if folder.is_dir() and folder.name != "data" and files:
            splits.setdefault(folder.name, []).extend(files)
    if not splits:
        raise ZpError(
            "FileMissing",
            dataset,
            f"holds no data file, expected {' '.join(SUFFIXES)} files, or a folder " "a split; check the path",
        )
    return splits


def savedFiles(folder):
    state = folder / "state.json"
    try:
        return [folder / entry["filename"] for entry in parseJson(state.read_bytes(), state)["_data_files"]]
    except OSError as error:
        raise readError(state, error) from None
    except (KeyError, TypeError):
        raise ZpError("Json", state, "lists no _data_files; save the data set again with save_to_disk") from None


def readRows(files):
    """Yields (row, place) over the files in order; a row is a dict of plain values."""
    for file in files:
        try:
            yield from READERS[file.suffix](file)
        except OSError as error:
            raise readError(file, error) from None
        except pyarrow.ArrowException as error:
            raise ZpError("Dataset", file, f"is damaged ({error}); make it again") from None
        except UnicodeDecodeError as error:
            raise ZpError("Dataset", file, f"is not UTF-8 text (byte {error.start}); convert it") from None


def readJsonLines(path):
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                place = f"{path}:{number}"
                yield checkRow(parseJson(line, place), place), place


def readJson(path):
    """A list of objects, the list under `data`, or JSON lines under the wrong name."""
    content = path.read_bytes()
    if content.lstrip()[:1] != b"[":
        try:
            whole = json.loads(content)
        except (ValueError, RecursionError):
            yield from readJsonLines(path)  # which says what is wrong, and in which line
            return
        rows = whole.get("data") if isinstance(whole, dict) else None
        rows = rows if isinstance(rows, list) else [whole]
    else:
        rows = parseJson(content, path, "a list of objects")
    for number, row in enumerate(rows):
        yield checkRow(row, f"{path}: row {number}"), f"{path}: row {number}"


def readCsv(path):
    """Every cell is text. A cell may span lines: the place is the row's first."""
    csv.field_size_limit(sys.maxsize)
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        line = 1
        try:
            width = len(reader.fieldnames or ())  # reads the heading
            line = reader.line_num + 1
            for row in reader:
                place, line = f"{path}:{line}", reader.line_num + 1
                if None in row or None in row.values():
                    raise ZpError(
                        "Dataset",
                        place,
                        f"has another number of cells than the heading, expected {width}; quote "
                        "cells that hold commas",
                    )
                yield row, place
        except csv.Error as error:
            raise ZpError("Dataset", f"{path}:{line}", f"is not CSV ({error}); quote the cell") from None


def readParquet(path):
    with pyarrow.parquet.ParquetFile(path) as file:
        yield from numbered(file.iter_batches(batch_size=1000), path)


def readArrow(path):
    with pyarrow.memory_map(str(path)) as file:
        try:
            yield from numbered(pyarrow.ipc.open_stream(file), path)
        except pyarrow.ArrowInvalid:
            reader = pyarrow.ipc.open_file(file)
            yield from numbered((reader.get_batch(i) for i in range(reader.num_record_batches)), path)


def numbered(batches, path):
    number = 0
    for batch in batches:
        for row in batch.to_pylist():
            yield row, f"{path}: row {number}"
            number += 1


def classNames(files, column):
    """The names of a column's classes, blanks for underscores, when the first file's schema says that it has classes as
    the reference's library writes them; else None."""
    schema = None
    try:
        if files[0].suffix == ".parquet":
            schema = pyarrow.parquet.read_schema(files[0])
        elif files[0].suffix == ".arrow":
            with pyarrow.memory_map(str(files[0])) as file:
                schema = pyarrow.ipc.open_stream(file).schema
    except (OSError, pyarrow.ArrowException):
        return None  # reading the rows says what is wrong
    if schema is None or b"huggingface" not in (schema.metadata or {}):
        return None
    try:
        feature = json.loads(schema.metadata[b"huggingface"])["info"]["features"][column]
        return [name.replace("_", " ") for name in feature["names"]]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return None


READERS = {
    ".jsonl": readJsonLines,
    ".ndjson": readJsonLines,
    ".json": readJson,
    ".csv": readCsv,
    ".parquet": readParquet,
    ".arrow": readArrow,
}


def parseJson(content, place, expected="an object a line"):
    try:
        return json.loads(content)
    except UnicodeDecodeError as error:
        raise ZpError("Json", place, f"is not UTF-8 text (byte {error.start}); convert it") from None
    except ValueError as error:
        raise ZpError("Json", place, f"is not JSON ({error}), expected {expected}; mend it") from None
    except RecursionError:
        raise ZpError("Json", place, f"is nested too deep to be read, expected {expected}; mend it") from None


def checkRow(row, place):
    """JSON rows must be objects."""
    if not isinstance(row, dict):
        raise ZpError(
            "Dataset",
            place,
            f"is a JSON {type(row).__name__}, expected an object with messages, prompt and "
            "completion, or text; see zpdata --help",
        )
    return row
