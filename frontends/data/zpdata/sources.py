"""Where rows come from: JSONL, JSON, Parquet, CSV or Arrow files, those of text compressed by gzip too.

Reading files yields (row, place) pairs in their order, where place names file and line for error messages.
"""

import csv
import gzip
import io
import json
import pathlib
import sys
import zlib

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

from .errors import ZpError, readError

def readRows(files):
    """Yields (row, place) over the files in order; a row is a dict of plain values."""
    for file in files:
        try:
            yield from READERS[suffixOf(file)](file)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise ZpError("Dataset", file, f"is damaged ({error}); make it again") from None
        except OSError as error:
            raise readError(file, error) from None
        except pyarrow.ArrowException as error:
            raise ZpError("Dataset", file, f"is damaged ({error}); make it again") from None
        except UnicodeDecodeError as error:
            raise ZpError("Dataset", file, f"is not UTF-8 text (byte {error.start}); convert it") from None


def opened(path):
    """A file's bytes, as they were before gzip."""
    return gzip.open(path) if path.suffix == ".gz" else open(path, "rb")


def readJsonLines(path):
    with opened(path) as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                place = f"{path}:{number}"
                yield checkRow(parseJson(line, place), place), place


def readJson(path):
    """A list of objects, the list under `data`, or JSON lines under the wrong name."""
    with opened(path) as file:
        content = file.read()
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
    with opened(path) as content, io.TextIOWrapper(content, encoding="utf-8-sig", newline="") as file:
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


LISTS = (pyarrow.ListType, pyarrow.LargeListType, pyarrow.FixedSizeListType)


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
        readers = {field.name: reader for field in batch.schema if (reader := jsonReader(field.type, field.name))}
        for row in batch.to_pylist():
            place = f"{path}: row {number}"
            for name, reader in readers.items():
                row[name] = reader(row[name], place)
            yield row, place
            number += 1


def jsonReader(kind, name):
    """What reads a column's values of which some are JSON texts by the schema (Arrow's type arrow.json, as `datasets` saves what has no one
    type), as a function of a value and its place; None where none is. The library reads them alike, at any depth."""
    if isinstance(kind, pyarrow.JsonType):
        return lambda value, place: None if value is None else cellJson(value, name, place)
    if isinstance(kind, pyarrow.StructType):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        parts = {field.name: part for field in fields if (part := jsonReader(field.type, f"{name}.{field.name}"))}
        return parts and (lambda value, place: value and {key: parts[key](item, place) if key in parts else item for key, item in value.items()})
    if isinstance(kind, LISTS):
        part = jsonReader(kind.value_type, name)
        return part and (lambda value, place: value and [part(item, place) for item in value])
    return None


def cellJson(text, name, place):
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        said = "is nested too deep" if isinstance(error, RecursionError) else f"is not JSON ({error})"
        raise ZpError("Dataset", place, f"{name} {said}, expected JSON, as the schema says; mend or drop the row") from None


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


TEXTS = {".jsonl": readJsonLines, ".ndjson": readJsonLines, ".json": readJson, ".csv": readCsv}
READERS = {**TEXTS, ".parquet": readParquet, ".arrow": readArrow, **{suffix + ".gz": read for suffix, read in TEXTS.items()}}
SUFFIXES = tuple(READERS)


def suffixOf(path):
    """What a name ends in when that says a known kind of file, else nothing."""
    suffixes = pathlib.PurePath(path).suffixes
    return next((end for end in ("".join(suffixes[-2:]), "".join(suffixes[-1:])) if end in READERS), "")


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
