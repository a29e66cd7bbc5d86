#!/usr/bin/env python3
"""Times a fine-tuning step of PEFT on the PyTorch that is there, in each way that may be its best: a line of JSON a way.

    peft_step.py --config samples/configs/llama-2-7b --batch 4 --length 2048 [--four_bit]

LoRA r 8 on all linears in bf16, blocks checkpointed, weights and tokens random, AdamW and clipping as in a training run; with --four_bit
NF4 with nested scales by bitsandbytes. Whatever is the reference's to choose is chosen in its favour: adapters in bf16 beside bf16
weights (no casts), the fused optimizer, no attention mask. Ways: each backend of scaled_dot_product_attention, then the blocks compiled
with the fastest. A way that fails is a line with "failed". What is missing altogether is the line {"left_out": why}.
"""

import argparse
import importlib
import json
import statistics
import sys
import time

LINEARS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def say(**line):
    print(json.dumps(line), flush=True)


def load_packages(names):
    found = {}
    for name in names:
        try:
            found[name] = importlib.import_module(name)
        except Exception as problem:  # a package that is there and doesn't load is as good as none
            say(left_out=f"{sys.executable} has no {name} that loads ({type(problem).__name__}: {problem})"[:300])
            sys.exit(0)
    return found


def quantize(model, torch, bitsandbytes, device):
    """Every linear of the blocks as transformers' BitsAndBytesConfig would have it, without a checkpoint."""
    for block in model.model.layers:
        for name, linear in list(block.named_modules()):
            if not isinstance(linear, torch.nn.Linear):
                continue
            four = bitsandbytes.nn.Linear4bit(linear.in_features, linear.out_features, bias=False, compute_dtype=torch.bfloat16,
                                              compress_statistics=True, quant_type="nf4", device="meta")
            four.weight = bitsandbytes.nn.Params4bit(linear.weight.data, requires_grad=False, compress_statistics=True, quant_type="nf4")
            parent, _, leaf = name.rpartition(".")
            setattr(block.get_submodule(parent) if parent else block, leaf, four.to(device))
    model.is_loaded_in_4bit = True  # what PEFT asks


def build(chosen, packages, device):
    torch, transformers, peft = packages["torch"], packages["transformers"], packages["peft"]
    torch.manual_seed(0)
    config = transformers.AutoConfig.from_pretrained(chosen.config)
    with torch.device(device):
        model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="sdpa", dtype=torch.bfloat16)
    model.config.use_cache = False
    if chosen.four_bit:
        quantize(model, torch, packages["bitsandbytes"], device)
    lora = peft.LoraConfig(r=8, lora_alpha=16, target_modules=LINEARS, task_type="CAUSAL_LM")
    model = peft.get_peft_model(model, lora, autocast_adapter_dtype=False)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.to(torch.bfloat16)
    model.enable_input_require_grads()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model.train(), config


class Job:
    """A model with its optimizer and random tokens, timed in whatever way is set."""

    def __init__(self, chosen, torch, model, config, device):
        self.chosen, self.torch, self.model, self.device = chosen, torch, model, device
        self.trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(self.trained, lr=1e-5, fused=device == "cuda")
        self.ids = torch.randint(0, config.vocab_size, (chosen.batch, chosen.length), device=device)

    def wait(self):
        if self.device == "cuda":
            self.torch.cuda.synchronize()

    def step(self):
        loss = self.model(input_ids=self.ids, labels=self.ids).loss
        loss.backward()
        self.torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return loss

    def time(self):
        """Tokens a second by the median step, and the last loss."""
        for _ in range(self.chosen.warm_up):
            self.step()
        seconds = []
        for _ in range(self.chosen.steps):
            self.wait()
            start = time.perf_counter()
            loss = self.step()
            self.wait()
            seconds.append(time.perf_counter() - start)
        return self.chosen.batch * self.chosen.length / statistics.median(seconds), loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--length", type=int, default=2048)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--warm_up", type=int, default=3)
    parser.add_argument("--four_bit", action="store_true")
    parser.add_argument("--device", default="cuda", help="cpu: to see that this script runs")
    chosen = parser.parse_args()
    packages = load_packages(["torch", "transformers", "peft"] + ["bitsandbytes"] * chosen.four_bit)
    torch = packages["torch"]
    if chosen.device == "cuda" and not torch.cuda.is_available():
        say(left_out=f"PyTorch {torch.__version__} sees no GPU")
        return
    say(versions=", ".join(f"{name} {package.__version__}" for name, package in packages.items()))
    model, config = build(chosen, packages, chosen.device)
    job = Job(chosen, torch, model, config, chosen.device)
    from torch.nn.attention import SDPBackend, sdpa_kernel

    best = (0.0, None)

    def try_way(way, backend):
        nonlocal best
        try:
            with sdpa_kernel([backend]):
                rate, loss = job.time()
        except Exception as problem:  # the others may do
            say(way=way, failed=f"{type(problem).__name__}: {problem}"[:300])
            return
        say(way=way, tokens_per_second=rate, loss=loss)
        best = max(best, (rate, backend), key=lambda entry: entry[0])

    backends = {"cuDNN": SDPBackend.CUDNN_ATTENTION, "flash": SDPBackend.FLASH_ATTENTION} if chosen.device == "cuda" else {"flash": SDPBackend.FLASH_ATTENTION}
    for name, backend in backends.items():
        try_way(f"{name} attention", backend)
    if best[1] is None:
        return
    # A block is compiled once and used for all: the whole model would take minutes, for nothing that is between blocks.
    for block in model.get_base_model().model.layers:
        block.compile()
    try_way("blocks compiled", best[1])


if __name__ == "__main__":
    main()
