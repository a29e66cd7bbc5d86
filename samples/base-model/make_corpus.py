#!/usr/bin/env python3
"""The base model's text: the sources of Python's standard library, and once more what they document, each name with its
signature above its docstring. The modules that the quickstart validates on are left out, or kept alone (`--validation`).

    make_corpus.py -o corpus.jsonl [--validation] [--library /usr/lib/python3.11]
"""

import argparse
import ast
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "quickstart"))
from standard_library import documented, is_held_out, modules  # noqa: E402


def reference(tree, module):
    """A module as a page of documentation."""
    for node, name, text in documented(tree, module):
        if isinstance(node, ast.Module):
            yield f"module {name}\n{text}"
        elif isinstance(node, ast.ClassDef):
            yield f"class {name}\n{text}"
        else:
            yield f"{name}({ast.unparse(node.args)})\n{text}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--library", help="the standard library's folder [this Python's]")
    parser.add_argument("--validation", action="store_true", help="the modules that are held out, instead of the others")
    arguments = parser.parse_args()

    documents = characters = 0
    with open(arguments.output, "w", encoding="utf-8") as file:
        for name, source, tree in modules(arguments.library):
            if is_held_out(name) != arguments.validation:
                continue
            for text in (source, "\n\n".join(reference(tree, name))):
                if len(text) < 100:
                    continue
                file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")
                documents += 1
                characters += len(text)
    print(f"{arguments.output}: {documents} documents, {characters:,} characters")


if __name__ == "__main__":
    main()
