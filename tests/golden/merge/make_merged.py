#!/usr/bin/env python3
"""Merges the adapters of some golden cases into their bases with PEFT, for tests/integration/merge_test.py (README.md).

NAME.safetensors gets every tensor that the merge changes, in the dtype that PEFT leaves it in, of the last layer and of what
lies outside the layers. `safe_merge` is a second run. A base in 4 bits is dequantised by transformers first."""

import os
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="", TRANSFORMERS_VERBOSITY="error")

import torch  # noqa: E402
from peft import PeftModel  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

HERE = Path(__file__).resolve().parent
CASES = {  # name: safe_merge too
    "qwen3_patterns": False,
    "llama_gqa_bf16": True,
    "llama_bias_all": False,
    "llama_modules_to_save": False,
    "llama_qlora_prequantised": False,
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


def main():
    torch.set_num_threads(1)
    for name, safe_too in CASES.items():
        case = HERE.parent / "cases" / name
        tensors = merged(case, False)
        if safe_too:
            tensors |= {f"safe_merge/{name}": tensor for name, tensor in merged(case, True).items()}
        save_file(tensors, HERE / f"{name}.safetensors")
        print(name, len(tensors), {str(tensor.dtype) for tensor in tensors.values()})


if __name__ == "__main__":
    main()
