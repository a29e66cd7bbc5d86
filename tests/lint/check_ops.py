#!/usr/bin/env python3
"""Every op of a dialect is documented and tested. Its description has semantics, constraints and an example with the op. Constraints are numbered
C1, C2 … and each has a negative test @<op>_c<number>_<what> in the dialect's invalid.mlir; the op itself is in its ops.mlir. What plan's ops demand
is mostly checked when a plan is loaded: it needs no number where the op has no verifier here, and no example. check_ops.py [ROOT]"""
import pathlib
import re
import sys

from extract_fences import FENCE

DIALECTS = {"NN": "nn", "Zero": "zero", "NF4": "nf4", "Plan": "plan"}
# `def X : Class<"mnemonic"…` up to the next def; a class that wraps Op takes the mnemonic first as well.
DEF = re.compile(r'^def\s+\w+Op\s*:\s*\w+<(?:\w+_Dialect, )?"(\w+)"', re.M)
DESCRIPTION = re.compile(r"let description = \[\{(.*?)\}\]", re.S)
CONSTRAINT = re.compile(r"\bC(\d+):")


def ops(td: pathlib.Path):
    """Mnemonic, line, body and description of each op of a file."""
    text = td.read_text(encoding="utf-8")
    matches = list(DEF.finditer(text))
    for match, following in zip(matches, [*matches[1:], None]):
        body = text[match.start(): following.start() if following else len(text)]
        description = DESCRIPTION.search(body)
        yield match.group(1), text.count("\n", 0, match.start()) + 1, body, description.group(1) if description else ""


def numbers_of(description: str) -> list[int]:
    return sorted({int(number) for number in CONSTRAINT.findall(description)})


def lacks(op: str, body: str, description: str):
    """What an op's description doesn't have; `op` with its dialect."""
    if not description.strip():
        yield "has no description; write semantics, constraints and an example"
        return
    numbers, of_plan = numbers_of(description), op.startswith("plan.")
    if "Constraints" not in description:
        yield "has no Constraints; say what it demands"
    elif not numbers and (not of_plan or "let hasVerifier = 1" in body):
        yield "has no numbered constraints; say `Constraints: C1: …`"
    elif numbers != list(range(1, len(numbers) + 1)):
        yield f"numbers its constraints {numbers}; number them from C1 on"
    if not of_plan and not any(re.search(rf"\b{re.escape(op)}\b", fence) for fence in FENCE.findall(description)):
        yield "has no example; add an mlir fence with the op"


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    problems, seen = [], 0
    for folder, prefix in DIALECTS.items():
        tests = root / "tests/lit/Dialect" / folder
        texts = {name: (tests / name).read_text(encoding="utf-8") if (tests / name).exists() else "" for name in ("ops.mlir", "invalid.mlir")}
        known = set()
        for td in sorted((root / "dialects" / folder / "IR").glob("*.td")):
            for op, line, body, description in ops(td):
                seen += 1
                where = f"{td.relative_to(root)}:{line}"
                problems += [f"{where}: {prefix}.{op} {lack}" for lack in lacks(f"{prefix}.{op}", body, description)]
                if not re.search(rf"CHECK.*\b{prefix}\.{op}\b", texts["ops.mlir"]):
                    problems.append(f"{where}: {prefix}.{op} is not checked in {tests.relative_to(root)}/ops.mlir; add it")
                for number in numbers_of(description):
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
