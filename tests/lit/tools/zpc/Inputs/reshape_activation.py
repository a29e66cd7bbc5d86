"""reshape_activation.py PLAN OUT ROWS COLUMNS: swaps the dims of the first tensor of that shape. Bytes, buffers and their order stay
what they were: once the plan is sealed again (zp-reseal), only the kernels that take the tensor can tell."""

import struct
import sys


def main():
    plan, out, rows, columns = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    whole = open(plan, "rb").read()
    dims = struct.pack("<Iqq", 2, rows, columns)
    assert dims in whole, f"no tensor of {rows} by {columns}"
    open(out, "wb").write(whole.replace(dims, struct.pack("<Iqq", 2, columns, rows), 1))


main()
