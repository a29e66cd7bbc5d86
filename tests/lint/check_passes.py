#!/usr/bin/env python3
"""A pass is three files that are found by spelling: def InsertGathersPass and flag zero-insert-gathers in a Passes.td,
InsertGathers.cpp beside it, and its lit test. This proves the bijection. check_passes.py [ROOT]"""
import pathlib
import re
import sys

PASS = re.compile(r'^def\s+(\w+)Pass\s*:\s*\w+<"([^"]+)"', re.M)
# Where a folder of passes has its tests, and the prefix of its flags.
FOLDERS = {
    "compiler/Transforms/NN": ("tests/lit/Transforms/NN", "nn-"),
    "compiler/Transforms/NF4": ("tests/lit/Transforms/NF4", "nf4-"),
    "compiler/Transforms/Zero": ("tests/lit/Transforms/Zero", "zero-"),
    "compiler/Transforms/Plan": ("tests/lit/Transforms/Plan", "plan-"),
    "compiler/Conversion/ToPlan": ("tests/lit/Conversion/ToPlan", ""),
}


def kebab(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


def check(root: pathlib.Path, folder: str, tests: str, prefix: str) -> list[str]:
    problems = []
    td = root / folder / "Passes.td"
    text = td.read_text(encoding="utf-8")
    seen = set()
    for match in PASS.finditer(text):
        name, flag = match.groups()
        where = f"{folder}/Passes.td:{text.count(chr(10), 0, match.start()) + 1}"
        short = kebab(name)
        seen.add(short)
        if flag != prefix + short:
            problems.append(f"{where}: {name}Pass has the flag {flag}, expected {prefix + short}; rename one of them")
        # A conversion's file may leave out its verb: ConvertToPlan in ToPlan.cpp.
        names = [name, name.removeprefix("Convert")]
        source = next((root / folder / f"{n}.cpp" for n in names if (root / folder / f"{n}.cpp").exists()), None)
        if source is None:
            problems.append(f"{where}: {name}Pass has no {folder}/{name}.cpp; name the file after the pass")
        elif f"GEN_PASS_DEF_{name.upper()}PASS" not in source.read_text(encoding="utf-8"):
            problems.append(f"{source.relative_to(root)}:1: doesn't define {name}Pass; a pass's file is named for it")
        test = root / tests / f"{short}.mlir"
        if not test.exists():
            problems.append(f"{where}: {name}Pass has no test {tests}/{short}.mlir; write one")
        elif f"--{flag}" not in test.read_text(encoding="utf-8"):
            problems.append(f"{tests}/{short}.mlir:1: doesn't run --{flag}; a pass's test runs it alone")
    for test in sorted((root / tests).glob("*.mlir")):
        if test.stem not in seen:
            problems.append(f"{test.relative_to(root)}:1: is named for no pass of {folder}; rename or remove it")
    for source in sorted((root / folder).glob("*.cpp")):
        for defined in re.findall(r"GEN_PASS_DEF_(\w+)PASS\b", source.read_text(encoding="utf-8")):
            if defined not in {m.group(1).upper() for m in PASS.finditer(text)}:
                problems.append(f"{source.relative_to(root)}:1: defines {defined}, which Passes.td doesn't know; add it there")
    return problems


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    problems, known = [], 0
    for folder, (tests, prefix) in FOLDERS.items():
        if (root / folder / "Passes.td").exists():
            known += 1
            problems += check(root, folder, tests, prefix)
    for td in sorted((root / "compiler").rglob("Passes.td")):
        if td.parent.relative_to(root).as_posix() not in FOLDERS:
            problems.append(f"{td.relative_to(root)}:1: this folder of passes isn't in check_passes.py; add it to FOLDERS")
    if known == 0:
        problems.append(f"{root}:1: no Passes.td found; give the project's root")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
