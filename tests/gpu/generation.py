#!/usr/bin/env python3
"""Times how a plan continues prompts on a GPU: a row of tests/gpu/run.sh.

    generation.py --bin DIR --plan FILE [--rates FILE] -- FLAGS OF zpc import

Imports, compiles for cuda, runs `zprun bench`. The last line has new tokens a second once prompts are read, how fast the plan's weights were then
read (all of them for a token of every prompt), beside the copy bandwidth, and the device's memory. There is no bar for tokens. Exit 1 when the
memory that the device gave is more than the plan's peak and the reserve of a process.
"""

import argparse
import json
from pathlib import Path

from card import RESERVE, Watch, call, make_plan, run_row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--plan", type=Path, required=True, help="where the plan is written")
    parser.add_argument("--rates", type=Path, help="what cuda_rates said: the copy bandwidth")
    parser.add_argument("flags", nargs="+", help="of zpc import")
    chosen = parser.parse_args()

    def work(row):
        planned = make_plan(chosen.bin, chosen.plan, chosen.flags)
        weights = json.loads(call([chosen.bin / "zpc", "explain", chosen.plan, "--memory", "--json"]))["spaces"]["device"]["by_kind"]["weights"]
        watch = Watch()
        try:
            report = json.loads(call([chosen.bin / "zprun", "bench", chosen.plan, "--warm_up", "1", "--steps", "3"]))
        finally:
            watch.close()
        decoded, prompts = report["decoded_tokens_per_second"], report["prompts"]
        read = weights * decoded / prompts
        row.say(f"{decoded:.0f} new tokens/s of {prompts} prompts, the first after {report['first_token_seconds'] * 1e3:.0f} ms of {report['prompt_tokens']} tokens each")
        row.say(f"{weights / 1e9:.2f} GB of weights once a token: {read / 1e12:.2f} TB/s")
        if chosen.rates and chosen.rates.exists():
            row.say(f"{read / json.loads(chosen.rates.read_text())['copy_bytes_per_second']:.3f} of the copy bandwidth")
        row.say(f"device {watch.taken() / 1e9:.2f} GB of {planned / 1e9:.2f} planned")
        row.hold(watch.taken() <= planned + RESERVE, f"more memory than planned and {RESERVE / 1e9:.1f} GB")

    run_row(work)


if __name__ == "__main__":
    main()
