"""What a user sees when something is wrong: one coded line and an exit code.

Codes and exit codes are those of runtime/base/error_codes.inc, which is read when an error is printed, never
restated.
"""

import errno
import os
import pathlib
import re
import sys

ERROR_CODES = pathlib.Path(__file__).resolve().parents[3] / "runtime" / "base" / "error_codes.inc"


def errorTable(path=ERROR_CODES):
    """Name -> (number, exit code), from the one table."""
    entry = re.compile(r"^ZP_ERROR\((\w+), (\d+), (\d+),", re.MULTILINE)
    return {name: (int(number), int(code)) for name, number, code in entry.findall(path.read_text())}


class ZpError(Exception):
    """A user's mistake. `name` is the code's name in the table, `place` a file or a file and line, and `what` says
    what is, what was expected, and after a semicolon how to put it right."""

    def __init__(self, name, place, what):
        super().__init__(what)
        self.name, self.place, self.what = name, place, what

    def report(self, stream=None):
        """Prints the line and returns the exit code."""
        stream = stream or sys.stderr
        number, exitCode = errorTable()[self.name]
        what = " ".join(str(self.what).split())
        print(f"{paint('31;1', f'error[ZP{number}]', stream)} {self.place}: {what}", file=stream)
        return exitCode


def diskError(path, error):
    """The ZpError for an OSError met while writing `path`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ZpError("DiskFull", path, "the disk is full; free some space or write elsewhere with -o")
    reason = error.strerror or str(error)
    return ZpError("DiskWrite", path, f"cannot be written ({reason}); choose a place that can be with -o")


def readError(path, error):
    """The ZpError for an OSError met while reading `path`."""
    reason = error.strerror or str(error)
    return ZpError("FileMissing", path, f"cannot be read ({reason}); check the path")


def paint(style, text, stream):
    """`text` in an ANSI style when `stream` is a terminal that wants colour."""
    if os.environ.get("NO_COLOR") or not stream.isatty():
        return text
    return f"\x1b[{style}m{text}\x1b[0m"


def warn(text):
    print(f"{paint('33;1', 'warning', sys.stderr)}: {' '.join(text.split())}", file=sys.stderr)
