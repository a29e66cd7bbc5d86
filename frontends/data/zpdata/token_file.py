"""The token file: safetensors with `input_ids`, `labels`, `position_ids` and `segment_ids`, all i32 [rows, length],
and the settings in its metadata. For an encoder-decoder they are the decoder's, and `source_ids`,
`source_position_ids` and `source_segment_ids`, i32 [rows, source length], are what the encoder reads.

labels: -100 is not counted; not shifted. position_ids restart at 0 with each document of a row. segment_ids number
a row's documents from 0; -1 is padding, which is on one side, so a row's true length is the number of its
segment_ids >= 0.
"""

import dataclasses
import json

import numpy
import safetensors

from .errors import ZpError, readError
from .fields import IGNORED
from .whole_file import wholeFile

NAMES = ("input_ids", "labels", "position_ids", "segment_ids")
SOURCE_NAMES = ("source_ids", "source_position_ids", "source_segment_ids")
AT_ONCE = 1 << 20  # tokens made dense at a time, a row at least, so that a file needs no more memory than its tokens


@dataclasses.dataclass
class Side:
    """Rows of an encoder or a decoder. A row is a list of (ids, labels) segments that together hold at most `length`
    tokens."""

    rows: list
    length: int
    padId: int
    names: tuple = NAMES
    padLeft: bool = False

    def dense(self, name, first, end):
        """One of the tensors for some rows."""
        kind = name.removeprefix("source_").replace("input_", "").removesuffix("_ids")
        fill = {"ids": self.padId, "labels": -100, "position": 0, "segment": -1}[kind]
        block = numpy.full((min(end, len(self.rows)) - first, self.length), fill, dtype="<i4")
        for line, row in zip(block, self.rows[first:end]):
            at = self.length - sum(len(ids) for ids, _ in row) if self.padLeft else 0
            for number, (ids, labels) in enumerate(row):
                stop = at + len(ids)
                line[at:stop] = {"ids": ids, "labels": labels, "position": range(len(ids)), "segment": number}[kind]
                at = stop
        return block


def countedIn(row):
    """Labels of a decoder's row that some token of it predicts: none is before the first."""
    return sum(int((labels != IGNORED).sum()) for _, labels in row) - int(row[0][1][0] != IGNORED)


def writeTokenFile(path, sides, metadata, further=()):
    """Sides of as many rows each, and further tensors (name, dtype, values)."""
    with wholeFile(path) as file:
        file.write(header(sides, metadata, further))
        for side in sides:
            step = max(1, AT_ONCE // max(1, side.length))
            for name in side.names:
                for first in range(0, len(side.rows), step):
                    file.write(side.dense(name, first, first + step))
        for _, _, values in further:
            file.write(values)


def header(sides, metadata, further):
    entries, end = {}, 0
    for side in sides:
        for name in side.names:
            start, end = end, end + len(side.rows) * side.length * 4
            entries[name] = {"dtype": "I32", "shape": [len(side.rows), side.length], "data_offsets": [start, end]}
    for name, dtype, values in further:
        start, end = end, end + values.nbytes
        entries[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [start, end]}
    # Words of the command line may hold bytes that are no text, which JSON can't.
    said = {key: str(value).encode(errors="replace").decode() for key, value in sorted(metadata.items())}
    text = json.dumps({"__metadata__": said, **entries}, separators=(",", ":"))
    content = text.encode()
    content += b" " * (-len(content) % 8)
    return len(content).to_bytes(8, "little") + content


def readRow(path, row):
    """({name: values of the row}, rows in all, metadata). The sides are those that the file has."""
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            names = NAMES + (SOURCE_NAMES if SOURCE_NAMES[0] in file.keys() else ())
            missing = [name for name in names if name not in file.keys()]
            if missing:
                raise ZpError(
                    "Dataset", path, f"has no {missing[0]}, expected a file that zpdata wrote; make it with zpdata"
                )
            slices = {name: file.get_slice(name) for name in names}
            rows = slices[names[0]].get_shape()[0]
            if not 0 <= row < rows:
                raise ZpError("Usage", path, f"has no row {row}, expected 0 to {rows - 1}; choose another --row")
            return {name: part[row : row + 1][0] for name, part in slices.items()}, rows, file.metadata() or {}
    except OSError as error:
        raise readError(path, error) from None
    except safetensors.SafetensorError as error:
        raise ZpError(
            "Safetensors", path, f"is not a whole safetensors file ({error}); make it again with zpdata"
        ) from None
