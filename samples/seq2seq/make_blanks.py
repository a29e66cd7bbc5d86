#!/usr/bin/env python3
"""What the small T5 is pre-trained on: messages with some words left out, and the words. No label is in it.

make_blanks.py messages.csv -o blanks.jsonl [--times 2]
"""

import argparse
import csv
import json
import random

BLANK = "<extra_id_0>"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("messages", help="CSV with a column Tweet text")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--times", type=int, default=2, help="blanks of a message, each in a row of its own [2]")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    with open(arguments.messages, encoding="utf-8", newline="") as file:
        messages = [row["Tweet text"].split() for row in csv.DictReader(file)]
    with open(arguments.output, "w", encoding="utf-8") as file:
        for words in messages * arguments.times:
            count = rng.randint(1, min(2, len(words) - 1)) if len(words) > 1 else 1
            start = rng.randrange(len(words) - count + 1)
            source = [*words[:start], BLANK, *words[start + count :]]
            row = {"prompt": " ".join(source), "completion": " ".join(words[start : start + count])}
            file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
