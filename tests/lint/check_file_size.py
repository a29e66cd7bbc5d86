#!/usr/bin/env python3
"""Lists files that have grown long: a habit, not a gate, but 600 lines of code need a reason here.
check_file_size.py [ROOT]"""
import pathlib
import sys

LISTED, REFUSED = 400, 600  # lines
MAIN, MAIN_MOST, CMAKE = 20, 40, 80
SUFFIXES = {".h", ".cpp", ".cu", ".td", ".py", ".sh", ".inc", ".def"}
# Long for a reason, and how long they may be.
REASONS = {
    # generated from the op table
    "runtime/schema/generated": 10_000,
}


def limit(path: str) -> tuple[int, int]:
    for prefix, allowed in REASONS.items():
        if path.startswith(prefix):
            return allowed, allowed
    name = pathlib.PurePosixPath(path).name
    if name == "main.cpp":
        return MAIN, MAIN_MOST
    if name == "CMakeLists.txt":
        return CMAKE, CMAKE
    return LISTED, REFUSED


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    refused = 0
    for top in ("runtime", "dialects", "compiler", "frontends", "tests", "scripts", "samples"):
        for path in sorted((root / top).rglob("*")):
            if not path.is_file() or (path.suffix not in SUFFIXES and path.name != "CMakeLists.txt"):
                continue
            name = path.relative_to(root).as_posix()
            lines = sum(1 for _ in path.open(encoding="utf-8"))
            listed, most = limit(name)
            if lines > listed:
                print(f"{name}:{lines}: {'too long' if lines > most else 'long'}, aim at {listed} lines; split it by what it does")
                refused += lines > most
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
