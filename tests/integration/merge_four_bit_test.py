#!/usr/bin/env python3
"""`zprun merge --requantize true` against PEFT's merge of a model in 4 bits, and against `zprun quantize`.

    merge_four_bit_test.py [--bin DIR]

peft      tests/golden/merge/four_bit holds PEFT's weights after such a merge (README.md there): the same tensors, dtypes, shapes and
          states; of the codes at most one in a thousand another one, scales within 1e-6: PEFT's sums add up in another order.
          Everything else is the base's, byte for byte, config.json too.
exact     the sum in fp32, by `zprun merge --dtype float32`, quantized by `zprun quantize`: the same bytes.
untouched what an adapter leaves alone is the base's, whatever its codes are labelled as, and the result is read as any model.
files     shards hold what one file does.
loss      what comes out is read as any model in 4 bits, and has learnt what the adapter has.
memory    a model of many tensors is merged in the memory of one.
refused   a base that has no 4 bits, a dtype beside them, an adapter that is broken: one coded line, no model.

A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import json
import subprocess
import sys

import numpy as np
from merge_test import CASES, MERGED, PEAK, Bench, header, lora_files, model_files
from safetensors.numpy import load_file, save_file

from support import pipeline, tools
from support.golden_case import find_cases

QUANTIZED = {  # as tests/golden/merge/make_merged.py does
    "llama_gqa_bf16": "--bnb_4bit_quant_type nf4 --use_nested_quant true --bnb_4bit_compute_dtype bfloat16 --dtype bfloat16".split(),
}
KEEP = ["--requantize", "true"]


def raw(folder):
    """{name: (dtype, shape, bytes)} of a model's files, or of a file."""
    found = {}
    for path in sorted(folder.glob("model*.safetensors")) if folder.is_dir() else [folder]:
        entries, data = header(path)
        for name, entry in entries.items():
            if name != "__metadata__":
                begin, end = entry["data_offsets"]
                found[name] = (entry["dtype"], entry["shape"], data[begin:end])
    return found


def base_of(bench, name):
    """The case and its model in 4 bits."""
    case = find_cases(CASES, [name])[0]
    if name not in QUANTIZED:
        return case, case.model
    out = bench.work / f"{name}-4bit"
    if not out.exists():
        words = [bench.chosen.bin / "zprun", "quantize", "--model", case.model, "-o", out, *QUANTIZED[name], "--quiet"]
        tools.call(words, bench.chosen.timeout)
    return case, out


def nibbles(data):
    values = np.frombuffer(data, np.uint8)
    return np.concatenate([values >> 4, values & 15])


def differs(name, ours, theirs):
    """What is wrong with a tensor, or an empty text."""
    if ours[:2] != theirs[:2] and ".quant_state." not in name:
        return f"{ours[:2]}, expected {theirs[:2]}"
    a, b = ours[2], theirs[2]
    if name.endswith(".weight"):
        share = (nibbles(a) != nibbles(b)).mean()
        return f"{share:.1%} of the codes are others" if share > 1e-3 else ""
    if name.endswith("quant_map"):
        return "" if a == b else "another map"
    if ".quant_state." in name:
        a, b = json.loads(a), json.loads(b)
        close = np.isclose(a.pop("nested_offset", 0), b.pop("nested_offset", 0), rtol=1e-6)
        return "" if close and a == b else f"{a}, expected {b}"
    if ours[0] == "U8":
        steps = np.abs(np.frombuffer(a, np.uint8).astype(int) - np.frombuffer(b, np.uint8))
        return f"{(steps > 0).sum()} of {len(steps)} scales have another code" if steps.max() > 1 or (steps > 0).sum() > 1 else ""
    return "" if np.allclose(np.frombuffer(a, np.float32), np.frombuffer(b, np.float32), rtol=1e-5, atol=0) else "other scales"


def peft(bench, tally):
    for path in sorted((MERGED / "four_bit").glob("*.safetensors")):
        case, base = base_of(bench, path.stem)
        out = bench.merge(base, case.adapter, *KEEP)
        ours, theirs, before = raw(out), raw(path), raw(base)
        failures = [f"{name}: {wrong}" for name in theirs if (wrong := differs(name, ours[name], theirs[name]))]
        if ours.keys() != before.keys():
            failures.append(f"tensors {sorted(ours.keys() ^ before.keys())[:3]} too many or missing")
        weights = [name for name in theirs if name.endswith(".weight")]
        same = [name for name in weights if ours[name] == before[name]]
        failures += [f"{same} haven't changed"] if same or not weights else []
        adapted = {name.split(".lora_")[0].removeprefix("base_model.model.") for name in load_file(case.adapter / "adapter_model.safetensors")}
        others = [name for name in ours if name.split(".weight")[0] not in adapted and ours[name] != before[name]]
        failures += [f"changed beside the adapter's: {others[:3]}"] if others else []
        if (out / "config.json").read_bytes() != (base / "config.json").read_bytes():
            failures.append("config.json has changed")
        equal = sum(ours[name][2] == theirs[name][2] for name in theirs)
        tally.check(f"peft {path.stem}", failures, f"{equal} of {len(theirs)} tensors have PEFT's bytes")


def exact(bench, tally):
    for name in ("llama_qlora_prequantised", "qwen2_qlora_prequantised_fp4", "llama_gqa_bf16"):
        case, base = base_of(bench, name)
        settings = json.loads((base / "config.json").read_text())["quantization_config"]
        out = bench.folder()
        words = [bench.chosen.bin / "zprun", "quantize", "--model", bench.merge(base, case.adapter, "--dtype", "float32"), "-o", out, "--quiet"]
        words += ["--bnb_4bit_quant_type", settings["bnb_4bit_quant_type"], "--bnb_4bit_quant_storage_dtype", settings["bnb_4bit_quant_storage"]]
        tools.call([*words, "--use_nested_quant", str(settings["bnb_4bit_use_double_quant"]).lower()], bench.chosen.timeout)
        ours, wanted, before = raw(bench.merge(base, case.adapter, *KEEP)), raw(out), raw(base)
        packed = {tensor.split(".weight.")[0] for tensor in before if ".weight.absmax" in tensor}  # others stay in floats
        changed = [tensor for tensor in ours if ours[tensor] != before[tensor] and tensor.split(".weight")[0] in packed]
        failures = [f"{tensor} differs" for tensor in changed if ours[tensor] != wanted[tensor]]
        weights = sum(tensor.endswith(".weight") for tensor in changed)
        tally.check(f"exact {name}", failures or ([] if weights else ["nothing has changed"]), f"{weights} weights, {len(changed)} tensors")


def untouched(bench, tally):
    for name in ("llama_qlora_prequantised", "qwen2_qlora_prequantised_fp4"):  # codes as bytes, as bf16
        case, base = base_of(bench, name)
        pair = {key: value for key, value in load_file(case.adapter / "adapter_model.safetensors").items() if "layers.0.self_attn.q_proj.lora_" in key}
        rank = next(value.shape[0] for key, value in pair.items() if "lora_A" in key)
        out, before = bench.merge(base, lora_files(bench.work / f"{name}-q", pair, r=rank), *KEEP), raw(base)
        changed = {tensor.split(".weight")[0] for tensor, value in raw(out).items() if value != before[tensor]}
        failures = [] if changed == {"model.layers.0.self_attn.q_proj"} else [f"changed: {sorted(changed)}"]
        tools.make_plan(bench.chosen.bin, ["--model", out], {"max_length": "8"}, bench.work / f"{name}-q-plan", bench.chosen.timeout)
        tally.check(f"untouched {name}", failures, f"{len(before)} tensors")


def files(bench, tally):
    case, base = base_of(bench, "llama_qlora_prequantised")
    whole, cut = bench.merge(base, case.adapter, *KEEP), bench.merge(base, case.adapter, *KEEP, "--max_shard_size", "2KB")
    index = json.loads((cut / "model.safetensors.index.json").read_text())["weight_map"]
    failures = [] if raw(whole) == raw(cut) else ["shards hold other tensors than one file"]
    tiny = bench.merge(base, case.adapter, *KEEP, "--max_shard_size", 100)  # what stands beside codes comes before them
    failures += [] if raw(tiny) == raw(whole) else ["shards of a tensor hold other tensors than one file"]
    failures += [] if index.keys() == raw(whole).keys() else ["the index names other tensors"]
    tally.check("files", failures, f"{len(set(index.values()))} shards")


def loss(bench, tally):
    case, base = base_of(bench, "llama_qlora_prequantised")
    flags = pipeline.import_flags(case, pipeline.Job(bench.chosen.bin, 1, 0, timeout=bench.chosen.timeout))
    trained = pipeline.run(case, pipeline.Job(bench.chosen.bin, 1, 0, timeout=bench.chosen.timeout), bench.work / "trained")
    out = bench.merge(base, trained, *KEEP)
    plan = tools.make_plan(bench.chosen.bin, ["--model", base, "--adapter_name_or_path", trained], flags, bench.work / "both", bench.chosen.timeout)
    merged = tools.make_plan(bench.chosen.bin, ["--model", out, "--lora_r", 1], flags, bench.work / "merged", bench.chosen.timeout)

    def taken(plan, model, *more):
        words = [bench.chosen.bin / "zprun", "eval", plan, "--model", model, "--dataset", case.tokens, *more, "--quiet"]
        said = tools.call(words, bench.chosen.timeout)
        return json.loads([line for line in said.splitlines() if line.startswith("{")][-1])["loss"]

    both, alone = taken(plan, base, "--adapter_name_or_path", trained), taken(plan, base, "--adapter", "off")
    once = taken(merged, out, "--adapter", "off")
    good = both < alone and abs(once - both) < (alone - both) / 4
    figures = f"{once:.4f} in 4 bits, {both:.4f} of base and adapter, {alone:.4f} of the base"
    tally.check("loss", [] if good else [f"{figures}, expected the first near the second"], figures)


def memory(bench, tally):
    """32 weights of 4 MiB of codes."""
    draw, shape = np.random.default_rng(1), (4096, 2048)
    elements = shape[0] * shape[1]
    state = json.dumps({"quant_type": "nf4", "blocksize": 64, "dtype": "bfloat16", "shape": list(shape)})
    codes, scales = draw.integers(0, 256, (elements // 2, 1), dtype=np.uint8), np.full(elements // 64, 0.02, np.float32)
    known = load_file(base_of(bench, "llama_qlora_prequantised")[1] / "model.safetensors")
    quant_map = next(tensor for name, tensor in known.items() if name.endswith(".quant_map"))
    names = [f"model.layers.{i}.mlp.down_proj" for i in range(32)]
    tensors = {}
    for name in names:
        tensors |= {f"{name}.weight": codes, f"{name}.weight.absmax": scales, f"{name}.weight.quant_map": quant_map}
        tensors[f"{name}.weight.quant_state.bitsandbytes__nf4"] = np.frombuffer(state.encode(), np.uint8)
    model = model_files(bench.work / "large", tensors, quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True})
    pairs = {}
    for name in names:
        pairs[f"base_model.model.{name}.lora_A.weight"] = np.full((2, shape[1]), 0.01, np.float32)
        pairs[f"base_model.model.{name}.lora_B.weight"] = np.full((shape[0], 2), 0.01, np.float32)
    adapter = lora_files(bench.work / "large-adapter", pairs)
    words = bench.words(model, adapter, bench.folder(), *KEEP)
    done = subprocess.run([sys.executable, "-c", PEAK, *words], capture_output=True, text=True)
    peak, limit = int(done.stdout.split()[-1]) if done.returncode == 0 else 0, 64 << 20
    failures = [] if 0 < peak < limit else [f"{peak >> 20} MiB, expected less than {limit >> 20}: {done.stderr[-200:]}"]
    tally.check("memory", failures, f"{peak >> 20} MiB for a model of {sum(t.nbytes for t in tensors.values()) >> 20} MiB")


def refused(bench, tally):
    case, base = base_of(bench, "llama_qlora_prequantised")
    floats = find_cases(CASES, ["llama_gqa_fp32"])[0]
    tensors = load_file(case.adapter / "adapter_model.safetensors")
    tensors[next(name for name in tensors if name.endswith("lora_B.weight"))][0, 0] = np.inf
    broken = bench.work / "broken"
    broken.mkdir()
    save_file(tensors, broken / "adapter_model.safetensors")
    (broken / "adapter_config.json").write_bytes((case.adapter / "adapter_config.json").read_bytes())
    for label, model, adapter, more, code, number, says in (
        ("a base in floats", floats.model, floats.adapter, [], 2, "1001", "has no weight in 4 bits"),
        ("a dtype", base, case.adapter, ["--dtype", "bfloat16"], 2, "1001", "--requantize"),
        ("not a number", base, broken, [], 5, "4001", "of the merged weight is"),
    ):
        out = bench.folder()
        done = subprocess.run(bench.words(model, adapter, out, *KEEP, *more), capture_output=True, text=True)
        lines = done.stderr.splitlines()
        good = done.returncode == code and len(lines) == 1 and lines[0].startswith(f"error[ZP{number}]") and says in lines[0]
        failures = [] if good else [f"exit {done.returncode}: {done.stderr[-300:]}, expected {code}, ZP{number} and '{says}'"]
        failures += [f"left {sorted(path.name for path in out.iterdir())}"] if out.exists() else []
        tally.check(f"refused: {label}", failures, says)


if __name__ == "__main__":
    sys.exit(tools.run_parts(__doc__, "merge-four-bit", Bench, (peft, exact, untouched, files, loss, memory, refused)))
