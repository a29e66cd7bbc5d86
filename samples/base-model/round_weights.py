#!/usr/bin/env python3
"""Rounds a model's float32 weights to bfloat16: full-parameter runs save their masters, twice the size of what the model computes with.

    round_weights.py out/model.safetensors -o model/model.safetensors
"""

import argparse
import pathlib

from make_model import bfloat16
from safetensors import TensorSpec, safe_open, serialize_file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    arguments = parser.parse_args()

    with safe_open(arguments.weights, framework="numpy") as file:
        # The tensors stay alive here: a TensorSpec only points at its bytes.
        tensors = {name: bfloat16(file.get_tensor(name)) for name in file.keys()}
    specs = {
        name: TensorSpec(dtype="bfloat16", shape=tensor.shape, data_ptr=tensor.ctypes.data, data_len=tensor.nbytes)
        for name, tensor in tensors.items()
    }
    serialize_file(specs, str(arguments.output), {"format": "pt"})
    arguments.output.chmod(0o644)  # serialize_file gives it to its owner alone
    print(f"{arguments.output}: {arguments.output.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
