#!/usr/bin/env python3
"""Times the README's job on PEFT and prints JSON for compare.py: llama-110m's shape, bf16, LoRA r 8 on all linears, rows of random tokens, nothing
recomputed; on as many threads as there are cores. Needs PyTorch, transformers and PEFT.

    compare.py zeroplan='build/bin/zprun bench plan.fb --quiet' peft='python tests/bench/peft_cpu.py'
"""
import argparse
import json
import os
import statistics
import time
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

SHAPES = Path(__file__).resolve().parents[2] / "samples" / "configs"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default=SHAPES / "llama-110m", type=Path)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--length", type=int, default=1024)
    parser.add_argument("--steps", type=int, default=4)
    chosen = parser.parse_args()
    torch.set_num_threads(os.cpu_count())
    config = AutoConfig.from_pretrained(chosen.config)
    base = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16, attn_implementation="sdpa")
    lora = LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    model = get_peft_model(base, lora, autocast_adapter_dtype=False)  # adapters in bf16: no casts, in the reference's favour
    for parameter in model.parameters():
        parameter.data = parameter.data.to(torch.bfloat16)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, fused=True)
    ids = torch.randint(0, config.vocab_size, (chosen.batch, chosen.length))
    seconds = []
    for _ in range(1 + chosen.steps):  # the first is not timed
        start = time.perf_counter()
        model(input_ids=ids, labels=ids).loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - start)
    print(json.dumps({"tokens_per_second": chosen.batch * chosen.length / statistics.median(seconds[1:])}))


if __name__ == "__main__":
    main()
