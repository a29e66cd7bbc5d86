#!/usr/bin/env python3
"""Prints what figures were measured on: date, GPU, driver, and the libraries that plans load, by asking each. One line, for a README."""

import ctypes
import datetime

from card import smi


def asked(library, function, pointer=True):
    """A library's version as its number; None where it doesn't load."""
    try:
        loaded = ctypes.CDLL(library)
        if not pointer:
            getattr(loaded, function).restype = ctypes.c_size_t
            return int(getattr(loaded, function)())
        number = ctypes.c_int()
        return None if getattr(loaded, function)(ctypes.byref(number)) else number.value
    except (OSError, AttributeError):
        return None


def dotted(number, *steps):
    """13000 as 13.0 by steps of 1000 and 10."""
    if number is None:
        return "none"
    parts = []
    for step in steps:
        parts.append(number // step)
        number %= step
    return ".".join(map(str, parts))


def newest(names, function, pointer=True):
    return next((number for name in names if (number := asked(name, function, pointer)) is not None), None)


def main():
    cuda = dotted(asked("libcuda.so.1", "cuDriverGetVersion"), 1000, 10)
    cublas = newest([f"libcublasLt.so.{major}" for major in (14, 13, 12)], "cublasLtGetVersion", pointer=False)
    cudnn = newest(["libcudnn.so.10", "libcudnn.so.9"], "cudnnGetVersion", pointer=False)
    nccl = asked("libnccl.so.2", "ncclGetVersion")
    print(f"{datetime.date.today()}, {smi('name')}, driver {smi('driver_version')}, CUDA {cuda}, cuBLASLt {dotted(cublas, 10000, 100, 1)}, "
          f"cuDNN {dotted(cudnn, 10000, 100, 1)}, NCCL {dotted(nccl, 10000, 100, 1)}")


if __name__ == "__main__":
    main()
