#!/usr/bin/env python3
"""Holds the first GPU's free memory but for so many bytes, by the driver alone, until its input ends.

    hold_memory.py BYTES        prints how many it holds, or in words why it holds none
"""

import ctypes
import sys


class Driver:
    """libcuda's functions; one that fails raises with its name."""

    def __init__(self):
        self.library = ctypes.CDLL("libcuda.so.1")

    def __getattr__(self, name):
        def call(*arguments):
            if code := getattr(self.library, name)(*arguments):
                raise OSError(f"{name}: CUDA error {code}")

        return call


def hold(but):
    driver, device, context = Driver(), ctypes.c_int(), ctypes.c_void_p()
    driver.cuInit(0)
    driver.cuDeviceGet(ctypes.byref(device), 0)
    driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), device)
    driver.cuCtxSetCurrent(context)
    free, total, memory = ctypes.c_size_t(), ctypes.c_size_t(), ctypes.c_uint64()
    driver.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
    held = max(free.value - but, 0)
    driver.cuMemAlloc_v2(ctypes.byref(memory), ctypes.c_size_t(held))
    return held


def main():
    try:
        print(hold(int(sys.argv[1])), flush=True)
    except OSError as problem:
        print(problem, flush=True)
        return
    sys.stdin.read()


if __name__ == "__main__":
    main()
