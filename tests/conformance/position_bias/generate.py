#!/usr/bin/env python3
"""Writes golden.inc: T5's buckets of distances, BLOOM's and Falcon's ALiBi, as transformers computes them.
generate.py > golden.inc (needs torch and transformers)"""
import torch
import transformers
from transformers.models.bloom.modeling_bloom import build_alibi_tensor as bloom_alibi
from transformers.models.falcon.modeling_falcon import build_alibi_tensor as falcon_alibi
from transformers.models.t5.modeling_t5 import T5Attention

# buckets, max_distance, bidirectional: T5's encoder and decoder, and shapes whose logarithms fall elsewhere
BUCKETS = [(32, 128, True), (32, 128, False), (8, 20, True), (7, 50, False), (2, 2, False)]
REACH = 160
POSITIONS = (0, 1, 2, 100, 255, 256, 257, 259, 319)
ALIBI_HEADS = 12


def rows(name: str, values: list[str], per_line: int = 24) -> str:
    lines = [", ".join(values[i:i + per_line]) for i in range(0, len(values), per_line)]
    return f"inline constexpr {name}[] = {{\n    " + ",\n    ".join(lines) + "};\n"


def floats(name: str, tensor: torch.Tensor) -> str:
    return rows("float " + name, [f"{float(x):.9e}f" for x in tensor.flatten()], len(POSITIONS))


def main() -> None:
    print(f"// Made by generate.py with transformers {transformers.__version__}.")
    print(f"inline constexpr int kReach = {REACH}; // distances -kReach to kReach")
    relative = torch.arange(-REACH, REACH + 1)
    for buckets, max_distance, bidirectional in BUCKETS:
        made = T5Attention._relative_position_bucket(relative, bidirectional, buckets, max_distance)
        print(rows(f"int kBuckets{buckets}{'Both' if bidirectional else 'Back'}", [str(int(x)) for x in made]), end="")
    slopes = bloom_alibi(torch.ones(1, 2, dtype=torch.long), ALIBI_HEADS, torch.float32)[:, 0, 1]  # the bias of position 1
    print(floats("kSlopes", slopes), end="")
    print(rows("int kPositions", [str(x) for x in POSITIONS]), end="")
    mask = torch.ones(1, max(POSITIONS) + 1, dtype=torch.long)
    for name, alibi in (("kBloom", bloom_alibi), ("kFalcon", falcon_alibi)):
        print(f"// [{ALIBI_HEADS} heads][positions]")
        print(floats(name, alibi(mask, ALIBI_HEADS, torch.float32)[:, 0, list(POSITIONS)]), end="")


if __name__ == "__main__":
    main()
