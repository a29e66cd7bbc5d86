#!/usr/bin/env python3
"""Every op of a dialect is in its ops.mlir, and every numbered constraint of a description (C1, C2 …) has a negative test
@<op>_c<number>_<what> in its invalid.mlir. check_ops.py [ROOT]"""
import pathlib
import re
import sys

DIALECTS = {"NN": "nn", "Zero": "zero", "NF4": "nf4", "Plan": "plan"}
# `def X : Class<"mnemonic"…` up to the next def; a class that wraps Op takes the mnemonic first as well.
DEF = re.compile(r'^def\s+\w+Op\s*:\s*\w+<(?:\w+_Dialect, )?"(\w+)"', re.M)
CONSTRAINT = re.compile(r"\bC(\d+):")


def ops(td: pathlib.Path):
    text = td.read_text(encoding="utf-8")
    matches = list(DEF.finditer(text))
    for match, following in zip(matches, [*matches[1:], None]):
        body = text[match.start(): following.start() if following else len(text)]
        description = re.search(r"let description = \[\{(.*?)\}\]", body, re.S)
        numbers = {int(n) for n in CONSTRAINT.findall(description.group(1))} if description else set()
        yield match.group(1), text.count("\n", 0, match.start()) + 1, sorted(numbers)


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    problems, seen = [], 0
    for folder, prefix in DIALECTS.items():
        tests = root / "tests/lit/Dialect" / folder
        texts = {name: (tests / name).read_text(encoding="utf-8") if (tests / name).exists() else "" for name in ("ops.mlir", "invalid.mlir")}
        known = set()
        for td in sorted((root / "dialects" / folder / "IR").glob("*.td")):
            for op, line, numbers in ops(td):
                seen += 1
                where = f"{td.relative_to(root)}:{line}"
                if not re.search(rf"CHECK.*\b{prefix}\.{op}\b", texts["ops.mlir"]):
                    problems.append(f"{where}: {prefix}.{op} is not checked in {tests.relative_to(root)}/ops.mlir; add it")
                for number in numbers:
                    known.add((op, number))
                    if f"@{op}_c{number}_" not in texts["invalid.mlir"]:
                        problems.append(f"{where}: C{number} of {prefix}.{op} has no @{op}_c{number}_… in {tests.relative_to(root)}/invalid.mlir; add it")
        for number, line in enumerate(texts["invalid.mlir"].splitlines(), 1):
            match = re.search(r"@(\w+?)_c(\d+)_", line)
            if match and (match.group(1), int(match.group(2))) not in known:
                problems.append(f"{tests.relative_to(root)}/invalid.mlir:{number}: no description has C{match.group(2)} of {match.group(1)}; number it there")
    if seen == 0:
        problems.append(f"{root}:1: no ops found; give the project's root")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
