#!/usr/bin/env python3
"""Question and answer chats from the docstrings of Python's standard library: "What does `os.path.join` do?" and its
docstring. The sources are parsed, never imported.

    make_chats.py -o chats.jsonl            rows of messages
    make_chats.py --plain -o chats.jsonl    rows of prompt and completion, for a tokenizer without a chat template
"""

import argparse
import ast
import inspect
import json
import pathlib
import sysconfig

# Not for a reader of the documentation: tests, programs, other people's packages, and files that aren't modules.
SKIPPED = {"test", "tests", "idlelib", "lib2to3", "turtledemo", "site-packages", "dist-packages", "ensurepip", "__phello__"}
PUBLIC_NAMES = {"posixpath": "os.path", "collections.abc": "collections.abc"}
QUESTIONS = {
    ast.Module: "What is the module `{}` for?",
    ast.ClassDef: "What is the class `{}`?",
    ast.FunctionDef: "What does `{}` do?",
    ast.AsyncFunctionDef: "What does `{}` do?",
}


def modules(library):
    """(dotted name, file) of each public module, in order."""
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts and not SKIPPED & set(parts) and not any(part.startswith("_") or "-" in part for part in parts):
            name = ".".join(parts)
            yield PUBLIC_NAMES.get(name, name), path


def documented(tree, name):
    """(question, docstring) of a module, its public classes, functions and methods."""
    if text := ast.get_docstring(tree):
        yield QUESTIONS[type(tree)].format(name), text
    if isinstance(tree, (ast.Module, ast.ClassDef)):
        for node in tree.body:
            if isinstance(node, tuple(QUESTIONS)) and not node.name.startswith("_"):
                yield from documented(node, f"{name}.{node.name}")


def answer(text, longest):
    """The docstring's first paragraphs that together have at most `longest` characters; at least one, cut at a line."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    kept = paragraphs[0]
    for paragraph in paragraphs[1:]:
        if len(kept) + 2 + len(paragraph) > longest:
            break
        kept += "\n\n" + paragraph
    return kept[:longest].rstrip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--plain", action="store_true", help="prompt + completion rows")
    parser.add_argument("--longest", type=int, default=400, help="characters of an answer [400]")
    arguments = parser.parse_args()

    count, seen = 0, set()
    with open(arguments.output, "w", encoding="utf-8") as file:
        for name, path in modules(pathlib.Path(sysconfig.get_path("stdlib"))):
            try:
                tree = ast.parse(path.read_text(encoding="utf-8"))
            except (SyntaxError, UnicodeDecodeError):  # a template or a file in another encoding
                continue
            for question, text in documented(tree, name):
                reply = answer(text, arguments.longest)
                if len(reply) < 20 or (question, reply) in seen:
                    continue
                seen.add((question, reply))
                if arguments.plain:
                    row = {"prompt": question, "completion": "\n" + reply}
                else:
                    row = {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                count += 1
    print(f"{arguments.output}: {count} chats")


if __name__ == "__main__":
    main()
