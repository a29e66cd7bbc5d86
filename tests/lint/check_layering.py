#!/usr/bin/env python3
"""Who may include whom: each folder's #includes against the table below. check_layering.py [ROOT]"""
import pathlib
import re
import sys

# folder: (our folders and files it may include, whether LLVM and MLIR are allowed). The longest folder that fits decides.
# A folder may always include itself.
TABLE = {
    "runtime/schema": (["runtime/base"], False),
    "runtime/base": (["runtime/schema"], False),
    "runtime/schedule": (["runtime/base", "runtime/schema"], False),
    "runtime/memory": (["runtime/base", "runtime/schema"], False),
    "runtime/quant": (["runtime/base", "runtime/schema"], False),
    "runtime/device": (["runtime/base"], False),
    "runtime/collective": (["runtime/base", "runtime/schema", "runtime/device"], False),
    "runtime/bootstrap": (["runtime/base", "runtime/collective"], False),
    "runtime/kernels": (["runtime/base", "runtime/schema", "runtime/quant", "runtime/device"], False),
    "runtime/io": (["runtime/base", "runtime/schema", "runtime/quant", "runtime/kernels/simd-inl.h", "runtime/kernels/targets.h"], False),
    "runtime/plan": (["runtime/base", "runtime/schema", "runtime/quant", "runtime/io", "runtime/kernels"], False),
    "runtime/executor": ([f"runtime/{part}" for part in ("base", "schema", "memory", "device", "collective", "kernels", "plan")], False),
    "runtime": (["runtime"], False),  # trainer, generation, tools
    "dialects/NN": ([], True),
    "dialects/Zero": ([], True),
    "dialects/NF4": ([], True),
    "dialects/Plan": ([], True),
    "frontends": (["frontends", "runtime/base", "runtime/schema", "runtime/schedule", "runtime/io/safetensors.h"], False),
    "frontends/builder": (["frontends/common", "runtime/schema", "dialects/NN"], True),
    "frontends/cli": (["frontends", "runtime/base", "runtime/schema"], True),  # import: it prints the module it made
    "compiler": (["compiler", "dialects", "runtime/schema"], True),
    "compiler/Target/Plan": (["compiler", "dialects", "runtime/schema", "runtime/base"], True),
    "compiler/tools": (["compiler", "dialects", "frontends", "runtime/base", "runtime/schema", "runtime/plan"], True),
}
# Nothing but a tool includes a tool.
TOOLS = re.compile(r"^(compiler|runtime|frontends)/tools/")
# Vendor headers and the only folders that may name them.
VENDORS = [
    (re.compile(r"^mpi\.h$"), re.compile(r"^runtime/collective/mpi/")),
    (re.compile(r"^nccl\.h$"), re.compile(r"^runtime/collective/nccl/")),
    (re.compile(r"^(cuda|cublas|cudnn)"), re.compile(r"^runtime/(device/cuda/|collective/nccl/|kernels/([^/]+/cuda\.|cuda/))")),
]
OURS = re.compile(r"^(runtime|dialects|compiler|frontends|tests)/")
MLIR = re.compile(r"^(mlir|llvm|llvm-c)/")
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]|^include\s+"([^"]+)"')
SOURCES = {".h", ".cpp", ".cu", ".inc", ".def", ".td"}


def within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def problem(source: str, included: str) -> str | None:
    for header, home in VENDORS:
        if header.match(included) and not home.match(source):
            return f"includes {included} outside its folder; move the code there"
    folder = max((f for f in TABLE if within(source, f)), key=len, default=None)
    if folder is None:
        return None
    allowed, mlir = TABLE[folder]
    if MLIR.match(included) and not mlir:
        return f"includes {included}, but {folder} knows no LLVM or MLIR; move the code to dialects, compiler or frontends/builder"
    if not OURS.match(included):
        return None
    if included.startswith("tests/"):
        return f"includes {included}: only tests include tests; move what is shared out of tests/"
    if TOOLS.match(included) and not TOOLS.match(source):
        return f"includes {included}: nothing includes a tool; move what is shared into a library"
    if any(within(included, a) for a in [folder, *allowed]):
        return None
    return f"includes {included}, but {folder} may include only {', '.join([folder, *allowed])}; turn the dependency round"


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    found = checked = 0
    for top in ("runtime", "dialects", "compiler", "frontends"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix not in SOURCES or not path.is_file():
                continue
            source = path.relative_to(root).as_posix()
            checked += 1
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                match = INCLUDE.match(line)
                reason = match and problem(source, match.group(1) or match.group(2))
                if reason:
                    print(f"{source}:{number}: {reason}")
                    found += 1
    if checked == 0:
        print(f"{root}:1: no sources found; give the project's root")
        return 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
