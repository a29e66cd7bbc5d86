"""The token file: safetensors with `input_ids`, `labels`, `position_ids` and `segment_ids`, all i32 [rows, length],
and the settings in its metadata.

labels: -100 is not counted; not shifted. position_ids restart at 0 with each document of a row. segment_ids number
a row's documents from 0; -1 is padding, which is on the right, so a row's true length is the number of its
segment_ids >= 0.
"""

import contextlib
import json
import os
import pathlib

import numpy
import safetensors

from .errors import ZpError, diskError, readError

NAMES = ("input_ids", "labels", "position_ids", "segment_ids")
AT_ONCE = 1024  # rows made dense at a time, so that a file needs no more memory than its tokens


def writeTokenFile(path, rows, length, padId, metadata):
    """Rows are lists of (ids, labels) segments that together hold at most `length` tokens. The file appears under
    its name when it is whole, or not at all."""
    path = pathlib.Path(path)
    part = path.with_name(path.name + f".part{os.getpid()}")
    try:
        with open(part, "wb") as file:
            file.write(header(len(rows), length, metadata))
            for name in NAMES:
                for first in range(0, len(rows), AT_ONCE):
                    file.write(dense(name, rows[first : first + AT_ONCE], length, padId).tobytes())
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise diskError(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def header(rows, length, metadata):
    size = rows * length * 4
    entries = {
        name: {"dtype": "I32", "shape": [rows, length], "data_offsets": [i * size, (i + 1) * size]}
        for i, name in enumerate(NAMES)
    }
    text = json.dumps(
        {"__metadata__": {k: str(v) for k, v in sorted(metadata.items())}, **entries}, separators=(",", ":")
    )
    content = text.encode()
    content += b" " * (-len(content) % 8)
    return len(content).to_bytes(8, "little") + content


def dense(name, rows, length, padId):
    """One of the four tensors for some rows."""
    fill = {"input_ids": padId, "labels": -100, "position_ids": 0, "segment_ids": -1}[name]
    block = numpy.full((len(rows), length), fill, dtype="<i4")
    for line, row in zip(block, rows):
        at = 0
        for number, (ids, labels) in enumerate(row):
            end = at + len(ids)
            line[at:end] = {
                "input_ids": ids,
                "labels": labels,
                "position_ids": range(len(ids)),
                "segment_ids": number,
            }[name]
            at = end
    return block


def readRow(path, row):
    """({name: values of the row}, rows in all, metadata)."""
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            missing = [name for name in NAMES if name not in file.keys()]
            if missing:
                raise ZpError(
                    "Dataset", path, f"has no {missing[0]}, expected a file that zpdata wrote; make it with zpdata"
                )
            slices = {name: file.get_slice(name) for name in NAMES}
            rows = slices["input_ids"].get_shape()[0]
            if not 0 <= row < rows:
                raise ZpError("Usage", path, f"has no row {row}, expected 0 to {rows - 1}; choose another --row")
            return {name: part[row : row + 1][0] for name, part in slices.items()}, rows, file.metadata() or {}
    except OSError as error:
        raise readError(path, error) from None
    except safetensors.SafetensorError as error:
        raise ZpError(
            "Safetensors", path, f"is not a whole safetensors file ({error}); make it again with zpdata"
        ) from None
