#!/usr/bin/env python3
"""`zpc compile --fit` on random pairs of model and machine, against every combination of its knobs: whatever it chooses fits, what it
chooses takes at most 3 % longer than the best of all, it finds something whenever there is something, and the plan that it writes is
the one that it told of. Knobs that can't matter aren't varied, those that can are.

    plan_search_test.py [--bin DIR] [--pairs N] [--seed N]

Beside them three jobs of llama-20m: on links that take long to start, adapters are reduced in buckets; where only stage 3 fits they are
reduced once for several micro-batches; one rank has nothing to reduce.

--pairs 200 is the whole proof; a few are the test. The last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from support import tools

MODEL = tools.ROOT / "samples/configs/llama-20m"
CLOSE = 1.03
NOTHING_FITS = 3


def draw_model(rng, folder):
    """A config.json of a few small blocks, and the flags of a job on it."""
    heads = rng.choice([2, 4, 8])
    hidden = heads * rng.choice([16, 32, 64])
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "rms_norm_eps": 1e-5, "torch_dtype": "float32",
        "hidden_size": hidden, "intermediate_size": hidden * rng.choice([2, 3, 4]), "num_hidden_layers": rng.randint(2, 5),
        "num_attention_heads": heads, "num_key_value_heads": rng.choice([heads, heads // 2]), "vocab_size": rng.choice([256, 1000, 4096]),
        "max_position_embeddings": 4096, "tie_word_embeddings": rng.random() < 0.3, "rope_theta": 10000.0,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    flags = {
        "num_processes": rng.choice([1, 2, 4, 16]), "per_device_train_batch_size": rng.choice([1, 2, 4]), "max_length": rng.choice([64, 256, 1024]),
        "gradient_accumulation_steps": rng.choice([1, 1, 4]), "stage3_param_persistence_threshold": 0, "bf16": rng.choice(["true", "false"]),
        "use_peft_lora": rng.choice(["true", "true", "false"]),
    }
    if flags["use_peft_lora"] == "true":
        flags["use_4bit_quantization"] = rng.choice(["true", "false"])
    if rng.random() < 0.4:
        flags["nvme_path"] = "disk"
    return flags


def draw_machine(rng, peak, path):
    """A device whose memory holds all, some or nothing of `peak` bytes; hosts and disks that hold some or all of it too."""
    reserve = 1_500_000_000
    lines = {
        "device": rng.choice(["a100-80gb", "h200", "l4", "t4"]), "devices_per_node": rng.choice([1, 2, 8]),
        "memory": reserve + int(peak * rng.uniform(*rng.choice([(0.3, 0.7), (0.7, 1), (0.7, 1), (1, 1.3)]))), "host_link_bandwidth": f"{10 ** rng.uniform(8, 11):.4g}",
        "link_bandwidth": f"{10 ** rng.uniform(8, 11.5):.4g}", "launch_seconds": rng.choice(["0", "4e-6"]),
        "link_latency": f"{10 ** rng.uniform(-6.5, -3.5):.4g}", "network_latency": f"{10 ** rng.uniform(-5.5, -3.5):.4g}",
    }
    if rng.random() < 0.5:
        lines["host_memory"] = int(peak * rng.uniform(0.5, 20))
    if rng.random() < 0.3:
        lines["nvme"] = int(peak * rng.uniform(0.5, 20))
    path.write_text("".join(f"{key}: {value}\n" for key, value in lines.items()))


def run(words):
    """Exit code and output; any other failure than exit 3 ends the test."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode not in (0, NOTHING_FITS):
        raise SystemExit(f"{' '.join(map(str, words))}: exit {done.returncode}\n{done.stderr}")
    return done.returncode, done.stdout


def check_knobs(flags, tried):
    """What is wrong with how often gradients are reduced, and in what buckets, in a list of every combination."""
    reductions, bundled = {each["reduce_gradients"] for each in tried}, any(each["reduce_bucket_size"] > 0 for each in tried)
    several = flags["num_processes"] > 1
    problems = []
    if ("step" in reductions) != (several and flags["gradient_accumulation_steps"] > 1):
        problems.append(f"gradients reduced {sorted(reductions)}")
    if bundled != (several and any(each.get("step_seconds") and each["zero_stage"] < 3 and each["offload_param_device"] == "none" for each in tried)):
        problems.append(f"buckets {'tried' if bundled else 'never tried'}")
    return [f"{problem}, of {flags['num_processes']} rank(s) and {flags['gradient_accumulation_steps']} micro-batch(es)" for problem in problems]


def check_pair(zpc, work, rng):
    """What is wrong, and a note."""
    flags = draw_model(rng, work / "model")
    spelled = [word for key, value in flags.items() for word in (f"--{key}", str(value))]
    module, plan, machine = work / "model.mlir", work / "plan.fb", work / "machine.yaml"
    run([zpc, "import", "--model", work / "model", *spelled, "-o", module])
    plan.unlink(missing_ok=True)
    _, told = run([zpc, "estimate", "--model", work / "model", *spelled, "--grid", "stage=0", "--json"])
    draw_machine(rng, json.loads(told)[0]["device_bytes"], machine)
    fit = [zpc, "compile", module, "-o", plan, "--cluster", machine, "--fit", "--json"]
    every, all_told = run([*fit, "--exhaustive"])
    plan.unlink(missing_ok=True)
    code, told = run(fit)
    if code != every:
        return [f"--fit ends with {code}, every combination with {every}"], ""
    if code == NOTHING_FITS:
        return (["a plan was written that doesn't fit"] if plan.exists() else []), "nothing fits, and both say so"
    chosen, best = json.loads(told)[0], json.loads(all_told)[0]
    problems = check_knobs(flags, json.loads(all_told))
    if not chosen["fits"]:
        problems.append(f"chose what doesn't fit: {chosen}")
    if chosen["step_seconds"] > CLOSE * best["step_seconds"]:
        problems.append(f"chose {chosen}, the best of all is {best}")
    _, simulated = run([zpc, "simulate", plan, "--cluster", machine, "--json"])
    simulated = json.loads(simulated)
    if not simulated["fits"] or abs(simulated["step_seconds"] / chosen["step_seconds"] - 1) > 1e-9:
        problems.append(f"the plan takes {simulated['step_seconds']} s, told were {chosen['step_seconds']}; fits: {simulated['fits']}")
    note = f"stage {chosen['zero_stage']}, {chosen['rematerialize']}, reduced a {chosen['reduce_gradients']}, buckets of {chosen['reduce_bucket_size']}, {chosen['step_seconds'] / best['step_seconds']:.4f} of the best time"
    return problems, f"{note}; {len(json.loads(told))} of {len(json.loads(all_told))} compiled"


def fit(zpc, work, machine, **flags):
    """What --fit tried for llama-20m, the chosen one first; and what it takes at stages 2 and 3, the latter with nothing recomputed."""
    flags = {"bf16": "true", "lora_r": 8, "max_length": 64, "per_device_train_batch_size": 1, "stage3_param_persistence_threshold": 0, **flags}
    spelled = [word for key, value in flags.items() for word in (f"--{key}", str(value))]
    run([zpc, "import", "--model", MODEL, *spelled, "-o", work / "model.mlir"])
    grid = ["--grid", "stage=2,3", "rematerialize=block,none", "--json"]
    small, _, _, large = (each["device_bytes"] + each["reserve_bytes"] for each in json.loads(run([zpc, "estimate", "--model", MODEL, *spelled, *grid])[1]))
    lines = {"device": "a100-80gb", "host_memory": 1, **machine(small, large)}
    (work / "machine.yaml").write_text("".join(f"{key}: {value}\n" for key, value in lines.items()))
    return json.loads(run([zpc, "compile", work / "model.mlir", "-o", work / "plan.fb", "--cluster", work / "machine.yaml", "--fit", "--json"])[1])


def check_reductions(zpc, work, tally):
    slow = {"link_latency": 1e-3, "link_bandwidth": 1e9}
    chosen, *others = fit(zpc, work, lambda replica, shard: slow, num_processes=4)
    same = [each for each in others if each["reduce_bucket_size"] == 0 and all(each[key] == chosen[key] for key in ("zero_stage", "rematerialize", "prefetch_distance"))]
    tally.check("links that take long to start", [] if chosen["reduce_bucket_size"] > 0 and same and same[0]["step_seconds"] > chosen["step_seconds"]
                else [f"chose {chosen}, expected buckets, and the same without them as a slower runner-up: {same}"])
    chosen, *others = fit(zpc, work, lambda replica, shard: {**slow, "memory": (replica + shard) // 2}, num_processes=4, gradient_accumulation_steps=4)
    tally.check("several micro-batches where a replica doesn't fit", [] if chosen["zero_stage"] == 3 and chosen["reduce_gradients"] == "step"
                else [f"chose {chosen}, expected stage 3, reduced once a step"])
    tried = fit(zpc, work, lambda replica, shard: slow, num_processes=1, gradient_accumulation_steps=4)
    tally.check("one rank", [f"tried {each}" for each in tried if each["reduce_gradients"] != "micro_batch" or each["reduce_bucket_size"] > 0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tools.add_arguments(parser)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    tally = tools.Tally()
    with tempfile.TemporaryDirectory(prefix="plan-search-") as scratch:
        check_reductions(chosen.bin / "zpc", Path(scratch), tally)
        for pair in range(chosen.pairs):
            seed = chosen.seed * 1_000_003 + pair
            problems, note = check_pair(chosen.bin / "zpc", Path(scratch), random.Random(seed))
            tally.check(f"pair {pair} (of seed {chosen.seed})", problems, note)
    sys.exit(tally.close())


if __name__ == "__main__":
    main()
