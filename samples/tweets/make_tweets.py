#!/usr/bin/env python3
"""Messages to a shop and to its friends in the layout of the RAFT set of the PEFT guide (`Tweet text`, `ID`, `Label`), drawn from a
seed: a complaint is about something that the shop did wrong, no complaint is anything else, Unlabeled is a message that says
nothing to anyone. Words of one class turn up in the others too ("never been late"), so no single word gives the class away.

    make_tweets.py -o DIR [--rows 2400] [--held_out 300]      DIR/train.csv, DIR/test.csv; no text is in both

`--parquet` writes Parquet files whose schema names the classes, as the hub's have it, with their numbers for labels.
"""

import argparse
import csv
import json
import pathlib
import random

CLASSES = ["Unlabeled", "complaint", "no complaint"]
SHOPS = ["@Shop", "@Trains", "@PhoneCo", "@Bank", "@Airways", "@Grocer"]
THINGS = ["order", "train", "phone", "card", "flight", "parcel", "bill", "ticket", "bag", "refund"]
TIMES = ["today", "again", "this morning", "since Monday", "for two weeks", "last night"]
WRONG = [
    "my {thing} never came {time}", "the {thing} is broken {time}", "you lost my {thing} {time}", "my {thing} is late {time}",
    "still no {thing} {time}", "my {thing} was the wrong one {time}", "nobody answers about my {thing} {time}",
    "you took my money and no {thing} {time}", "the {thing} stopped working {time}", "worst {thing} ever {time}",
]  # fmt: skip
RIGHT = [
    "my {thing} came early {time}", "the {thing} works well {time}", "thanks for the {thing} {time}", "love the new {thing} {time}",
    "my {thing} was never late {time}", "when does the {thing} open {time}?", "nothing wrong with my {thing} {time}",
    "how do I change my {thing} {time}?", "you found my lost {thing} {time}", "best {thing} ever {time}",
]  # fmt: skip
NOTHING = [
    "good morning {friend} {time}", "rain with {friend} {time}", "listening to {friend} {time}", "saying hello to {friend} {time}",
    "look at this picture of {friend} {time}", "lunch with {friend} {time}", "happy birthday {friend} {time}", "going home {friend} {time}",
    "what a game {friend} {time}", "coffee and {friend} {time}",
]  # fmt: skip
FRIENDS = ["Ana", "Bo", "my sister", "everyone", "the dog", "the team"]
ENDS = ["", "!", " :)", " :(", " please help", " #monday", " ok", "..."]


def tweet(rng, name):
    said = rng.choice({"complaint": WRONG, "no complaint": RIGHT, "Unlabeled": NOTHING}[name])
    words = said.format(thing=rng.choice(THINGS), time=rng.choice(TIMES), friend=rng.choice(FRIENDS))
    shop = "" if name == "Unlabeled" else rng.choice(SHOPS)
    return " ".join([shop, words] if rng.random() < 0.5 else [words, shop]).strip() + rng.choice(ENDS)


def tweets(seed, count, others=()):
    """`count` of them, no two alike and none among others, every class as often as the others."""
    rng, seen, rows = random.Random(seed), set(others), []
    while len(rows) < count:
        name = CLASSES[len(rows) % len(CLASSES)]
        text = tweet(rng, name)
        if text not in seen:
            seen.add(text)
            rows.append({"Tweet text": text, "ID": 0, "Label": name})
    rng.shuffle(rows)
    for number, row in enumerate(rows):
        row["ID"] = number
    return rows


def writeCsv(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def writeParquet(path, rows):
    import pyarrow
    import pyarrow.parquet

    numbered = [{**row, "Label": CLASSES.index(row["Label"])} for row in rows]
    features = {"info": {"features": {"Label": {"names": [name.replace(" ", "_") for name in CLASSES], "_type": "ClassLabel"}}}}
    table = pyarrow.Table.from_pylist(numbered).replace_schema_metadata({"huggingface": json.dumps(features)})
    pyarrow.parquet.write_table(table, path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", required=True, type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=2400, help="to train on [2400]")
    parser.add_argument("--held_out", type=int, default=300, help="to test on [300]")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--apart_from", type=pathlib.Path, metavar="CSV", help="no text of that file")
    parser.add_argument("--parquet", action="store_true")
    arguments = parser.parse_args()
    others = []
    if arguments.apart_from:
        with open(arguments.apart_from, encoding="utf-8", newline="") as file:
            others = [row["Tweet text"] for row in csv.DictReader(file)]
    rows = tweets(arguments.seed, arguments.rows + arguments.held_out, others)
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, part in (("train", rows[: arguments.rows]), ("test", rows[arguments.rows :])):
        if not part:
            continue
        path = arguments.output / f"{name}.{'parquet' if arguments.parquet else 'csv'}"
        (writeParquet if arguments.parquet else writeCsv)(path, part)
        print(f"{path}: {len(part)} rows")


if __name__ == "__main__":
    main()
