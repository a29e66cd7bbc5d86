#!/usr/bin/env python3
"""Draws models' directories and adapters, merges, quantizes and resizes them with PEFT, bitsandbytes and transformers and with zprun, and
compares what is written. Needs PyTorch and PEFT (README.md: environment), so it isn't among tests/run.sh's and no part of CI.

    peers/bin/python tests/golden/compare_files.py [--bin build/bin] [--verb merge quantize resize] [--first 0] [--count 20] [--keep DIR]

A case is drawn from its verb and number alone (reference/draw_files.py). Prints a line a case:

    equal                      merge: every tensor of the model that transformers opens, within 2e-6 of the largest element in fp32, a step of the
                               last place in 16 bits, 2 % of the codes in 4 bits, and config.json; a tied head or embedding that the adapter
                               changes: the logits of base and adapter, as PEFT's merge changes both
                               quantize: every file, bit for bit. resize: everything but new rows, which are the old ones' mean
    both refuse, refused by ours, refused by the reference, DIFFERENT, CRASHED: as compare_random.py has them

The last line counts them. Exit 1 when any is DIFFERENT or CRASHED.
"""

import filecmp
import functools
import json
import sys

from compare_random import asked, compare_cases, numbers, parser_of_cases  # first: it sets the environment
import torch
from integration.support import pipeline
from integration.support.golden_case import spell_flags
from peft import LoraConfig, PeftModel, get_peft_model
from reference import four_bit
from reference.draw_files import FileDraw, draw_files, write_base
from safetensors.torch import load_file, save_file
from transformers.models.falcon import modeling_falcon
from transformers.utils import logging

VERBS = ("merge", "quantize", "resize")
# What the reference writes by itself, or for its own models' sake.
UNCOMPARED = {"_name_or_path", "transformers_version", "quantization_config", "architectures", "pretraining_tp"}


def open_base(found, folder, dtype="auto"):
    """The base that the adapter was trained on: of floats unless it stays in 4 bits, with as many tokens."""
    model = found.kind.from_pretrained(folder / "model", dtype=dtype)
    if found.four is not None and "requantize" not in found.flags:
        model = model.dequantize()
    if found.verb == "merge" and found.resize:
        model.resize_token_embeddings(model.config.vocab_size + found.resize, mean_resizing=False)
    return model


def write_adapter(found, folder):
    base = found.kind.from_pretrained(folder / "model", dtype=torch.float32)
    base = base.dequantize() if found.four is not None else base
    if found.resize:
        base.resize_token_embeddings(base.config.vocab_size + found.resize, mean_resizing=False)
    base.name_or_path = str(folder / "model")
    task = "SEQ_2_SEQ_LM" if found.case.seq2seq else "CAUSAL_LM"
    peft = get_peft_model(base, LoraConfig(task_type=task, **found.lora))
    with torch.no_grad():
        for name, parameter in peft.named_parameters():
            if "lora_B" in name or "lora_embedding_A" in name:
                parameter.normal_(0.0, 0.1)
            elif parameter.requires_grad and "lora_A" not in name:
                parameter.add_(torch.randn_like(parameter) * 0.1)
    peft.save_pretrained(folder / "adapter")
    path = folder / "adapter/adapter_model.safetensors"
    if found.adapter_dtype:
        narrow = {name: tensor.to(getattr(torch, found.adapter_dtype)) for name, tensor in load_file(path).items()}
        save_file(narrow, path, metadata={"format": "pt"})


def logits(found, model):
    ids = torch.arange(3, 21).reshape(2, 9)
    more = {"decoder_input_ids": ids[:, :5]} if found.case.seq2seq else {}
    with torch.no_grad():
        return model.eval().float()(input_ids=ids, **more, use_cache=False).logits


def gap_of_tensors(name, want, got, before):
    """What is wrong, or nothing. `before`: of the base, as a sum may be small that is of two large ones."""
    if want.dtype != got.dtype or want.shape != got.shape:
        return f"{got.dtype} {tuple(got.shape)}, expected {want.dtype} {tuple(want.shape)}"
    if not want.is_floating_point():
        apart = (want != got).float().mean().item()
        return f"{apart:.1%} of {want.numel()} bytes differ" if apart > 0.02 and want.numel() >= 50 else ""
    want, got, eps = want.double(), got.double(), torch.finfo(want.dtype).eps
    apart, limit = (want - got).abs(), 2e-6 * want.abs().max()
    if eps > 1e-6:
        largest = want.abs()
        if before is not None and before.shape == want.shape:
            largest = torch.maximum(largest, torch.maximum(before.double().abs(), (want - before.double()).abs()))
        limit = largest * eps * 1.01 + 1e-7
    return f"{(apart > limit).sum()} of {want.numel()} elements, by {apart.max():.1e}" if not (apart <= limit).all() else ""


def as_bytes(tensors):
    """Codes that are labelled as floats, as the bytes that they are."""
    return {name: tensor.contiguous().view(torch.uint8) if f"{name}.absmax" in tensors else tensor for name, tensor in tensors.items()}


def gaps_of_models(want, got, before):
    """What differs of two models; the text of nested scales' offset may be of another length."""
    wanted, found = as_bytes(want.state_dict()), as_bytes(got.state_dict())
    said = [f"tensors {sorted(wanted.keys() ^ found.keys())[:3]}"] if wanted.keys() != found.keys() else []
    for name in wanted.keys() & found.keys():
        if ".quant_state." not in name and (gap := gap_of_tensors(name, wanted[name], found[name], before.get(name))):
            said.append(f"{name}: {gap}")
    wanted, found = (json.loads(model.config.to_json_string(use_diff=False)) for model in (want, got))
    if want.config.model_type in ("t5", "mt5"):  # whose class says true, whatever is so
        wanted.pop("tie_word_embeddings"), found.pop("tie_word_embeddings")
    for name in sorted((wanted.keys() | found.keys()) - UNCOMPARED):
        if wanted.get(name) != found.get(name):
            said.append(f"config.json: {name}: {found.get(name)}, expected {wanted.get(name)}")
    return said


def changes_a_tied_pair(found, model, folder):
    names = load_file(folder / "adapter/adapter_model.safetensors")
    return model.config.tie_word_embeddings and any(f".{part}" in name for name in names for part in (f"{found.embedding}.", "lm_head."))


def merge(found, folder):
    """(the reference's work, the comparison)"""

    def refer():
        base = open_base(found, folder)
        return {name: tensor.clone() for name, tensor in base.state_dict().items()}, PeftModel.from_pretrained(base, str(folder / "adapter"))

    def compare(reference):
        before, peft = reference
        ours = found.kind.from_pretrained(folder / "ours", dtype="auto")
        if changes_a_tied_pair(found, peft, folder):
            if found.four is not None:
                return []
            want, got = logits(found, peft), logits(found, ours)
            apart = (want - got).abs().max() / want.abs().max() if want.shape == got.shape else float("inf")
            return [] if apart <= (1e-3 if found.case.stored == "float32" else 1e-1) else [f"logits {apart:.1e} apart"]
        return gaps_of_models(peft.merge_and_unload(safe_merge="safe_merge" in found.flags), ours, before)

    return refer, compare, ["--adapter_name_or_path", folder / "adapter"]


def quantize(found, folder):
    def refer():
        modeling_falcon.FalconLinear = torch.nn.Linear  # transformers 4 quantises Falcon's linears, 5.23 plain ones alone
        flags = found.flags
        settings = four_bit.BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=flags.get("bnb_4bit_quant_type", "nf4"),
            bnb_4bit_use_double_quant="use_nested_quant" in flags,
            bnb_4bit_quant_storage=flags.get("bnb_4bit_quant_storage_dtype"),
            bnb_4bit_compute_dtype=flags.get("bnb_4bit_compute_dtype"),
        )
        dtype = {"dtype": getattr(torch, flags["dtype"])} if "dtype" in flags else {}
        model = found.kind.from_pretrained(folder / "model", quantization_config=settings, **dtype)
        model.save_pretrained(folder / "theirs", **{name: flags[name] for name in ("max_shard_size",) if name in flags})

    def compare(_):
        names = [{path.name for path in (folder / whose).iterdir()} for whose in ("theirs", "ours")]
        said = [f"files {sorted(names[0] ^ names[1])}"] if names[0] != names[1] else []
        return said + [
            f"{name} differs"
            for name in sorted(names[0] & names[1])
            if not filecmp.cmp(folder / "theirs" / name, folder / "ours" / name, shallow=False)
        ]

    return refer, compare, []


def resize(found, folder):
    rows = json.loads((folder / "model/config.json").read_text())["vocab_size"] + found.resize

    def refer():
        model = found.kind.from_pretrained(folder / "model", dtype="auto")
        before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        model.resize_token_embeddings(rows, pad_to_multiple_of=found.flags.get("pad_to_multiple_of", 8), mean_resizing=False)
        state = model.state_dict()
        if found.case.own_head:  # the reference ties it, and loses the head
            state["lm_head.weight"] = torch.empty_like(state["lm_head.weight"])
        with torch.no_grad():
            for name, tensor in state.items():
                if name in before and tensor.shape != before[name].shape and name != "final_logits_bias":
                    old = before[name]
                    tensor[: len(old)], tensor[len(old) :] = old, old.double().mean(0).to(old.dtype)
        return before, model, state

    def compare(reference):
        before, model, state = reference
        ours = found.kind.from_pretrained(folder / "ours", dtype="auto")
        model.state_dict = lambda: {**state, **{name: state[name].to(before[name].dtype) for name in state if name == "final_logits_bias"}}
        return gaps_of_models(model, ours, before)

    return refer, compare, ["--vocab_size", rows]


def run_case(found, folder, chosen):
    """(outcome, text)"""
    folder.mkdir()
    reference = refusal = None
    try:
        write_base(found, folder / "model")
        if found.verb == "merge":
            write_adapter(found, folder)
    except Exception as problem:  # the libraries refuse with exceptions of every kind
        return "both refuse", f"nothing to start from: {type(problem).__name__}"
    refer, compare, words = {"merge": merge, "quantize": quantize, "resize": resize}[found.verb](found, folder)
    try:
        reference = refer()
    except Exception as problem:
        refusal = f"{type(problem).__name__}: {' '.join(str(problem).split())[:200]}"
    words = [chosen.bin / "zprun", found.verb, "--model", folder / "model", *words, "-o", folder / "ours", "--quiet", *spell_flags(found.flags)]
    refused, _ = asked(lambda: pipeline.call(words, chosen.timeout), refusal)
    if refused:
        return refused
    try:
        said = compare(reference)
    except Exception as problem:  # what zprun wrote can't be opened
        said = [f"{type(problem).__name__}: {' '.join(str(problem).split())[:200]}"]
    return ("DIFFERENT", "; ".join(said[:4])) if said else ("equal", "")


def main():
    parser = parser_of_cases(__doc__)
    parser.add_argument("--verb", nargs="+", choices=VERBS, default=VERBS, help="what is asked of zprun; --count of each")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    logging.set_verbosity_error()
    cases = (case for verb in chosen.verb for case in numbers(chosen, functools.partial(draw_files, verb)))
    sys.exit(compare_cases(chosen, cases, FileDraw.describe, run_case))


if __name__ == "__main__":
    main()
