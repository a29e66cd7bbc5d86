#!/usr/bin/env python3
"""Merges the adapters of some golden cases into their bases with PEFT, for tests/integration/merge_test.py (README.md).

NAME.safetensors gets every tensor that the merge changes, in the dtype that PEFT leaves it in, of the last layer and of what
lies outside the layers. `safe_merge` is a second run. A base in 4 bits is dequantised by transformers first.
four_bit/NAME.safetensors: the adapter merged into the base in 4 bits, which PEFT quantises anew; with the tensors that describe a
weight, again of the last layer. Where the case's base isn't in 4 bits, it is quantised as FOUR_BIT says."""

import os
import tempfile
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="", TRANSFORMERS_VERBOSITY="error")

import torch  # noqa: E402
from peft import PeftModel  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402
from transformers import AutoModelForCausalLM, BitsAndBytesConfig  # noqa: E402

HERE = Path(__file__).resolve().parent
CASES = {  # name: safe_merge too
    "qwen3_patterns": False,
    "llama_gqa_bf16": True,
    "llama_bias_all": False,
    "llama_modules_to_save": False,
    "llama_qlora_prequantised": False,
}


FOUR_BIT = {  # name: how its base is quantised, if it isn't
    "llama_qlora_prequantised": None,
    "qwen2_qlora_prequantised_fp4": None,
    "llama_gqa_bf16": {"bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True, "bnb_4bit_compute_dtype": torch.bfloat16},
}


def base(case):
    model = AutoModelForCausalLM.from_pretrained(case / "model", dtype="auto")
    return model.dequantize() if getattr(model, "is_quantized", False) else model


def merged(case, safe):
    """{name: tensor} of the merged model's changed tensors."""
    before = {name: tensor.clone() for name, tensor in base(case).state_dict().items()}
    model = PeftModel.from_pretrained(base(case), str(case / "adapter"))
    after = model.merge_and_unload(safe_merge=safe).state_dict()
    assert before.keys() == after.keys()
    return {
        name: tensor.contiguous()
        for name, tensor in after.items()
        if "layers.0." not in name and not torch.equal(tensor, before[name])
    }


def merged_in_four_bits(case, how):
    """{name: tensor} of the weights in 4 bits that the merge changes, and of what stands beside them."""
    with tempfile.TemporaryDirectory() as folder:
        directory = case / "model"
        if how:
            settings = BitsAndBytesConfig(load_in_4bit=True, **how)
            model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.bfloat16, quantization_config=settings)
            model.save_pretrained(folder)
            directory = folder
        model = AutoModelForCausalLM.from_pretrained(directory, dtype="auto")
    model = PeftModel.from_pretrained(model, str(case / "adapter")).merge_and_unload()
    changed = {module.removesuffix(".lora_A.weight").removeprefix("base_model.model.") for module in load_file(case / "adapter/adapter_model.safetensors")}
    return {
        name: tensor.contiguous()
        for name, tensor in model.state_dict().items()
        if "layers.0." not in name and name.split(".weight")[0] in changed
    }


def main():
    torch.set_num_threads(1)
    for name, safe_too in CASES.items():
        case = HERE.parent / "cases" / name
        tensors = merged(case, False)
        if safe_too:
            tensors |= {f"safe_merge/{name}": tensor for name, tensor in merged(case, True).items()}
        save_file(tensors, HERE / f"{name}.safetensors")
        print(name, len(tensors), {str(tensor.dtype) for tensor in tensors.values()})
    (HERE / "four_bit").mkdir(exist_ok=True)
    for name, how in FOUR_BIT.items():
        tensors = merged_in_four_bits(HERE.parent / "cases" / name, how)
        save_file(tensors, HERE / f"four_bit/{name}.safetensors")
        print(name, "in 4 bits", len(tensors))


if __name__ == "__main__":
    main()
