"""reshape_activation.py PLAN OUT ROWS COLUMNS: swaps the dims of the first tensor of that shape and seals the plan again. Bytes,
buffers and their order stay what they were: only the kernels that take the tensor can tell."""

import struct
import sys

MASK = (1 << 64) - 1
P1, P2, P3, P4, P5 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5


def rotate(x, n):
    return ((x << n) | (x >> (64 - n))) & MASK


def round_(lane, word):
    return rotate((lane + word * P2) & MASK, 31) * P1 & MASK


def xxh64(data):
    """The checksum of plan files: XXH64, seed 0."""
    at, size = 0, len(data)
    if size >= 32:
        lanes = [(P1 + P2) & MASK, P2, 0, -P1 & MASK]
        for at in range(0, size - 31, 32):
            lanes = [round_(lane, word) for lane, word in zip(lanes, struct.unpack_from("<4Q", data, at))]
        at += 32
        mixed = sum(rotate(lane, n) for lane, n in zip(lanes, (1, 7, 12, 18))) & MASK
        for lane in lanes:
            mixed = ((mixed ^ round_(0, lane)) * P1 + P4) & MASK
    else:
        mixed = P5
    mixed = (mixed + size) & MASK
    while at + 8 <= size:
        mixed = (rotate(mixed ^ round_(0, struct.unpack_from("<Q", data, at)[0]), 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= size:
        mixed = (rotate(mixed ^ struct.unpack_from("<I", data, at)[0] * P1 & MASK, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        mixed = rotate(mixed ^ byte * P5 & MASK, 11) * P1 & MASK
    mixed = (mixed ^ mixed >> 33) * P2 & MASK
    mixed = (mixed ^ mixed >> 29) * P3 & MASK
    return mixed ^ mixed >> 32


def main():
    plan, out, rows, columns = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    whole = open(plan, "rb").read()
    head, payload = bytearray(whole[:64]), whole[64:]
    assert struct.unpack_from("<QQ", head, 16) == (len(payload), xxh64(payload)), "this script knows another frame"
    dims = struct.pack("<Iqq", 2, rows, columns)
    assert dims in payload, f"no tensor of {rows} by {columns}"
    payload = payload.replace(dims, struct.pack("<Iqq", 2, columns, rows), 1)
    struct.pack_into("<Q", head, 24, xxh64(payload))
    open(out, "wb").write(head + payload)


main()
