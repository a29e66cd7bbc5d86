#!/usr/bin/env python3
"""Question and answer chats from the docstrings of Python's standard library: "What does `os.path.join` do?" and its
docstring. One module in twelve is for validation: the base model of samples/base-model has not seen it either.

    make_chats.py --split train -o chats.jsonl            rows of messages
    make_chats.py --split train --plain -o chats.jsonl    rows of prompt and completion, for a tokenizer without a chat template
"""

import argparse
import ast
import inspect
import json

from standard_library import documented, is_held_out, modules

QUESTIONS = {
    ast.Module: "What is the module `{}` for?",
    ast.ClassDef: "What is the class `{}`?",
    ast.FunctionDef: "What does `{}` do?",
    ast.AsyncFunctionDef: "What does `{}` do?",
}


def answer(text, longest):
    """The docstring's first paragraphs that together have at most `longest` characters; at least one, cut at a line."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    kept = paragraphs[0]
    for paragraph in paragraphs[1:]:
        if len(kept) + 2 + len(paragraph) > longest:
            break
        kept += "\n\n" + paragraph
    return kept[:longest].rstrip()


def chats(split, longest):
    """(question, answer), each once."""
    seen = set()
    for module, _, tree in modules():
        if split != "all" and is_held_out(module) != (split == "validation"):
            continue
        for node, name, text in documented(tree, module):
            row = QUESTIONS[type(node)].format(name), answer(text, longest)
            if len(row[1]) >= 20 and row not in seen:
                seen.add(row)
                yield row


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--split", choices=("train", "validation", "all"), default="all")
    parser.add_argument("--plain", action="store_true", help="prompt + completion rows")
    parser.add_argument("--longest", type=int, default=400, help="characters of an answer [400]")
    arguments = parser.parse_args()

    count = 0
    with open(arguments.output, "w", encoding="utf-8") as file:
        for question, reply in chats(arguments.split, arguments.longest):
            if arguments.plain:
                row = {"prompt": question, "completion": "\n" + reply}
            else:
                row = {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]}
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    print(f"{arguments.output}: {count} chats")


if __name__ == "__main__":
    main()
