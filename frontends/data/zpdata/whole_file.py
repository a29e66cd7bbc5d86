"""Writing a file that is whole or not there."""

import contextlib
import os
import pathlib

from .errors import diskError


@contextlib.contextmanager
def wholeFile(path):
    """A file for bytes, which gets its name when all of them are on the disk; until then, and if something fails, nothing
    changes."""
    path = pathlib.Path(path)
    part = path.with_name(path.name + f".part{os.getpid()}")
    try:
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except OSError as error:
        raise diskError(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
