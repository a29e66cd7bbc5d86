#!/usr/bin/env python3
"""Makes fixtures.safetensors with bitsandbytes' CPU quantiser, on one thread (README.md: what it holds, versions).

generate.py            writes fixtures.safetensors
generate.py --check    quantises the committed inputs anew and compares every tensor
"""

import os
import sys
import zlib
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", CUDA_VISIBLE_DEVICES="")

import bitsandbytes  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from bitsandbytes import functional  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

FILE = Path(__file__).with_name("fixtures.safetensors")
VERSIONS = {"bitsandbytes": "0.50.2", "torch": "2.15.0"}
DTYPES = (torch.float32, torch.bfloat16, torch.float16)
# type, block size, nested
ALL_SIZES = [(t, 2**k, k % 2 == 0) for t in ("nf4", "fp4") for k in range(5, 13)]
SOME_SIZES = [("nf4", 64, True), ("nf4", 256, False), ("nf4", 2048, True), ("fp4", 64, False), ("fp4", 1024, True)]
GROUPS = [("nf4", 32, True), ("fp4", 32, True), ("nf4", 64, False)]  # more than one group of nested scales
SMALL = [("nf4", 32, False), ("nf4", 64, True), ("fp4", 32, False), ("fp4", 64, True)]


def at_bounds(quant_type):
    """Every bound between two codes and its neighbours, under scales that are and aren't powers of two."""
    values = functional.get_4bit_type(quant_type, device="cpu").double().unique().float()
    bounds = (values[1:] + values[:-1]) / 2
    around = [torch.nextafter(bounds, torch.tensor(side)) for side in (-9.0, 9.0)]
    row = torch.cat([torch.tensor([1.0]), bounds, *around])
    row = torch.nn.functional.pad(row, (0, 64 - len(row)))
    return torch.stack([row * scale for scale in (1.0, 2.0**-9, 0.7, 1.1e-3, 3.0, -1.0)])


def denormals(generator):
    """Blocks whose scale is denormal, zero, or just beside the smallest divisor, and a tail of them."""
    bits = torch.randint(0, 1 << 23, (7, 64), generator=generator, dtype=torch.int32)
    bits[1] >>= 9
    bits[2] >>= 20
    bits[3] = 0
    bits[4, 1:] >>= 3
    bits[4, 0] = 0x006CE3EE
    bits[5, 0] = 0x006CE3EF
    signs = torch.randint(0, 2, bits.shape, generator=generator, dtype=torch.int32) << 31
    return torch.cat([(bits | signs).view(torch.float32).flatten(), torch.zeros(33)])


def inputs():
    g = torch.Generator().manual_seed(4)
    normal = lambda *shape: torch.randn(*shape, generator=g) * 0.02 * (1 + torch.rand(shape[0], 1, generator=g))  # noqa: E731
    yield "odd_f32", normal(73, 113), GROUPS
    yield "whole_bf16", normal(104, 80).bfloat16(), GROUPS
    yield "tail_f16", normal(68, 122).half(), GROUPS
    for dtype in DTYPES:
        full = dtype == torch.float32
        yield f"sizes_{str(dtype)[6:]}", normal(3, 1427 if full else 701).to(dtype), ALL_SIZES if full else SOME_SIZES
        yield f"ties_nf4_{str(dtype)[6:]}", at_bounds("nf4").to(dtype), SMALL
        yield f"ties_fp4_{str(dtype)[6:]}", at_bounds("fp4").to(dtype), SMALL
    yield "denormals", denormals(g), SMALL
    yield "denormals_f16", (torch.randint(-1023, 1024, (5, 37), generator=g) * 2.0**-24).half(), SMALL
    yield "every_magnitude", torch.randn(40, 32, generator=g) * 10.0 ** torch.arange(-20, 20).view(40, 1), SMALL
    yield "equal_scales", torch.ones(260, 32, dtype=torch.bfloat16), [("nf4", 32, True)]
    yield "zeros", torch.zeros(1, 97), SMALL
    yield "one", torch.tensor([[-0.25]]), SMALL


def crc(tensor):
    """Of the bytes, with every zero positive: kernels of the reference disagree about the sign of FP4's zero."""
    return zlib.crc32((tensor.flatten() + 0.0).view(torch.uint8).numpy().tobytes())


def quantize(weight, quant_type, block_size, nested):
    packed, state = functional.quantize_4bit(weight, blocksize=block_size, quant_type=quant_type, compress_statistics=nested)
    tensors = {"": packed, **{"." + k: v for k, v in state.as_dict(packed=True).items()}}
    # From here on not what is saved with a model. A row of the whole weight, for AVX-512 kernels misread scales of several.
    crcs = []
    state.shape = torch.Size([weight.numel()])
    for dtype in DTYPES:
        state.dtype = dtype
        crcs.append(crc(functional.dequantize_4bit(packed, state)))
    tensors[".dequantized_crc32"] = torch.tensor(crcs)
    return tensors


def reprs():
    bits = np.random.default_rng(4).integers(0, 2**32, 300, dtype=np.uint32)
    floats = bits.view(np.float32)
    floats = floats[np.isfinite(floats)].astype(np.float64)
    powers = [s * m * 10.0**e for e in range(-8, 20) for m in (1, 1.25, 0.1) for s in (1, -1)]
    values = [*floats.tolist(), *powers, 0.0, -0.0, 5e-324, 1.7976931348623157e308, 0.05810278654098511]
    text = "\n".join(map(repr, values))
    return {"repr.values": torch.tensor(values, dtype=torch.float64), "repr.text": torch.tensor(list(text.encode()), dtype=torch.uint8)}


def main():
    found = {"bitsandbytes": bitsandbytes.__version__, "torch": torch.__version__.split("+")[0]}
    if found != VERSIONS:
        sys.exit(f"versions are {found}, expected {VERSIONS}")
    torch.set_num_threads(1)
    committed = load_file(FILE) if "--check" in sys.argv else None
    tensors = reprs()
    for name, weight, cases in inputs():
        weight = committed[f"{name}.weight"] if committed else weight.contiguous()
        tensors[f"{name}.weight"] = weight
        for quant_type, block_size, nested in cases:
            case = f"{name}.{quant_type}-{block_size}{'-nested' if nested else ''}"
            tensors |= {case + suffix: t for suffix, t in quantize(weight, quant_type, block_size, nested).items()}
    # The same in every case: the maps are kept once.
    for suffix in ("quant_map", "nested_quant_map"):
        for name in [n for n in tensors if n.endswith("." + suffix)]:
            short = "map." + ("dynamic" if suffix.startswith("nested") else name.split(".")[-2][:3])
            kept = tensors.setdefault(short, tensors[name])
            assert torch.equal(kept, tensors.pop(name))
    if committed is None:
        save_file({k: v.clone() for k, v in tensors.items()}, FILE, metadata=VERSIONS)
        print(f"{FILE}: {FILE.stat().st_size} bytes, {len(tensors)} tensors")
        return
    raw = lambda t: t.contiguous().flatten().view(torch.uint8)  # noqa: E731
    wrong = [n for n in tensors.keys() | committed.keys()
             if n not in tensors or n not in committed or not torch.equal(raw(tensors[n]), raw(committed[n]))]
    sys.exit(f"{sorted(wrong)} differ" if wrong else 0)


if __name__ == "__main__":
    main()
