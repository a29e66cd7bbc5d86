#!/usr/bin/env python3
"""Prints the mlir fences of all .td files of the given folders, split for --split-input-file, so that zp-opt can parse and verify them. A fence may
use values that it doesn't define: each is defined before it, by an "example.value" of the type that its first use prints; symbols have to be in the
fence. op_examples.py FOLDER..."""
import pathlib
import re
import sys

from extract_fences import FENCE

# A line that begins with an op: results, if any, and its name. Other lines continue the one before.
STATEMENT = re.compile(r"^\s*(?:(%[\w, %]+?) = )?(\w+\.\w+)(.*)$")
VALUE = re.compile(r"%\w+")
OPEN, CLOSE = "([{<", ")]}>"


def split(text: str, separator: str) -> list[str]:
    """Splits where no bracket is open; the > of an arrow closes none."""
    parts, depth, at = [""], 0, 0
    while at < len(text):
        if depth == 0 and text.startswith(separator, at):
            parts.append("")
            at += len(separator)
            continue
        step = "->" if text.startswith("->", at) else text[at]
        depth += (step in OPEN) - (step in CLOSE)
        parts[-1] += step
        at += len(step)
    return [part.strip() for part in parts]


def statements(fence: str):
    """Results of each op of a fence, and its operands with their types as they are printed."""
    lines = []
    for line in fence.splitlines():
        line = line.split("//")[0]
        if STATEMENT.match(line):
            lines.append(line)
        elif lines and not re.match(r"\s*[}#!]", line):
            lines[-1] += " " + line.strip()
    for line in lines:
        results, _, rest = STATEMENT.match(line).groups()
        before, *types = split(rest, " : ")
        operands = VALUE.findall(re.sub(r"\{.*?\}", "", before))
        types = split(types[0], "->")[0] if types else ""
        types = split(types[1:-1] if types.startswith("(") else types, ",")
        if len(types) == 1:  # one type for all of them
            types *= len(operands)
        yield VALUE.findall(results or ""), list(zip(operands, types))


def complete(fence: str) -> str:
    """The fence behind definitions of what it lacks."""
    known, free = set(), {}
    for results, operands in statements(fence):
        for name, kind in operands:
            if name not in known:
                free.setdefault(name, kind)
        known.update(results)
    return "".join(f'{name} = "example.value"() : () -> {kind}\n' for name, kind in free.items()) + fence


def main() -> int:
    examples, problems = [], []
    for folder in map(pathlib.Path, sys.argv[1:]):
        count = len(examples)
        for td in sorted(folder.rglob("*.td")):
            text = td.read_text(encoding="utf-8")
            for match in FENCE.finditer(text):
                examples.append(f"// {td}:{text.count(chr(10), 0, match.start()) + 1}\n{complete(match.group(1))}")
        if count == len(examples):
            problems.append(f"{folder}: no .td file here has an mlir fence; give a folder with examples")
    print("// -----\n".join(examples), end="")
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
