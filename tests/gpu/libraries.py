"""Folders for what zprun loads and the loader doesn't find by itself, as LD_LIBRARY_PATH wants them: the toolkit's, or PyTorch's packages'."""

import ctypes
import glob
import os
import sys

NAMES = ("libcudart.so.13", "libcublasLt.so.13", "libcudnn.so.9", "libnccl.so.2")
TOOLKIT = "/usr/local/cuda/lib64"


def opens(path):
    try:
        ctypes.CDLL(path)
    except OSError:
        return False
    return True


def folder_of(name):
    """The folder that has it; none where the loader finds it. The toolkit's is named: where a build looks is where the toolkit was built from."""
    if opens(name):
        return None
    if opens(os.path.join(TOOLKIT, name)):
        return TOOLKIT
    return next((os.path.dirname(found) for path in sys.path for found in glob.glob(f"{path}/nvidia/*/lib/{name}")), None)


if __name__ == "__main__":
    print(":".join(dict.fromkeys(folder for folder in map(folder_of, NAMES) if folder)))
