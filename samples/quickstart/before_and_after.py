#!/usr/bin/env python3
"""What a fine-tuning has changed: the loss on held-out rows and an answer, of the base model and with the adapter.

    before_and_after.py --work samples/work --model DIR --prompt "What does `asyncio.run` do?" [--chat_template_format own] [-n 2]
"""

import argparse
import json
import math
import subprocess

BIN = "build/bin"


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True, help="has plan.fb, tokens-validation.safetensors and out/")
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompt", required=True)
    parser.add_argument("--chat_template_format", default="own")
    parser.add_argument("-n", "--ranks", default="2")
    arguments = parser.parse_args()
    adapter = f"{arguments.work}/out"

    losses = []
    for name, flags in (("before", ["--adapter", "off"]), ("after", ["--adapter_name_or_path", adapter])):
        report = json.loads(
            output(f"{BIN}/zprun", "eval", f"{arguments.work}/plan.fb", "--model", arguments.model, "--dataset",
                   f"{arguments.work}/tokens-validation.safetensors", "-n", arguments.ranks, "--quiet", *flags)
        )  # fmt: skip
        losses.append(report["loss"])
        print(f"{name:7} loss {report['loss']:.4f}, perplexity {math.exp(report['loss']):.1f} on {report['counted_tokens']:,} tokens")
    print(f"the validation loss fell by {100 * (1 - losses[1] / losses[0]):.1f} %")

    for name, flags in (("before", []), ("after", ["--adapter_name_or_path", adapter])):
        answer = output(f"{BIN}/zp", "generate", "--model", arguments.model, *flags, "--prompt", arguments.prompt, "--chat_template_format",
                        arguments.chat_template_format, "--max_new_tokens", 48, "--quiet")  # fmt: skip
        print(f"\n{name}, asked: {arguments.prompt}\n{answer.rstrip()}")


if __name__ == "__main__":
    main()
