#!/usr/bin/env python3
"""`zprun merge` against PEFT's merge_and_unload, and against itself: the merged model computes what base and adapter did.

    merge_test.py [--bin DIR]

peft      tests/golden/merge holds PEFT's merged weights (its README): fp32 within 2e-6 of the largest element, 16 bits within one
          step of the last place, and nothing else of the model touched; safe_merge too.
loss      `zprun eval` of the merged model gives the loss of base and adapter: 1e-6 in fp32.
shapes    resized embeddings, a tied head that stays tied or gets its own, weights kept transposed: by numpy's product.
names     those of the hub, the embedding's other names, a head that is saved though it is tied, what PEFT saves twice.
files     shards and their index, config, tokenizer; nothing but what a model has; the base is left alone.
memory    a model of many tensors is merged in the memory of one.
refused   what isn't plain LoRA, another base, a cut file, a full disk: one coded line, and no model under a final name.

A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from support import pipeline, tools
from support.golden_case import find_cases

CASES = tools.ROOT / "tests/golden/cases"
MERGED = tools.ROOT / "tests/golden/merge"
HEAD, EMBEDDING = "lm_head.weight", "model.embed_tokens.weight"


def header(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def read(path):
    """{name: (dtype, shape, fp32 values)}: numpy has no bf16."""
    entries, data = header(path)
    tensors = {}
    for name, entry in entries.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        raw = data[begin:end]
        if entry["dtype"] == "BF16":
            values = (np.frombuffer(raw, np.uint16).astype(np.uint32) << 16).view(np.float32)
        else:
            values = np.frombuffer(raw, {"F32": np.float32, "F16": np.float16, "U8": np.uint8}[entry["dtype"]])
        tensors[name] = (entry["dtype"], entry["shape"], values.reshape(entry["shape"]).astype(np.float32))
    return tensors


class Bench:
    def __init__(self, chosen, work):
        self.chosen, self.work, self.number = chosen, work, 0

    def words(self, model, adapter, out, *flags):
        words = [self.chosen.bin / "zprun", "merge", "--model", model, "--adapter_name_or_path", adapter, "-o", out]
        return [str(word) for word in [*words, "--quiet", *flags]]

    def folder(self):
        self.number += 1
        return self.work / f"out{self.number}"

    def merge(self, model, adapter, *flags):
        out = self.folder()
        tools.call(self.words(model, adapter, out, *flags), self.chosen.timeout)
        return out


def against_peft(bench, tally):
    for path in sorted(MERGED.glob("*.safetensors")):
        case = find_cases(CASES, [path.stem])[0]
        theirs, base = read(path), read(case.model / "model.safetensors")
        safe = {name for name in theirs if name.startswith("safe_merge/")}
        for flags, wanted in (
            ([], {name: theirs[name] for name in theirs.keys() - safe}),
            (["--safe_merge", "true"], {name.removeprefix("safe_merge/"): theirs[name] for name in safe}),
        ):
            if not wanted:
                continue
            ours = read(bench.merge(case.model, case.adapter, *flags) / "model.safetensors")
            failures, worst, unequal, count = [], 0.0, 0, 0
            for name, (dtype, shape, values) in wanted.items():
                if name not in ours or ours[name][:2] != (dtype, shape):
                    failures.append(f"{name}: {ours.get(name, ['absent'])[:2]}, expected {dtype} {shape}")
                    continue
                away = np.abs(ours[name][2] - values)
                limit = 2e-6 * np.abs(values).max() if dtype == "F32" else np.abs(values) * 2.0**-7 + 1e-30
                worst, unequal, count = max(worst, float(away.max())), unequal + int((away > 0).sum()), count + away.size
                if not (away <= limit).all():
                    failures.append(f"{name}: {away.max():.1e} from PEFT's")
            if dtype != "F32" and unequal > count / 1000:
                failures.append(f"{unequal} of {count} elements are rounded otherwise than PEFT's")
            kept = [name for name in ours if name in base and base[name][0] == ours[name][0] and "layers.0." not in name]
            changed = {name for name in kept if not np.array_equal(ours[name][2], base[name][2])}
            if changed - wanted.keys():
                failures.append(f"changed beside PEFT's: {sorted(changed - wanted.keys())[:3]}")
            if [name for name in ours if ".absmax" in name or "quant" in name]:
                failures.append("tensors of 4 bits are left")
            figures = f"{len(wanted)} tensors, {worst:.1e} from PEFT's, {unequal} of {count} elements differ"
            tally.check(" ".join([path.stem, *flags]), failures, figures)


def same_loss(bench, tally):
    for name in ("qwen3_patterns", "llama_tied_modules_to_save", "llama_qlora_prequantised"):
        case = find_cases(CASES, [name])[0]
        place = bench.work / f"{name}-loss"
        job = pipeline.Job(bench.chosen.bin, 1, 0, timeout=bench.chosen.timeout)
        flags = pipeline.import_flags(case, job)
        plan = tools.make_plan(
            bench.chosen.bin,
            ["--model", case.model, "--adapter_name_or_path", case.adapter],
            flags,
            place,
            bench.chosen.timeout,
        )
        out = bench.merge(case.model, case.adapter)
        flags = {key: value for key, value in flags.items() if "4bit" not in key}
        merged = tools.make_plan(
            bench.chosen.bin, ["--model", out, "--lora_r", 1], flags, place / "merged", bench.chosen.timeout
        )

        def loss(plan, model, *more):
            words = [bench.chosen.bin / "zprun", "eval", plan, "--model", model, "--dataset", case.tokens, *more, "--quiet"]
            said = tools.call(words, bench.chosen.timeout)
            return json.loads([line for line in said.splitlines() if line.startswith("{")][-1])["loss"]

        both = loss(plan, case.model, "--adapter_name_or_path", case.adapter)
        base = loss(plan, case.model, "--adapter", "off")
        once = loss(merged, out, "--adapter", "off")
        away = abs(once - both) / both
        failures = [] if away <= 1e-6 else [f"loss {once} of the merged model, {both} of base and adapter"]
        if abs(base - both) / both < 1e-3:
            failures.append("the adapter changes nothing")
        tally.check(f"{name} loss", failures, f"{once:.7f}, {away:.1e} from base and adapter's (base alone {base:.4f})")


def lora_files(folder, tensors, **config):
    folder.mkdir(parents=True)
    save_file(tensors, folder / "adapter_model.safetensors")
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 3, **config}))
    return folder


def model_files(folder, tensors, **config):
    folder.mkdir(parents=True)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps({"architectures": ["LlamaForCausalLM"], **config}))
    return folder


def by_numpy(bench, tally):
    draw = np.random.default_rng(5)

    def matrix(*shape):
        return draw.standard_normal(shape).astype(np.float32)

    q = "model.layers.0.self_attn.q_proj"
    prefix = "base_model.model."
    a, b = matrix(2, 5), matrix(7, 2)
    pair = {f"{prefix}{q}.lora_A.weight": a, f"{prefix}{q}.lora_B.weight": b}
    product = np.float32(1.5) * (b @ a)
    place = bench.work / "numpy"

    def check(label, out, wanted, config=()):
        found = load_file(out / "model.safetensors")
        failures = [] if found.keys() == wanted.keys() else [f"tensors {sorted(found.keys() ^ wanted.keys())} too many or missing"]
        for name in found.keys() & wanted.keys():
            if found[name].shape != wanted[name].shape or not np.allclose(found[name], wanted[name], rtol=1e-6, atol=1e-6):
                failures.append(f"{name} differs")
        settings = json.loads((out / "config.json").read_text())
        failures += [f"{key} is {settings.get(key)}, expected {value}" for key, value in dict(config).items() if settings.get(key) != value]
        tally.check(label, failures, f"{len(wanted)} tensors")

    weight, table, head = matrix(7, 5), matrix(11, 5), matrix(11, 5)
    free = model_files(place / "free", {f"{q}.weight": weight, EMBEDDING: table, HEAD: head}, vocab_size=11)
    adapter = lora_files(place / "plain", pair)
    check("numpy: plain", bench.merge(free, adapter), {f"{q}.weight": weight + product, EMBEDDING: table, HEAD: head})

    transposed = model_files(place / "transposed", {f"{q}.weight": weight.T.copy()}, model_type="gpt2")
    fan = lora_files(place / "fan", pair, fan_in_fan_out=True)
    check("numpy: fan_in_fan_out", bench.merge(transposed, fan), {f"{q}.weight": (weight + product).T})
    out = bench.merge(free, fan)  # PEFT resets it for what isn't Conv1D
    check("numpy: fan_in_fan_out of a linear", out, {f"{q}.weight": weight + product, EMBEDDING: table, HEAD: head})

    big, bigger = matrix(16, 5), matrix(16, 5)
    grown = {f"{prefix}{EMBEDDING}": big, f"{prefix}{HEAD}": bigger}
    out = bench.merge(free, lora_files(place / "grown", {**pair, **grown}))
    check("numpy: resized", out, {f"{q}.weight": weight + product, EMBEDDING: big, HEAD: bigger}, {"vocab_size": 16})

    tied = model_files(place / "tied", {f"{q}.weight": weight, EMBEDDING: table}, vocab_size=11, tie_word_embeddings=True)
    out = bench.merge(tied, lora_files(place / "both", {**pair, f"{prefix}{EMBEDDING}": big, f"{prefix}{HEAD}": big}))
    check("numpy: resized and tied", out, {f"{q}.weight": weight + product, EMBEDDING: big}, {"vocab_size": 16, "tie_word_embeddings": True})

    out = bench.merge(tied, lora_files(place / "head", {**pair, f"{prefix}{HEAD}": head}))
    wanted = {f"{q}.weight": weight + product, EMBEDDING: table, HEAD: head}
    check("numpy: a tied head of its own", out, wanted, {"tie_word_embeddings": False})
    ea, eb = matrix(2, 11), matrix(5, 2)
    embedding = "model.embed_tokens"
    out = bench.merge(
        tied,
        lora_files(place / "embedding", {f"{prefix}{embedding}.lora_embedding_A": ea, f"{prefix}{embedding}.lora_embedding_B": eb}),
    )
    wanted = {f"{q}.weight": weight, EMBEDDING: table + np.float32(1.5) * (eb @ ea).T, HEAD: table}
    check("numpy: an adapted embedding leaves the head it was tied to", out, wanted, {"tie_word_embeddings": False})
    out = bench.merge(free, place / "plain", "--dtype", "float16")
    entries, _ = header(out / "model.safetensors")
    kinds = {entry["dtype"] for name, entry in entries.items() if name != "__metadata__"}
    named = json.loads((out / "config.json").read_text()).get("dtype")
    tally.check("--dtype", [] if kinds == {"F16"} and named == "float16" else [f"{kinds}, dtype {named}"], "float16")


def names(bench, tally):
    """What is named otherwise than the adapter names it. A weight [7, 5] of a linear, 11 tokens that the adapter makes 16."""
    draw = np.random.default_rng(6)

    def matrix(*shape):
        return draw.standard_normal(shape).astype(np.float32)

    prefix, place = "base_model.model.", bench.work / "names"
    a, b, weight, table, head, big = matrix(2, 5), matrix(7, 2), matrix(7, 5), matrix(11, 5), matrix(11, 5), matrix(16, 5)
    merged = weight + np.float32(1.5) * (b @ a)

    def merge(label, family, model, adapter, wanted, tie=None, rows=11, **config):
        """`adapter`: whole tensors and more, beside the linear's pair. `tie`: what config.json says in the end."""
        linear = {"llama": "model.layers.0.self_attn.q_proj", "bart": "model.encoder.layers.0.fc1", "t5": "encoder.block.0.layer.0.SelfAttention.q"}[family]
        pair = {f"{prefix}{linear}.lora_A.weight": a, f"{prefix}{linear}.lora_B.weight": b}
        inner = linear.removeprefix("model.") if config.pop("hub", False) else linear
        base = model_files(place / label / "model", {f"{inner}.weight": weight, **model}, vocab_size=11, model_type=family, **config)
        whole = {prefix + name: tensor for name, tensor in adapter.items()}
        out = bench.merge(base, lora_files(place / label / "adapter", {**pair, **whole}))
        found, wanted = load_file(out / "model.safetensors"), {f"{inner}.weight": merged, **wanted}
        failures = [] if found.keys() == wanted.keys() else [f"tensors {sorted(found.keys() ^ wanted.keys())} too many or missing"]
        for name in found.keys() & wanted.keys():
            if found[name].shape != wanted[name].shape or not np.allclose(found[name], wanted[name], rtol=1e-6, atol=1e-6):
                failures.append(f"{name} differs")
        said = json.loads((out / "config.json").read_text())
        if (said["vocab_size"], said.get("tie_word_embeddings")) != (rows, tie):
            failures.append(f"config.json says {said}")
        tally.check(f"names: {label}", failures, f"{len(wanted)} tensors")

    shared, tokens = "model.shared.weight", ".embed_tokens.weight"
    both, stacks = {shared: big, HEAD: big}, ("model.encoder" + tokens, "model.decoder" + tokens)
    merge("of the hub", "llama", {"embed_tokens.weight": table}, {}, {"embed_tokens.weight": table}, hub=True)
    out = {"shared.weight": big, "encoder" + tokens: big}
    merge("of the hub, resized", "bart", {"shared.weight": table, "encoder" + tokens: table}, both, out, rows=16, hub=True)
    merge("others of the embedding", "bart", {shared: table, **dict.fromkeys(stacks, table)}, both, {shared: big, **dict.fromkeys(stacks, big)}, rows=16)
    bias = np.arange(11, dtype=np.float32)[None]
    wanted = {shared: big, "final_logits_bias": np.pad(bias, ((0, 0), (0, 5)))}
    merge("the bias of logits", "bart", {shared: table, "final_logits_bias": bias}, both, wanted, rows=16)
    few = table[:6].copy()
    wanted = {shared: few, "final_logits_bias": bias[:, :6]}
    merge("fewer tokens", "bart", {shared: table, "final_logits_bias": bias}, {shared: few, HEAD: few}, wanted, rows=6)
    # By tie_word_embeddings BART's stacks, too, have the shared embedding; T5's scale the head's input.
    wanted = {shared: table, HEAD: head, **dict.fromkeys(stacks, table)}
    merge("BART's own head", "bart", {shared: table}, {HEAD: head}, wanted, tie=False, tie_word_embeddings=True)
    merge("T5's own head", "t5", {"shared.weight": table}, {HEAD: head}, {"shared.weight": table, HEAD: head}, tie=True, tie_word_embeddings=True)
    twice = {EMBEDDING: table, HEAD: table}
    both = {EMBEDDING: big, HEAD: big}
    merge("a tied head that is saved", "llama", twice, both, both, tie=True, rows=16, tie_word_embeddings=True)
    merge("a tied head that is saved, and gets its own", "llama", twice, {HEAD: head}, {EMBEDDING: table, HEAD: head}, tie=False, tie_word_embeddings=True)
    more = {f"lm_head.{copy}.weight": head for copy in ("modules_to_save", "original_module")}
    merge("saved twice", "llama", {EMBEDDING: table, HEAD: table + 1}, {HEAD: head, **more}, {EMBEDDING: table, HEAD: head})
    c, d = matrix(2, 5), matrix(16, 2)
    wrapped = {"lm_head.base_layer.weight": big, "lm_head.lora_A.weight": c, "lm_head.lora_B.weight": d}
    wanted = {EMBEDDING: big, HEAD: big + np.float32(1.5) * (d @ c)}
    changed = {**wrapped, "lm_head.base_layer.weight": head, "lm_head.lora_B.weight": matrix(11, 2)}
    sums = {EMBEDDING: head, HEAD: head + np.float32(1.5) * (changed["lm_head.lora_B.weight"] @ c)}
    merge("half of a pair, of as many tokens", "llama", {EMBEDDING: table}, changed, sums, tie=False, tie_word_embeddings=True)
    merge("half of a pair", "llama", {EMBEDDING: table}, wrapped, wanted, tie=False, rows=16, tie_word_embeddings=True)
    says = "model.embed_tokens.weight has 11 rows and lm_head.weight 16, expected as many of both"
    own = {shared: table, HEAD: head, **{name: table + 1 for name in stacks}}
    for label, family, model, adapter, words in (
        ("half of no pair", "llama", {EMBEDDING: table, HEAD: head}, wrapped, says),
        ("a head of more tokens alone", "llama", {EMBEDDING: table}, {HEAD: big}, says),
        ("tables of each stack", "bart", own, {shared: big, HEAD: big}, "model.decoder.embed_tokens.weight has other values than that"),
    ):
        try:
            merge(label, family, model, adapter, {})
            failures = ["it is merged"]
        except pipeline.StageFailed as problem:
            failures = [] if problem.code == 2 and words in str(problem) else [str(problem)]
        tally.check(f"names: {label}", failures)


def rounding(bench, tally):
    """PEFT adds to an embedding of 16 bits what was rounded to them, to other weights what wasn't. T5's wo it has in fp32."""
    draw = np.random.default_rng(7)
    a, b, table = (draw.standard_normal(shape).astype(np.float32) for shape in ((2, 31), (20, 2), (31, 20)))
    table, product = table.astype(np.float16), np.float32(1.5) * (b @ a).T
    base = model_files(bench.work / "rounding/model", {EMBEDDING: table, HEAD: table[::-1].copy()})
    pairs = {"embed_tokens.lora_embedding_A": a, "embed_tokens.lora_embedding_B": b}
    out = bench.merge(base, lora_files(bench.work / "rounding/adapter", {f"base_model.model.model.{name}": pair for name, pair in pairs.items()}))
    found = load_file(out / "model.safetensors")[EMBEDDING]
    twice, once = ((table.astype(np.float32) + change).astype(np.float16) for change in (product.astype(np.float16).astype(np.float32), product))
    # Where the product lies on the edge between two numbers of 16 bits, the order of its sum may decide.
    missed, apart = int((found != twice).sum()), int((once != twice).sum())
    wo, weight = "encoder.block.0.layer.1.DenseReluDense.wo", table.T.copy()
    base = model_files(bench.work / "rounding/t5", {"shared.weight": table, f"{wo}.weight": weight, f"{wo}2.weight": weight}, model_type="t5")
    pairs = {f"base_model.model.{module}.lora_{side}.weight": pair for module in (wo, f"{wo}2") for side, pair in (("A", a), ("B", b))}
    kept = load_file(bench.merge(base, lora_files(bench.work / "rounding/of-t5", pairs)) / "model.safetensors")
    exact = weight.astype(np.float32) + product.T
    good = kept[f"{wo}.weight"].dtype == np.float32 and np.allclose(kept[f"{wo}.weight"], exact, rtol=1e-6, atol=1e-6)
    good &= kept[f"{wo}2.weight"].dtype == np.float16
    tally.check("T5's wo stays in fp32", [] if good else [f"{ {name: str(tensor.dtype) for name, tensor in kept.items()} }"])
    tally.check("an embedding's rounding", [] if missed <= 2 < apart else [f"{missed} of {found.size} differ"], f"{missed} differ, rounded once {apart}")


def files(bench, tally):
    case = find_cases(CASES, ["llama_sharded_bf16_ckpt"])[0]
    model, adapter = bench.work / "with-tokenizer", bench.work / "adapter-with-tokenizer"
    shutil.copytree(case.model, model)
    shutil.copytree(case.adapter, adapter)
    (model / "tokenizer.json").write_text("base")
    for name in ("spiece.model", "chat_template.jinja", "special_tokens_map.json"):
        (model / name).write_text("base")
    (model / "generation_config.json").write_text("{}")
    (adapter / "tokenizer.json").write_text("adapter")
    before = {path.name: path.read_bytes() for path in model.iterdir()}
    out = bench.merge(model, adapter, "--max_shard_size", "20KB")
    failures = [] if {path.name: path.read_bytes() for path in model.iterdir()} == before else ["the base has changed"]
    index = json.loads((out / "model.safetensors.index.json").read_text())
    shards = sorted(set(index["weight_map"].values()))
    for shard in shards:
        with safe_open(out / shard, "np") as file:
            if {name for name, where in index["weight_map"].items() if where == shard} != set(file.keys()):
                failures.append(f"{shard} holds other tensors than the index says")
    wanted = {*shards, "model.safetensors.index.json", "config.json", "generation_config.json", "tokenizer.json"}
    if {path.name for path in out.iterdir()} != wanted:
        failures.append(f"files {sorted(path.name for path in out.iterdir())}")
    if (out / "config.json").read_bytes() != before["config.json"]:
        failures.append("config.json has changed")
    if (out / "tokenizer.json").read_text() != "adapter":
        failures.append("the tokenizer isn't the adapter's")
    (adapter / "tokenizer.json").unlink()
    (adapter / "chat_template.jinja").write_text("adapter")  # which makes no tokenizer
    tools.call(bench.words(model, adapter, out), bench.chosen.timeout)  # again, in one file: the shards go
    for name, said in (("tokenizer.json", "base"), ("spiece.model", "base"), ("special_tokens_map.json", "base"), ("chat_template.jinja", "adapter")):
        if not (out / name).exists() or (out / name).read_text() != said:
            failures.append(f"{name} isn't of {said}")
    left = sorted(path.name for path in out.glob("model*"))
    if left != ["model.safetensors"]:
        failures.append(f"after a second merge: {left}")
    tally.check("files", failures, f"{len(shards)} shards")


def memory(bench, tally):
    """32 tensors of 8 MiB in a file of a quarter GiB."""
    draw = np.random.default_rng(1)
    one = draw.integers(0, 1 << 14, (2048, 2048), dtype=np.uint16).view(np.float16)
    names = [f"model.layers.{i}.mlp.down_proj" for i in range(32)]
    model = model_files(bench.work / "large", {f"{name}.weight": one for name in names})
    adapter = lora_files(
        bench.work / "large-adapter",
        {
            f"base_model.model.{name}.lora_{side}.weight": np.full(shape, 0.01, np.float32)
            for name in names
            for side, shape in (("A", (2, 2048)), ("B", (2048, 2)))
        },
    )
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *bench.words(model, adapter, bench.folder(), "--max_shard_size", "64MB")],
        capture_output=True,
        text=True,
    )
    peak = int(done.stdout.split()[-1]) if done.returncode == 0 else 0
    limit = 64 << 20
    failures = [] if 0 < peak < limit else [f"{peak >> 20} MiB, expected less than {limit >> 20}: {done.stderr[-200:]}"]
    tally.check("memory", failures, f"{peak >> 20} MiB for a model of 256 MiB")


PEAK = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def refused(bench, tally):
    case = find_cases(CASES, ["llama_gqa_fp32"])[0]

    def adapter(name, edit_config=None, edit_tensors=None):
        folder = Path(shutil.copytree(case.adapter, bench.work / f"wrong-{name}"))
        path = folder / "adapter_config.json"
        config = json.loads(path.read_text())
        config.update(edit_config or {})
        path.write_text(json.dumps(config))
        if edit_tensors:
            tensors = load_file(folder / "adapter_model.safetensors")
            edit_tensors(tensors)
            save_file(tensors, folder / "adapter_model.safetensors")
        return folder

    first = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"
    def drop(tensors): del tensors[first.format("B")]
    def nan(tensors): tensors[first.format("B")][0, 0] = np.nan
    def another(tensors): tensors[first.format("A").replace("q_proj", "x_proj")] = tensors[first.format("A")]; tensors[first.format("B").replace("q_proj", "x_proj")] = tensors[first.format("B")]
    def magnitude(tensors): tensors[first.format("A").replace(".lora_A.weight", ".lora_magnitude_vector")] = np.ones(40, np.float32)
    def narrow(tensors): tensors[first.format("A")] = tensors[first.format("A")][:, :-1].copy()

    cut = adapter("cut")
    path = cut / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    deep = adapter("deep")
    (deep / "adapter_config.json").write_text('{"r": ' + "[" * 200000 + "]" * 200000 + "}")
    large = model_files(bench.work / "large-values", {"a.weight": np.full((3, 2), 60000, np.float16), "b.weight": np.full(3, 1e5, np.float32)})
    pair = {f"base_model.model.a.lora_{side}.weight": np.full(shape, 70, np.float32) for side, shape in (("A", (2, 2)), ("B", (3, 2)))}
    larger, none = lora_files(bench.work / "larger", pair), lora_files(bench.work / "none", {name: 0 * matrix for name, matrix in pair.items()})
    absent, pickled = adapter("absent"), adapter("pickled")
    (pickled / "adapter_model.safetensors").rename(pickled / "adapter_model.bin")
    (absent / "adapter_model.safetensors").unlink()
    cases = [
        ("DoRA", adapter("dora", {"use_dora": True}), 2, "1008", "use_dora: is true"),
        ("PiSSA", adapter("pissa", {"init_lora_weights": "pissa_niter_4"}), 2, "1008", 'init_lora_weights: is "pissa_niter_4"'),
        ("OLoRA in capitals", adapter("olora", {"init_lora_weights": "OLoRA"}), 2, "1008", 'init_lora_weights: is "OLoRA"'),
        ("magnitudes", adapter("magnitude", None, magnitude), 2, "1008", "lora_magnitude_vector: is not known"),
        ("another method", adapter("ia3", {"peft_type": "IA3"}), 2, "1008", 'peft_type: is "IA3"'),
        ("another rank", adapter("rank", {"r": 4}), 2, "1008", "has rank 8"),
        ("half a pair", adapter("half", None, drop), 2, "1008", "has no lora_B beside it"),
        ("another base", adapter("base", None, another), 2, "1008", "x_proj.weight, which"),
        ("another width", adapter("narrow", None, narrow), 4, "3005", "its product with A is"),
        ("not a number", adapter("nan", None, nan), 5, "4001", "q_proj.weight: element"),
        ("a pattern", adapter("pattern", {"alpha_pattern": {"(": 3}}), 2, "1002", "is no regular expression"),
        ("a cut file", cut, 4, "3003", "adapter_model.safetensors"),
        ("settings of 200,000 levels", deep, 4, "3002", "adapter_config.json: nests deeper than 100 levels"),
        ("weights in a pickle", pickled, 4, "3001", "has its weights in adapter_model.bin, a program of Python's"),
        ("no weights", absent, 4, "3001", "adapter_model.safetensors"),
    ]  # fmt: skip
    wide = "a.weight: element 0 of the merged weight is 74700.000000, expected what float16 can hold"
    cases = [(label, case.model, folder, [], *rest) for label, folder, *rest in cases]
    cases += [
        ("a sum that 16 bits can't hold", large, larger, [], 5, "4001", wide),
        ("the same, safely", large, larger, ["--safe_merge", "true"], 5, "4001", "a.weight: element 0 of the merged weight is 7"),
        ("weights that 16 bits can't hold", large, none, ["--dtype", "float16"], 5, "4001", "b.weight: element 0 of the merged weight is 1"),
    ]
    for label, model, folder, flags, code, number, words in cases:
        out = bench.folder()
        done = subprocess.run(bench.words(model, folder, out, *flags), capture_output=True, text=True)
        lines = done.stderr.splitlines()
        good = done.returncode == code and len(lines) == 1 and lines[0].startswith(f"error[ZP{number}] ") and words in lines[0]
        failures = [] if good else [f"exit {done.returncode}: {done.stderr[-300:]}"]
        if out.exists():
            failures.append(f"left {sorted(path.name for path in out.iterdir())}")
        tally.check(f"refused: {label}", failures, re.sub(r"\S*/", "", lines[0] if lines else ""))
    same = subprocess.run(bench.words(case.model, case.adapter, case.model), capture_output=True, text=True)
    tally.check("refused: the base's own directory", [] if same.returncode == 2 and "ZP1001" in same.stderr else [same.stderr], "exit 2")
    full = subprocess.run(
        ["bash", "-c", 'ulimit -f 16; exec "$@"', "bash", *bench.words(case.model, case.adapter, bench.work / "full")],
        capture_output=True,
        text=True,
    )
    failures = [] if full.returncode == 7 and not (bench.work / "full").exists() else [f"exit {full.returncode}: {full.stderr[-200:]}"]
    tally.check("refused: a full disk", failures, "exit 7, nothing left")


if __name__ == "__main__":
    sys.exit(tools.run_parts(__doc__, "merge", Bench, (against_peft, same_loss, by_numpy, names, rounding, files, memory, refused)))
