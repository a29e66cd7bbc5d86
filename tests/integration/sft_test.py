#!/usr/bin/env python3
"""The PEFT guide's two command lines, as samples/sft has them, run against a small Llama directory: only paths, the
length of rows and the number of ranks are given behind. Each run is held to the same job done by hand with zpdata, zpc
and zprun.

    sft_test.py [--bin DIR] [--only WORD]

The last line is 'N passed, N failed'. Exit 1 when any failed.
"""

import argparse
import json
import math
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from support.tools import Tally
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

ROOT = Path(__file__).resolve().parents[2]
MODEL = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 1024,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "initializer_range": 0.05,
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 4,
}
LENGTH = 64
LINEARS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
# What the guide's flags amount to, in zpc's words: read from the guide, not from zp.
BY_HAND = {
    "use_peft_lora": "true", "lora_r": "8", "lora_alpha": "16", "lora_dropout": "0.1",
    "lora_target_modules": "all-linear", "bf16": "true", "zero_stage": "3", "num_processes": "2",
    "rematerialize": "block", "max_length": str(LENGTH), "learning_rate": "1e-4", "lr_scheduler_type": "cosine",
    "weight_decay": "1e-4", "warmup_ratio": "0", "max_grad_norm": "1.0", "num_train_epochs": "1", "seed": "100",
}  # fmt: skip
RUNS = {
    "run_peft_deepspeed": {"per_device_train_batch_size": "8", "gradient_accumulation_steps": "4"},
    "run_peft_qlora_deepspeed_stage3": {
        "per_device_train_batch_size": "2", "gradient_accumulation_steps": "2", "use_4bit_quantization": "true",
        "use_nested_quant": "true", "bnb_4bit_compute_dtype": "bfloat16", "bnb_4bit_quant_storage_dtype": "bfloat16",
    },
}  # fmt: skip


STEPS = ["import", "compile", "data", "test data", "train"]


class Failure(Exception):
    pass


def expect(condition, message):
    if not condition:
        raise Failure(message)


def run(words, **options):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=600, **options)


def must(words):
    done = run(words)
    expect(done.returncode == 0, f"{' '.join(map(str, words[:2]))}: exit {done.returncode}: {done.stderr[-400:]}")
    return done.stdout


class Guide:
    """A small model, two splits of chats, and the guide's scripts."""

    def __init__(self, bin, work):
        self.bin, self.work = bin, work
        self.model, self.data = work / "model", work / "data"
        samples = ROOT / "samples"
        chats, config = work / "chats.jsonl", work / "config.json"
        config.write_text(json.dumps(MODEL))
        must([sys.executable, samples / "quickstart/make_chats.py", "-o", chats])
        lines = chats.read_text().splitlines(keepends=True)[::20]
        chats.write_text("".join(lines))
        size = MODEL["vocab_size"]
        must([sys.executable, samples / "base-model/make_tokenizer.py", chats, "--vocab_size", size, "-o", self.model])
        must([sys.executable, samples / "base-model/make_model.py", config, "-o", self.model])
        self.data.mkdir()
        (self.data / "train.jsonl").write_text("".join(lines[:-20]))
        (self.data / "test.jsonl").write_text("".join(lines[-20:]))

    def words(self, script, output, *extra):
        """The script's own command line, with our zp and what this machine needs behind."""
        text = (ROOT / f"samples/sft/{script}.sh").read_text()
        line = text[text.index("sft --config_file") :].replace("\\\n", " ").replace('"$@"', "")
        words = [word.strip('"') for word in line.split()]
        words = [word.replace("configs/", str(ROOT / "samples/configs") + "/") for word in words]
        return [
            self.bin / "zp", *words, "--model_name_or_path", self.model, "--dataset_name", self.data,
            "--output_dir", output, "--num_processes", "2", "--max_seq_len", LENGTH, *extra,
        ]  # fmt: skip

    def sft(self, script, output, *extra):
        done = run(self.words(script, output, *extra))
        expect(done.returncode == 0, f"exit {done.returncode}: {done.stderr[-400:]}")
        return done

    def by_hand(self, script):
        work = self.work / f"{script}-by-hand"
        work.mkdir()
        tokens, plan = work / "tokens.safetensors", work / "plan.fb"
        must([
            self.bin / "zpdata", self.data, "--tokenizer", self.model, "--splits", "train", "--packing", "true",
            "--chat_template_format", "chatml", "--max_length", LENGTH, "--seed", "100", "-o", tokens,
        ])  # fmt: skip
        flags = [word for name, value in {**BY_HAND, **RUNS[script]}.items() for word in (f"--{name}", value)]
        must([self.bin / "zpc", "import", "--model", self.model, *flags, "-o", work / "model.mlir"])
        must([self.bin / "zpc", "compile", work / "model.mlir", "-o", plan])
        files = ["--model", self.model, "--dataset", tokens, "--output_dir", work / "out"]
        must([self.bin / "zprun", plan, *files, "-n", "2"])
        return work / "out"


def ran(output):
    """The names of the steps that were not skipped."""
    names = []
    for line in output.splitlines():
        if match := re.match(r"\[\d+/\d+\] ([a-z ]+): ", line):
            names.append(match.group(1))
        elif line.startswith("  nothing has changed since it ran"):
            names.pop()
    return names


def curves(output):
    """(losses of the updates, losses of the evaluations) in metrics.jsonl."""
    lines = [json.loads(line) for line in (output / "metrics.jsonl").read_text().splitlines()]
    return tuple([line[key] for line in lines if key in line] for key in ("loss", "eval_loss"))


def script_runs(guide, script):
    output = guide.work / script
    done = guide.sft(script, output)
    expect(ran(done.stdout) == ["tokenizer", *STEPS], f"ran {ran(done.stdout)}")
    tensors = load_file(output / "adapter_model.safetensors")
    names = {
        f"base_model.model.model.layers.{layer}.{'self_attn' if name[0] in 'qkvo' else 'mlp'}.{name}.lora_{side}.weight"
        for layer in range(MODEL["num_hidden_layers"])
        for name in LINEARS
        for side in "AB"
    }
    expect(set(tensors) == names, f"the adapter's tensors differ: {sorted(set(tensors) ^ names)[:3]}")
    expect(any(tensors[name].any() for name in names if name.endswith("lora_B.weight")), "nothing was trained")
    losses, evaluations = curves(output)
    expect(all(0 < loss < 10 for loss in losses), f"losses: {losses[:3]}")
    config = json.loads((output / "adapter_config.json").read_text())
    expect((config["r"], config["lora_alpha"], config["lora_dropout"]) == (8, 16, 0.1), "adapter_config.json differs")
    expect(evaluations and all(0 < loss < 20 for loss in evaluations), f"evaluations: {evaluations[:3]}")
    expect("note: --push_to_hub: nothing is sent" in done.stderr, "no line says that nothing is pushed")
    card = (output / "README.md").read_text()
    expect("library_name: peft" in card and (output / "tokenizer.json").exists(), "the folder can't be pushed")

    hand = guide.by_hand(script)
    name = "adapter_model.safetensors"
    expect((hand / name).read_bytes() == (output / name).read_bytes(), f"{name} differs from the one made by hand")
    return f"loss {losses[0]:.3f} to {losses[-1]:.3f} in {len(losses)} updates, as by hand"


def lora(guide):
    return script_runs(guide, "run_peft_deepspeed")


def qlora(guide):
    return script_runs(guide, "run_peft_qlora_deepspeed_stage3")


def offloaded(guide):
    """The guide's third file: weights and optimizer on the CPU train the same adapter as on the device."""
    flags = ["--max_steps", "6", "--eval_strategy", "no"]
    script, adapters = "run_peft_deepspeed", []
    for name, extra in (("offloaded", []), ("kept", ["--offload_param_device", "none", "--offload_optimizer_device", "none"])):
        words = guide.words(script, guide.work / name, *flags, *extra)
        at = words.index("--config_file") + 1
        words[at] = ROOT / "samples/configs/accelerate_ds_zero3_cpu_offload_config.yaml"
        accumulation = words.index("--gradient_accumulation_steps") + 1
        words[accumulation] = "1"  # as that file says; a contradiction would be refused
        output = must(words)
        host = re.search(r"peak: planned (\d+) bytes \(host", output)
        expect(bool(host and int(host.group(1))) == (not extra), f"{name}: host memory of the plan: {host and host.group(1)}")
        adapters.append((guide.work / name / "adapter_model.safetensors").read_bytes())
    expect(adapters[0] == adapters[1], "the adapters differ")
    return "the same bytes as without offload"


AUTO = {key: "auto" for key in ("total_num_steps", "warmup_min_lr", "warmup_max_lr", "warmup_num_steps")}
DS_CONFIG = {
    "scheduler": {"type": "WarmupDecayLR", "params": AUTO},
    "optimizer": {"type": "AdamW", "params": dict.fromkeys(("lr", "betas", "eps", "weight_decay"), "auto")},
    "zero_optimization": {"stage": 3}, "bf16": {"enabled": "auto"}, "gradient_clipping": "auto",
    "gradient_accumulation_steps": "auto", "train_micro_batch_size_per_gpu": "auto", "train_batch_size": "auto",
}  # fmt: skip


def warmup_decay(update, updates, rate):
    """DeepSpeed's WarmupDecayLR with everything at auto and no warm-up, which is two steps there; update 0 is before any step."""
    step = update - 1
    return rate * (math.log(max(step, 0) + 1) / math.log(2) if step < 2 else max(0.0, (updates - step) / max(1, updates - 2)))


def cosine_of_deepspeeds_own(update, updates, _):
    """The schedule of the guide's flags at the rate of DeepSpeed's optimizer, whose section doesn't name one."""
    return 1e-3 * 0.5 * (1 + math.cos(math.pi * update / updates))


def cosine_to_a_tenth(update, updates, rate):
    return rate * (0.9 * 0.5 * (1 + math.cos(math.pi * update / updates)) + 0.1)


def schedules(guide):
    """The guide's flags beside a DeepSpeed config as the Trainer's manual has it, and with arguments of a schedule."""
    unsaid = {**{key: value for key, value in DS_CONFIG.items() if key != "scheduler"}, "optimizer": {"type": "AdamW", "params": {}}}
    for name, config in (("ds-scheduler", DS_CONFIG), ("ds-optimizer", unsaid)):
        ds_config = guide.work / f"{name}.json"
        ds_config.write_text(json.dumps(config))
        (guide.work / f"{name}.yaml").write_text(
            f"distributed_type: DEEPSPEED\ndeepspeed_config:\n  deepspeed_config_file: {ds_config}\n"
        )
    common = ["--max_steps", "8", "--eval_strategy", "no", "--learning_rate", "1e-4"]
    arguments = ["--lr_scheduler_type", "cosine_with_min_lr", "--lr_scheduler_kwargs", '{"min_lr": 1e-5}']
    cases = (
        ("ds-scheduler", [], warmup_decay, 1, "WarmupDecayLR goes before --lr_scheduler_type cosine"),
        ("ds-optimizer", [], cosine_of_deepspeeds_own, 1, "DeepSpeed's own default 0.001 goes before --learning_rate 1e-4"),
        ("arguments", arguments, cosine_to_a_tenth, 0, ""),
    )
    for name, extra, formula, late, note in cases:
        words = guide.words("run_peft_deepspeed", guide.work / name, *common, *extra)
        if not extra:
            words[words.index("--config_file") + 1] = guide.work / f"{name}.yaml"
        done = run(words)
        expect(done.returncode == 0, f"{name}: exit {done.returncode}: {done.stderr[-400:]}")
        expect(note in done.stderr and (extra == [] or "goes before" not in done.stderr), f"{name}: notes: {done.stderr[-400:]}")
        lines = [json.loads(line) for line in (guide.work / name / "metrics.jsonl").read_text().splitlines()]
        rates = [line["learning_rate"] for line in lines if "learning_rate" in line]
        expected = [formula(update + late, 8, 1e-4) for update in range(8)]
        expect(np.allclose(rates, expected, rtol=1e-9, atol=0), f"{name}: logged {rates}, expected {expected}")
    return "as the formulas say"


def only_what_depends(guide):
    output, script = guide.work / "cached", "run_peft_deepspeed"
    guide.sft(script, output)
    cases = [
        ([], []),
        (["--learning_rate", "2e-4"], ["import", "compile", "train"]),
        (["--learning_rate", "2e-4", "--save_total_limit", "1"], ["train"]),
        (["--learning_rate", "2e-4", "--save_total_limit", "1", "--overwrite_output_dir"], ["train"]),
        (["--learning_rate", "2e-4", "--save_total_limit", "1", "--packing_strategy", "wrapped"],
         ["data", "test data", "train"]),
        ([], STEPS),  # the tokenizer's files are there, and the same
        (["--do_eval"], ["evaluate"]),
    ]  # fmt: skip
    for extra, expected in cases:
        found = ran(guide.sft(script, output, *extra).stdout)
        expect(found == expected, f"{' '.join(extra) or 'no change'}: ran {found}, expected {expected}")
    (output / "adapter_model.safetensors").write_bytes(b"damaged")
    found = ran(guide.sft(script, output).stdout)
    expect(found == ["train"], f"a damaged adapter: ran {found}")  # and the same bytes again, so no evaluation
    with (guide.data / "test.jsonl").open("a") as file:
        file.write((guide.data / "train.jsonl").read_text().splitlines(keepends=True)[0])
    found = ran(guide.sft(script, output).stdout)
    # The directory has changed, so both splits are read again; the training rows turn out the same.
    expect(found == ["data", "test data", "train"], f"another row in the test split: ran {found}")
    return f"{len(cases) + 2} changes"


def exit_codes(guide):
    script = "run_peft_deepspeed"
    broken = Path(shutil.copytree(guide.model, guide.work / "broken"))
    weights = broken / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    done = run(guide.words(script, guide.work / "broken-out", "--model_name_or_path", broken))
    expect(done.returncode == 4, f"cut weights: exit {done.returncode}: {done.stderr[-300:]}")
    last = r"zp sft: step \d of 6, (import|train), ended with exit code 4\n$"
    expect(re.search(last, done.stderr), done.stderr[-300:])
    done = run(guide.words(script, guide.work / "mismatch", "--gradient_accumulation_steps", "2"))
    expect(done.returncode == 2 and "gradient_accumulation_steps: is 4" in done.stderr, "a mismatch is not refused")
    expect(not (guide.work / "mismatch").exists(), "a refused job left files behind")
    alone = guide.work / "one-split"
    alone.mkdir()
    shutil.copy(guide.data / "train.jsonl", alone)
    done = run(guide.words(script, guide.work / "split-out", "--dataset_name", alone))
    expect(done.returncode == 2 and "has no split test, expected one of train" in done.stderr, f"no test split: {done.stderr[-300:]}")
    expect(not (guide.work / "split-out/metrics.jsonl").exists(), "without its test split a job has trained")
    done = run(guide.words(script, guide.work / "file-out", "--dataset_name", guide.data / "train.jsonl", "--max_steps", "1"))
    expect(done.returncode == 0 and "nothing is evaluated, " in done.stderr, f"one file: exit {done.returncode}: {done.stderr[-300:]}")
    larger = Path(shutil.copytree(guide.model, guide.work / "larger-tokenizer"))
    config = json.loads((larger / "config.json").read_text())
    must([sys.executable, ROOT / "samples/base-model/make_model.py", rewritten(guide, {**config, "vocab_size": 300}), "-o", larger])
    done = run(guide.words(script, guide.work / "larger-out", "--model_name_or_path", larger, "--chat_template_format", "none"))
    expect(done.returncode == 4 and "error[ZP3010] " in done.stderr, f"a larger tokenizer: exit {done.returncode}: {done.stderr[-300:]}")
    expect("zprun resize --model" in done.stderr, f"no line says what to do: {done.stderr[-600:]}")
    return "4 passed on, 2 before the first step"


def rewritten(guide, config):
    """A config.json's path."""
    path = guide.work / "rewritten.json"
    path.write_text(json.dumps(config))
    return path


def halves(path):
    """Name to the bits of each tensor of a file in bf16, which numpy has no type for."""
    header = json.loads(path.read_bytes()[8 : 8 + int.from_bytes(path.read_bytes()[:8], "little")])
    header.pop("__metadata__")
    expect({entry["dtype"] for entry in header.values()} == {"BF16"}, f"{path.name}: dtypes aren't bf16 alone")
    data = path.read_bytes()[-max(entry["data_offsets"][1] for entry in header.values()) :]
    return {
        name: np.frombuffer(data[slice(*entry["data_offsets"])], np.uint16).reshape(entry["shape"]) for name, entry in header.items()
    }


def whole_model(guide):
    """Without LoRA every parameter is trained, and the model in the output folder is the one that is evaluated, in the 16 bits
    that zero3_save_16bit_model of the guide's file asks for; it has all that a model needs."""
    output, model = guide.work / "whole", Path(shutil.copytree(guide.model, guide.work / "ends-otherwise"))
    (model / "config.json").write_text(json.dumps({**json.loads((model / "config.json").read_text()), "eos_token_id": 2}))
    guide.sft("run_peft_deepspeed", output, "--model_name_or_path", model, "--use_peft_lora", "False", "--learning_rate", "1e-3", "--do_eval")
    expect(not (output / "adapter_model.safetensors").exists(), "there is an adapter")
    before, after = load_file(guide.model / "model.safetensors"), halves(output / "model.safetensors")
    expect(set(before) == set(after), "the model's tensors differ")
    same = [name for name in before if (before[name].view(np.uint32) >> 16 == after[name]).all()]
    expect(not same, f"not trained: {same[:3]}")
    (first, *_), evaluations = curves(output)
    evaluated = json.loads((output / "eval_results.json").read_text())["loss"]
    expect(abs(evaluated - evaluations[-1]) < 1e-6 * evaluated, f"evaluated at {evaluated}, in training at {evaluations[-1]}")
    expect(evaluated < first - 0.05, f"evaluated at {evaluated}, the first loss was {first}")
    # It is a model of its own: with the chat format's tokenizer, whose end of a turn ends what it says.
    end = Tokenizer.from_file(str(output / "tokenizer.json")).token_to_id("<|im_end|>")
    said = json.loads((output / "config.json").read_text())["eos_token_id"]
    expect(end == said, f"config.json: eos_token_id is {said}, expected {end}")
    ends = json.loads((output / "generation_config.json").read_text())["eos_token_id"]
    expect(ends == [end, 2], f"generation_config.json: eos_token_id is {ends}, expected {end} beside 2, which ended texts before")
    expect(json.loads((output / "tokenizer_config.json").read_text())["eos_token"] == "<|im_end|>", "the tokenizer ends otherwise")
    must([guide.bin / "zp", "generate", "--model", output, "--chat_template_format", "chatml", "--prompt", "The file", "--max_new_tokens", "4", "--quiet"])
    return f"loss {first:.3f} to {evaluated:.3f}"


def plain_model(guide):
    """A model and a tokenizer without a token of chatml's: (its directory, rows of its embeddings)."""
    folder, rows = guide.work / "plain", 600
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=rows - 3, special_tokens=["<unk>", "<s>", "</s>"], initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )  # fmt: skip
    texts = (message["content"] for line in (guide.data / "train.jsonl").open() for message in json.loads(line)["messages"])
    tokenizer.train_from_iterator(texts, trainer)
    config = guide.work / "plain.json"
    config.write_text(json.dumps({**MODEL, "vocab_size": rows, "eos_token_id": 2}))
    must([sys.executable, ROOT / "samples/base-model/make_model.py", config, "-o", folder])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", **names}))
    return folder, rows


def new_tokens(guide):
    """chatml on a tokenizer that lacks its tokens: embeddings grow to a multiple of 8 within the command, and the adapter
    takes them along under PEFT's names, so that it is whole upon the model that the user has."""
    model, rows = plain_model(guide)
    output, grown = guide.work / "grown", 608
    done = guide.sft("run_peft_deepspeed", output, "--model_name_or_path", model, "--do_eval")
    expect(ran(done.stdout) == ["tokenizer", "resize", *STEPS, "evaluate"], f"ran {ran(done.stdout)}")
    expect("makes 602 tokens (new: " in done.stderr and "600 rows" in done.stderr, done.stderr[:400])
    adapter, base = load_file(output / "adapter_model.safetensors"), load_file(model / "model.safetensors")
    for name in ("model.embed_tokens.weight", "lm_head.weight"):
        saved, old = adapter[f"base_model.model.{name}"], base[name]
        expect(saved.shape == (grown, MODEL["hidden_size"]), f"{name}: {saved.shape}")
        expect((saved[:rows] == old).all(), f"{name}: the old rows differ")
        mean = old.astype("f8").mean(axis=0).astype("f4")
        expect(abs(saved[rows:] - mean).max() < 1e-7, f"{name}: the new rows aren't the mean of the old ones")
    config = json.loads((output / "adapter_config.json").read_text())
    expect(config["base_model_name_or_path"] == str(model), f"base {config['base_model_name_or_path']}")
    tokenizer = Tokenizer.from_file(str(output / "tokenizer.json"))
    expect(tokenizer.get_vocab_size() == 602 and tokenizer.token_to_id("<|im_end|>") < 602, "the tokenizer has no new tokens")
    expect("<|im_start|>" in (output / "chat_template.jinja").read_text(), "the tokenizer has no template")
    evaluations = curves(output)[1]
    evaluated = json.loads((output / "eval_results.json").read_text())["loss"]
    expect(abs(evaluated - evaluations[-1]) < 1e-6 * evaluated, f"evaluated at {evaluated}, in training at {evaluations[-1]}")
    merged = guide.work / "merged"
    must([guide.bin / "zprun", "merge", "--model", model, "--adapter_name_or_path", output, "-o", merged])
    tensors = load_file(merged / "model.safetensors")
    same = (tensors["lm_head.weight"] == adapter["base_model.model.lm_head.weight"]).all()
    expect(same and json.loads((merged / "config.json").read_text())["vocab_size"] == grown, "the merged model has other embeddings")
    ask = ["--chat_template_format", "chatml", "--prompt", "Open the path", "--prompt", "The file", "--max_new_tokens", "8", "--quiet"]
    upon_base = must([guide.bin / "zp", "generate", "--model", model, "--adapter_name_or_path", output, *ask])
    whole = must([guide.bin / "zp", "generate", "--model", merged, *ask])
    expect(upon_base == whole and upon_base.count("--- prompt ") == 2, f"the adapter upon its base says {upon_base!r}, merged {whole!r}")
    again = ran(guide.sft("run_peft_deepspeed", output, "--model_name_or_path", model, "--do_eval").stdout)
    expect(again == [], f"run again: {again}")
    return f"{rows} rows to {grown}, evaluated at {evaluated:.3f}"


def stopped(guide):
    """SIGTERM to zp alone reaches zprun, which saves and says 75; resumed, it ends as the run that wasn't stopped."""
    script, extra = "run_peft_deepspeed", ["--num_train_epochs", "15", "--save_strategy", "no"]
    guide.sft(script, guide.work / "unstopped", *extra)
    words = guide.words(script, guide.work / "stopped", *extra)
    process = subprocess.Popen([str(w) for w in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    metrics, end = guide.work / "stopped/metrics.jsonl", time.monotonic() + 120
    while not (metrics.exists() and metrics.stat().st_size) and time.monotonic() < end and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=120)
    expect(process.returncode == 75, f"exit {process.returncode}: {errors[-300:]}")
    updates = len(curves(guide.work / "stopped")[0])
    done = guide.sft(script, guide.work / "stopped", *extra, "--resume_from_checkpoint", "True")
    expect(ran(done.stdout) == ["train"], f"resumed: ran {ran(done.stdout)}")
    bytes_of = [(guide.work / name / "adapter_model.safetensors").read_bytes() for name in ("unstopped", "stopped")]
    expect(bytes_of[0] == bytes_of[1], "the resumed run ends with another adapter")
    return f"exit 75 after {updates} of 60 updates, resumed to the same bytes"


TESTS = {
    "lora": lora,
    "qlora": qlora,
    "offloaded": offloaded,
    "schedules": schedules,
    "only what depends": only_what_depends,
    "whole model": whole_model,
    "exit codes": exit_codes,
    "new tokens": new_tokens,
    "stopped": stopped,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin")
    parser.add_argument("--only", default="", help="the tests whose names hold this word")
    chosen = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as work:
        guide = Guide(chosen.bin.resolve(), Path(work))
        for name, test in TESTS.items():
            if chosen.only not in name:
                continue
            start = time.monotonic()
            try:
                note, failures = test(guide), []
            except (Failure, OSError, KeyError, ValueError, subprocess.TimeoutExpired) as error:
                note, failures = "", [f"{type(error).__name__}: {error}"]
            tally.check(name, failures, f"{note} ({time.monotonic() - start:.0f} s)")
    return tally.close()


if __name__ == "__main__":
    sys.exit(main())
