"""Writing a file that is whole or not there."""

import contextlib
import os
import pathlib

from .errors import ZpError, diskError


@contextlib.contextmanager
def wholeFile(path):
    """A file for bytes, which gets its name when all of them are on the disk; until then, and if something fails, nothing
    changes. A link stays one: the file that it points at is written."""
    part = None
    try:
        target = pathlib.Path(os.path.realpath(path))
        refuseOthers(path, target)
        part = target.with_name(target.name + f".part{os.getpid()}")
        with open(part, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except OSError as error:
        raise diskError(pathlib.Path(path), error) from None
    finally:
        if part:
            with contextlib.suppress(OSError):
                part.unlink()


def refuseOthers(path, target):
    """A new file that takes the name of a device or a pipe would leave none there."""
    if target.is_symlink():
        what = "a link that leads back to itself"
    elif target.is_dir():
        what = "a directory"
    elif target.exists() and not target.is_file():
        what = "a device or a pipe"
    else:
        return
    raise ZpError("DiskWrite", path, f"is {what}, expected a file or a name that is free; choose another with -o")
