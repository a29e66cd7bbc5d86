#!/usr/bin/env python3
"""Evaluation within training, and what hangs on it: logs, the best model, TensorBoard.

    evaluation_test.py [--bin DIR]

curve       TRL's run of tests/golden/evaluation on 1 rank and on 2: losses, evaluation losses and accuracies, the best model's
            step and metric, and the adapter at the end, which is that of the best checkpoint
lines       standard output has the reference's lines, trainer_state.json its log
logged      by steps, a share of them, epochs or not at all
memory      --report_memory: the guide's lines after each evaluation, within training and by zprun eval; else none of them
unchanged   a run that evaluates trains the same bytes as one that doesn't: sharded, offloaded, in 4 bits, recomputed
strategies  no, steps, epoch, with a delay and at the start: the steps of transformers' DefaultFlowCallback
best_alone  save_strategy best saves where an evaluation is the best so far
kept        save_total_limit keeps the best checkpoint beside the last; of one, the best alone is left; a better model that isn't saved takes no place
resumed     a run resumed after its best checkpoint knows it, and logs what the whole run did; in another directory, too
events      TensorBoard's files, read by the tensorboard package and by a parser of the test's own: every checksum, tag, step, value
hub         --push_to_hub leaves a model card and the tokenizer
refused     settings that contradict each other, rows that can't be evaluated: one coded line before anything is trained

A line a check; the last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import ast
import json
import math
import re
import sys

import numpy as np
from safetensors.numpy import load_file, save_file

from support import pipeline, tools
from support.compare import worst_change
from support.event_files import read_by_tensorboard, read_events
from support.memory_lines import contradictions, memory_lines
from support.saving import Bench, checkpoints, weights

GOLDEN = tools.ROOT / "tests/golden/evaluation"
CURVE = json.loads((GOLDEN / "curve.json").read_text())
CASE = CURVE["case"]
FLAGS = {
    "max_steps": CURVE["updates"],
    **CURVE["flags"],
    "lr_scheduler_type": "constant",
    "warmup_steps": 0,
}
EVERY = ["--eval_steps", CURVE["every"], "--save_steps", CURVE["every"]]


class Rows:
    """The golden case's rows, cut in two."""

    def __init__(self, case, work):
        tokens = load_file(case.tokens)
        self.train, self.test = work / "train.safetensors", work / "test.safetensors"
        save_file({name: rows[: CURVE["train_rows"]] for name, rows in tokens.items()}, self.train)
        save_file({name: rows[CURVE["train_rows"] :] for name, rows in tokens.items()}, self.test)


class Trainer:
    def __init__(self, chosen, work):
        self.bench = Bench(chosen, work)
        self.rows = Rows(self.bench.case(CASE), work)

    def words(self, ranks, stage, out, *flags, name=CASE, import_flags=None, strategy="steps", quiet=True):
        plan = self.bench.plan(name, ranks, stage, **{**FLAGS, **(import_flags or {})})
        evaluate = ["--eval_dataset", self.rows.test, "--eval_strategy", strategy] if strategy else []
        words = self.bench.words(name, ranks, plan, out, *map(str, [*evaluate, *flags]), tokens=self.rows.train)
        return [word for word in words if quiet or word != "--quiet"]

    def run(self, ranks, stage, *flags, expect=0, out=None, **how):
        out = out or self.bench.folder()
        done = self.bench.run(self.words(ranks, stage, out, *flags, **how), expect)
        return out, done


def lines(out):
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def curves(out):
    """(updates, evaluations) of metrics.jsonl."""
    found = lines(out)
    return [line for line in found if "loss" in line], [line for line in found if "eval_loss" in line]


def state(folder):
    return json.loads((folder / "trainer_state.json").read_text())


def away(ours, theirs, key):
    if [line["step"] for line in ours] != [line["step"] for line in theirs]:
        return math.inf
    return max(abs(a[key] - b[key]) / abs(b[key]) for a, b in zip(ours, theirs, strict=True))


def curve(trainer, tally):
    wanted = [entry for entry in CURVE["log_history"] if "loss" in entry]
    wanted_evaluations = [entry for entry in CURVE["log_history"] if "eval_loss" in entry]
    for ranks, stage in ((1, 0), (2, 3)):
        batch = {"per_device_train_batch_size": 4 // ranks}
        out, _ = trainer.run(ranks, stage, *EVERY, "--load_best_model_at_end", "true", import_flags=batch)
        updates, evaluations = curves(out)
        figures = {
            "loss": (away(updates, wanted, "loss"), 1e-5),
            "grad_norm": (away(updates, wanted, "grad_norm"), 1e-4),
            "mean_token_accuracy": (away(updates, wanted, "mean_token_accuracy"), 1e-6),
            "eval_loss": (away(evaluations, wanted_evaluations, "eval_loss"), 1e-5),
            "eval_mean_token_accuracy": (away(evaluations, wanted_evaluations, "eval_mean_token_accuracy"), 1e-6),
            "epoch": (away(evaluations, wanted_evaluations, "epoch"), 1e-6),
        }
        final, best = load_file(out / "adapter_model.safetensors"), checkpoints(out)[CURVE["best_global_step"]]
        case = trainer.bench.case(CASE)
        figures["change"] = (worst_change(final, load_file(GOLDEN / "curve.safetensors"), case.initial())[0], 1e-3)
        failures = [f"{name} {gap:.1e}, expected {limit:.0e}" for name, (gap, limit) in figures.items() if not gap <= limit]
        if weights(out) != weights(best):
            failures.append("the adapter at the end isn't that of the best checkpoint")
        for place in (out, best.parent / f"checkpoint-{CURVE['updates']}"):
            found = state(place)
            if found["best_global_step"] != CURVE["best_global_step"] or found["best_model_checkpoint"] != str(best):
                failures.append(f"{place.name}: best {found['best_global_step']} of {found['best_model_checkpoint']}")
            if not math.isclose(found["best_metric"], CURVE["best_metric"], rel_tol=1e-5):
                failures.append(f"{place.name}: best metric {found['best_metric']}")
        tally.check(f"curve ranks {ranks} zero {stage}", failures, ", ".join(f"{name} {gap:.0e}" for name, (gap, _) in figures.items()))


def log_lines(trainer, tally):
    out, done = trainer.run(1, 0, *EVERY, import_flags={"logging_steps": 2}, quiet=False)
    said = [ast.literal_eval(line) for line in done.stdout.splitlines() if line.startswith("{'")]
    updates, evaluations = curves(out)
    keys = {
        "loss": ["loss", "grad_norm", "learning_rate", "mean_token_accuracy", "num_tokens", "epoch"],
        "eval_loss": ["eval_loss", "eval_runtime", "eval_samples_per_second", "eval_steps_per_second", "eval_loss_of_batches",
                      "eval_perplexity", "eval_mean_token_accuracy", "eval_mean_token_accuracy_of_batches", "eval_num_tokens", "epoch"],
        "train_runtime": ["train_runtime", "train_samples_per_second", "train_steps_per_second", "train_loss", "epoch"],
    }  # fmt: skip
    failures = []
    for entry in said:
        kind = next(iter(entry))
        if kind not in keys or list(entry) != keys[kind] or not all(isinstance(value, str) for value in entry.values()):
            failures.append(f"a line of {list(entry)}")
    means = [np.mean([updates[i]["loss"], updates[i + 1]["loss"]]) for i in range(0, len(updates), 2)]
    if [entry["loss"] for entry in said if "loss" in entry] != [f"{mean:.4g}" for mean in means]:
        failures.append("the losses aren't the means of two updates")
    order = [next(iter(entry)) for entry in said]
    if order != (["loss", "loss", "eval_loss"] * (CURVE["updates"] // 4)) + ["train_runtime"]:
        failures.append(f"order {order}")
    history = state(out)["log_history"]
    if [entry["step"] for entry in history if "loss" in entry] != list(range(2, CURVE["updates"] + 1, 2)):
        failures.append("trainer_state.json has other steps")
    if [entry["eval_loss"] for entry in history if "eval_loss" in entry] != [line["eval_loss"] for line in evaluations]:
        failures.append("trainer_state.json has other evaluations")
    if set(history[-1]) != {*keys["train_runtime"], "step", "total_flos"}:
        failures.append(f"the last entry has {sorted(history[-1])}")
    trained = sum(tensor.size for tensor in load_file(out / "adapter_model.safetensors").values())
    match = re.search(r"^trainable params: ([\d,]+) \|\| all params: ([\d,]+) \|\| trainable%: (\d+\.\d{4})$", done.stdout, re.M)
    base = sum(tensor.size for tensor in load_file(trainer.bench.case(CASE).model / "model.safetensors").values())
    if not match or match[1] != f"{trained:,}" or match[2] != f"{trained + base:,}":
        failures.append(f"trainable params: {match and match[0]}, expected {trained:,} of {trained + base:,}")
    for kind in ("Device", "CPU"):
        if len(re.findall(rf"^{kind} (Total Peak |Peak )?Memory .*: -?\d+$", done.stdout, re.M)) != 4:
            failures.append(f"not the four lines of {kind} memory")
    tally.check("lines", failures, f"{len(said)} lines")


def logged(trainer, tally):
    """The steps of transformers' DefaultFlowCallback, on standard output as in trainer_state.json."""
    runs = [
        ({"logging_strategy": "epoch", "logging_first_step": "true"}, [1, 3, 6, 7]),
        ({"logging_strategy": "steps", "logging_steps": 0.25}, [2, 4, 6]),
        ({"logging_strategy": "no"}, []),
    ]
    for flags, wanted in runs:
        flags = {"max_steps": 7, "per_device_train_batch_size": -(-CURVE["train_rows"] // 3), **flags}
        out, done = trainer.run(1, 0, "--save_strategy", "no", import_flags=flags, strategy=None, quiet=False)
        found = [entry["step"] for entry in state(out)["log_history"] if "loss" in entry]
        said = len(re.findall(r"^\{'loss': ", done.stdout, re.M))
        failures = [] if found == wanted and said == len(wanted) else [f"{found}, {said} lines, expected {wanted}"]
        tally.check(f"logged by {flags['logging_strategy']}", failures, str(found))


def memory(trainer, tally):
    wide = {"per_device_train_batch_size": CURVE["train_rows"]}  # a device's memory is then worth a MiB
    out, done = trainer.run(1, 0, "--eval_steps", 1, "--save_steps", 1, "--report_memory", "true", import_flags=wide, quiet=False)
    evaluations = len(curves(out)[1])
    tally.check("memory within training", contradictions(memory_lines(done.stdout, "eval"), evaluations), f"{evaluations} evaluations")
    bench = trainer.bench
    plan = bench.plan(CASE, 2, 3, **{**FLAGS, **wide})
    words = [bench.chosen.bin / "zprun", "eval", plan, "--model", bench.case(CASE).model, "--adapter_name_or_path", out]
    words += ["--dataset", trainer.rows.test, "-n", 2]
    said = tools.call([*words, "--report_memory", "true"], bench.chosen.timeout)
    failures = contradictions(memory_lines(said, "eval"), 1)
    loss = json.loads(next(line for line in said.splitlines() if line.startswith("{")))["loss"]
    if not math.isclose(loss, curves(out)[1][-1]["eval_loss"], rel_tol=1e-5):
        failures.append(f"zprun eval has the loss {loss}, training had {curves(out)[1][-1]['eval_loss']}")
    if "Memory" in tools.call(words, bench.chosen.timeout):
        failures.append("memory lines that nobody asked for")
    tally.check("memory of zprun eval", failures, "as asked for")


def unchanged(trainer, tally):
    ways = [
        ("sharded", CASE, 2, {"per_device_train_batch_size": 2}),
        ("accumulated", CASE, 1, {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}),
        ("recomputed", CASE, 1, {"rematerialize": "block"}),
        ("offloaded", CASE, 2, {"per_device_train_batch_size": 2, "offload_param_device": "cpu", "offload_optimizer_device": "cpu",
                                "offload_activation_device": "cpu"}),
        ("buckets", CASE, 1, {"length_buckets": 3}),
        ("in 4 bits", "llama_qlora_nested", 2, {"per_device_train_batch_size": 2}),
    ]  # fmt: skip
    for label, name, ranks, flags in ways:
        without, _ = trainer.run(ranks, 3, "--save_strategy", "no", name=name, import_flags=flags, strategy=None)
        having, _ = trainer.run(ranks, 3, "--save_strategy", "no", "--eval_steps", "1", name=name, import_flags=flags)
        failures = [] if weights(without) == weights(having) else ["the adapters differ"]
        updates, evaluations = curves(having)
        if [line["loss"] for line in updates] != [line["loss"] for line in curves(without)[0]]:
            failures.append("the losses differ")
        if len(evaluations) != len(updates):
            failures.append(f"{len(evaluations)} evaluations of {len(updates)} updates")
        tally.check(f"unchanged {label}", failures, f"{len(evaluations)} evaluations")


def strategies(trainer, tally):
    runs = [
        ("epoch", ["--save_strategy", "no"], [2, 4, 6, 7]),
        ("steps", ["--save_strategy", "no", "--eval_steps", "3"], [3, 6, 7]),
        ("steps", ["--save_strategy", "no", "--eval_steps", "0.5", "--eval_on_start", "true"], [0, 4, 7]),
        ("steps", ["--save_strategy", "no", "--eval_steps", "2", "--eval_delay", "5"], [6, 7]),
        ("steps", ["--save_strategy", "no"], [5, 7]),  # as logging_steps
        ("no", ["--save_strategy", "no"], []),
        ("no", ["--save_strategy", "no", "--eval_on_start", "true"], [0]),
    ]
    for strategy, flags, wanted in runs:
        out, _ = trainer.run(1, 0, *flags, import_flags={"max_steps": 7, "logging_steps": 5}, strategy=strategy)
        found = [line["step"] for line in curves(out)[1]]
        tally.check(" ".join(["strategies", strategy, *flags[2:]]), [] if found == wanted else [f"{found}, expected {wanted}"], str(found))


def kept(trainer, tally):
    best, last = CURVE["best_global_step"], CURVE["updates"]
    for limit, wanted in ((1, [best]), (2, [best, last]), (3, [best, last - CURVE["every"], last])):
        out, _ = trainer.run(1, 0, *EVERY, "--load_best_model_at_end", "true", "--save_total_limit", limit)
        found = list(checkpoints(out))
        tally.check(f"kept {limit}", [] if found == wanted else [f"checkpoints {found}, expected {wanted}"], str(found))
    # Without the best being loaded a better one that isn't saved counts, and what was the best when it was saved is kept.
    saved = 2 * CURVE["every"]
    for limit, wanted in ((1, [saved]), (2, [saved, last])):
        flags = ["--eval_steps", CURVE["every"], "--save_steps", saved, "--metric_for_best_model", "loss", "--save_total_limit", limit]
        out, _ = trainer.run(1, 0, *flags)
        found = list(checkpoints(out)), state(out)["best_global_step"], state(out)["best_model_checkpoint"]
        wanted = wanted, best, str(out / f"checkpoint-{saved}")
        tally.check(f"kept {limit} beside a better one", [] if found == wanted else [f"{found}, expected {wanted}"], str(found[0]))
    flags = ["--metric_for_best_model", "eval_mean_token_accuracy", "--load_best_model_at_end", "true"]
    out, _ = trainer.run(1, 0, *EVERY, *flags)
    accuracies = {line["step"]: line["eval_mean_token_accuracy"] for line in curves(out)[1]}
    best = max(accuracies, key=accuracies.get)
    found = state(out)
    failures = [] if (found["best_global_step"], found["best_metric"]) == (best, accuracies[best]) else [f"{found['best_global_step']} of {accuracies}"]
    tally.check("kept by accuracy", failures, f"step {best}: {accuracies[best]:.3f}")


def best_alone(trainer, tally):
    """save_strategy best: a checkpoint where an evaluation is better than all before it, and nowhere else."""
    losses = [(entry["step"], entry["eval_loss"]) for entry in CURVE["log_history"] if "eval_loss" in entry]
    for better, flags in ((min, []), (max, ["--greater_is_better", "true"])):
        wanted = [step for i, (step, loss) in enumerate(losses) if i == 0 or better(loss, better(l for _, l in losses[:i])) == loss]
        flags = ["--eval_steps", CURVE["every"], "--save_strategy", "best", "--metric_for_best_model", "loss", *flags]
        out, _ = trainer.run(1, 0, *flags, "--load_best_model_at_end", "true")
        found = checkpoints(out)
        failures = [] if list(found) == wanted else [f"checkpoints {list(found)}, expected {wanted}"]
        if not failures and weights(out) != weights(found[wanted[-1]]):
            failures.append("the adapter at the end isn't that of the best checkpoint")
        if state(out)["best_global_step"] != wanted[-1]:
            failures.append(f"best {state(out)['best_global_step']}, expected {wanted[-1]}")
        tally.check(f"best alone, {better.__name__}", failures, str(wanted))
    out, _ = trainer.run(1, 0, *flags, "--save_total_limit", 1)
    failures = [] if list(checkpoints(out)) == wanted[-1:] else [f"checkpoints {list(checkpoints(out))}, expected {wanted[-1:]}"]
    tally.check("best alone, one kept", failures, str(wanted[-1:]))


def resumed(trainer, tally):
    flags = [*EVERY, "--load_best_model_at_end", "true"]
    whole, _ = trainer.run(2, 3, *flags, import_flags={"per_device_train_batch_size": 2})
    out = trainer.bench.folder()
    out.mkdir()
    for step in (12, 16):
        checkpoints(whole)[step].rename(out / f"checkpoint-{step}")
    (out / "metrics.jsonl").write_bytes((whole / "metrics.jsonl").read_bytes())
    trainer.run(1, 0, *flags, "--resume_from_checkpoint", "latest", out=out)
    failures = []
    ours, theirs = state(out), state(whole)
    if ours["best_global_step"] != theirs["best_global_step"] or ours["best_metric"] != theirs["best_metric"]:
        failures.append(f"best {ours['best_global_step']}, expected {theirs['best_global_step']}")
    for key in ("loss", "eval_loss"):
        gap = away([e for e in ours["log_history"] if key in e], [e for e in theirs["log_history"] if key in e], key)
        if not gap <= 1e-6:
            failures.append(f"{key} {gap:.1e} away")
    if weights(out) != weights(whole):
        failures.append("the adapter at the end is another")
    other, _ = trainer.run(1, 0, *flags, "--resume_from_checkpoint", out / "checkpoint-16")
    if weights(other) != weights(whole) or state(other)["best_model_checkpoint"] != str(out / "checkpoint-12"):
        failures.append(f"in another directory the adapter is another, the best {state(other)['best_model_checkpoint']}")
    tally.check("resumed", failures, f"from step 16, best is step {ours['best_global_step']}")


def events(trainer, tally):
    out, _ = trainer.run(2, 3, *EVERY, "--report_to", "tensorboard", import_flags={"per_device_train_batch_size": 2})
    files = list((out / "runs").glob("events.out.tfevents.*"))
    failures = [] if len(files) == 1 else [f"files {files}"]
    version, scalars = read_events(files[0])
    if version != "brain.Event:2":
        failures.append(f"version {version}")
    updates, evaluations = curves(out)
    for tag, key, found in (
        ("train/loss", "loss", updates),
        ("train/learning_rate", "learning_rate", updates),
        ("train/mean_token_accuracy", "mean_token_accuracy", updates),
        ("eval/loss", "eval_loss", evaluations),
        ("eval/mean_token_accuracy", "eval_mean_token_accuracy", evaluations),
    ):
        wanted = [(line["step"], float(np.float32(line[key]))) for line in found]
        if scalars.get(tag) != wanted:
            failures.append(f"{tag}: {scalars.get(tag, [])[:2]}, expected {wanted[:2]}")
    if "train/train_loss" not in scalars:
        failures.append(f"tags {sorted(scalars)}")
    try:
        if (theirs := read_by_tensorboard(out / "runs")) != scalars:
            wrong = sorted(tag for tag in {*theirs, *scalars} if theirs.get(tag) != scalars.get(tag))
            failures.append(f"the tensorboard package reads {wrong} otherwise")
    except ImportError as absent:
        failures.append(f"{absent}; run scripts/setup-venv.sh tests/requirements.txt")
    other, _ = trainer.run(1, 0, "--report_to", "tensorboard", "--logging_dir", out / "elsewhere", strategy=None)
    if (other / "runs").exists() or len(list((out / "elsewhere").iterdir())) != 1:
        failures.append("--logging_dir isn't where the events are")
    tally.check("events", failures, f"{len(scalars)} tags")


def hub(trainer, tally):
    out, done = trainer.run(1, 0, "--push_to_hub", "true", "--hub_model_id", "someone/adapter", strategy=None)
    card = (out / "README.md").read_text()
    header = card.split("---\n")[1]
    failures = [line for line in ("library_name: peft", "- lora", "base_model: ") if line not in header]
    if "hf upload someone/adapter" not in done.stdout:
        failures.append("no line says how to push")
    tally.check("hub", failures, "a model card, and the command that pushes")


def refused(trainer, tally):
    rows = load_file(trainer.rows.test)
    silent, short = trainer.bench.work / "silent.safetensors", trainer.bench.work / "short.safetensors"
    save_file({**rows, "labels": np.full_like(rows["labels"], -100)}, silent)
    save_file({name: tensor[:, :8].copy() for name, tensor in rows.items()}, short)
    best = ["--load_best_model_at_end", "true"]
    cases = [
        ("no rows", ["--eval_strategy", "steps"], 2, "--eval_strategy: is steps without rows to evaluate"),
        ("no rows at the start", ["--eval_on_start", "true"], 2, "--eval_on_start: is true without rows to evaluate"),
        ("a missing file", ["--eval_strategy", "steps", "--eval_dataset", "absent"], 4, "absent"),
        ("nothing counted", ["--eval_strategy", "steps", "--eval_dataset", silent], 4, "silent.safetensors: labels: none of 4 rows"),
        ("another length", ["--eval_strategy", "steps", "--eval_dataset", short], 4, "rows have 8 tokens, expected 24"),
        ("a wrong word", ["--eval_strategy", "sometimes"], 2, '--eval_strategy: is "sometimes", expected steps, epoch or no'),
        ("a wrong number", ["--eval_steps", "-1"], 2, "--eval_steps: is -1"),
        ("best without evaluation", best, 2, "--load_best_model_at_end: is true without evaluation"),
        ("best of other steps", [*best, "--eval_strategy", "steps", "--eval_steps", "3", "--save_steps", "4"], 2, "a multiple of --eval_steps"),
        ("saving the best without evaluation", ["--save_strategy", "best"], 2, "--save_strategy: is best without evaluation"),
        ("an unknown metric", ["--metric_for_best_model", "bleu"], 2, '--metric_for_best_model: is "bleu"'),
        ("a wrong switch", ["--greater_is_better", "perhaps"], 2, "--greater_is_better"),
        ("another reporter", ["--report_to", "wandb"], 2, "--report_to"),
    ]  # fmt: skip
    for label, flags, code, words in cases:
        try:
            out, done = trainer.run(1, 0, *flags, expect=code, strategy=None)
        except pipeline.StageFailed as problem:
            tally.check(f"refused: {label}", [str(problem)])
            continue
        said = done.stderr.splitlines()
        good = len(said) == 1 and re.match(r"error\[ZP\d{4}\] ", said[0]) and words in said[0] and not out.exists()
        tally.check(f"refused: {label}", [] if good else [done.stderr[-300:] or "no line"], said[0][:110] if said else "")
    out = trainer.bench.folder()
    words = trainer.words(1, 0, out, strategy=None)
    words[words.index("--dataset") + 1] = str(silent)
    done = trainer.bench.run(words, 4)
    tally.check("refused: nothing to learn", [] if "none of 4 rows has one that counts" in done.stderr else [done.stderr], "exit 4")


if __name__ == "__main__":
    parts = (curve, log_lines, logged, memory, unchanged, strategies, kept, best_alone, resumed, events, hub, refused)
    sys.exit(tools.run_parts(__doc__, "evaluation", Trainer, parts))
