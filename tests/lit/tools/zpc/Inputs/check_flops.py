"""check_flops.py KERNELS.json: FLOPs of a train step of llama-20m (one row of 64 tokens, LoRA r 8 on all linears, nothing
recomputed) against the mathematics: frozen linears 4·N·T less the inputs' gradient that the first block's q, k, v don't need,
adapters 6·P·T, the head's 4·V·H·T, attention 2 and 5 products over the pairs that it sees."""

import json
import sys

step = json.load(open(sys.argv[1]))["entries"]["train_step"]
H, KV, I, V, LAYERS, T, R = 384, 128, 1152, 8192, 8, 64, 8
linears = {"q": (H, H), "k": (H, KV), "v": (H, KV), "o": (H, H), "gate": (H, I), "up": (H, I), "down": (I, H)}
frozen = sum(a * b for a, b in linears.values())
adapters = sum(R * (a + b) for a, b in linears.values())
inputs = sum(linears[name][0] * linears[name][1] for name in "qkv")
adapter_inputs = sum(R * linears[name][0] for name in "qkv")  # of A, in the first block
pairs = T * (T + 1) // 2
expected = {
    "matmul": T * (4 * frozen * LAYERS - 2 * inputs + 6 * adapters * LAYERS - 2 * adapter_inputs),
    "linear_cross_entropy": 4 * V * H * T,
    "attention": 2 * 2 * pairs * H * LAYERS,
    "attention_gradient": 2 * 5 * pairs * H * LAYERS,
}
for op, flops in expected.items():
    assert step[op]["flops"] == flops, (op, step[op]["flops"], flops)
assert sum(sums["flops"] for sums in step.values()) == sum(expected.values())
assert step["rms_norm"]["count"] == 2 * LAYERS + 1 and step["attention"]["count"] == LAYERS
print("as the mathematics has it")
