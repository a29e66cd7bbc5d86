#!/usr/bin/env python3
"""Packs a build for a GPU machine that has neither our compiler's libraries nor Debian's: what tests/gpu/run.sh takes, in one file.

    pack.py [--bin build/bin] [-o build/gpu-pack.tar.xz]
    there:  mkdir DIR && tar -xJf gpu-pack.tar.xz -C DIR && BUILD=DIR PYTHON=python3 tests/gpu/run.sh …

The programs, stripped, with the shared libraries that they were linked with but for glibc's and the compiler's, and in zpc's place what it
makes of every call that run.sh has (kept_zpc.py): all steps are rehearsed here, where zpc runs and nothing else does.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rehearsal import ROOT, STEPS, Rehearsal

PROGRAMS = ("bin/zprun", "tests/bin/cuda_conformance_test", "tests/bin/cuda_rates", "tests/bin/libfailing_cuda_driver.so")
EVERYWHERE = re.compile(r"lib(c|m|dl|rt|pthread|stdc\+\+|gcc_s)\.so\.|ld-linux|linux-vdso")
START = """#!/bin/sh
here=$(dirname "$0")
LD_LIBRARY_PATH=$(cd "$here/{up}lib" && pwd)${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}} exec "$here/{name}.program" "$@"
"""


def libraries_of(program):
    text = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return {name: Path(path) for name, path in re.findall(r"^\s*(\S+) => (/\S+)", text, re.MULTILINE) if not EVERYWHERE.search(name)}


def pack_programs(build, pack):
    (pack / "lib").mkdir(parents=True)
    for name in PROGRAMS:
        source, target = build / name, pack / name
        target.parent.mkdir(parents=True, exist_ok=True)
        for library, path in libraries_of(source).items():
            shutil.copy(path, pack / "lib" / library)
        if name.endswith(".so"):
            shutil.copy(source, target)
            continue
        subprocess.run(["strip", "-o", target.with_name(target.name + ".program"), source], check=True)
        target.write_text(START.format(up="../" * (len(target.relative_to(pack).parts) - 1), name=target.name))
        target.chmod(0o755)


def keep_zpc(bin, pack, scratch):
    """Every call that the steps make, kept in the pack."""
    stage = Rehearsal(bin, scratch / "stage", good=False)
    stage.stand(stage.folder / "bin/zpc", ROOT / "tests/gpu/kept_zpc.py")
    environment = stage.environment(ZPC=bin / "zpc", MOST=7200, PATIENCE=20)
    subprocess.run(stage.command(*STEPS), env=environment, stdout=subprocess.DEVNULL, check=False)  # what fails there is no matter
    kept = sorted((stage.folder / "kept").glob("*/said.json"))
    shutil.copytree(stage.folder / "kept", pack / "kept")
    shutil.copy(ROOT / "tests/gpu/kept_zpc.py", pack / "bin/zpc")
    return len(kept)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=ROOT / "build/bin")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "build/gpu-pack.tar.xz")
    chosen = parser.parse_args()
    chosen.bin = chosen.bin.resolve()
    with tempfile.TemporaryDirectory(prefix="gpu-pack-") as folder:
        scratch = Path(folder)
        pack_programs(chosen.bin.parent, scratch / "pack")
        calls = keep_zpc(chosen.bin, scratch / "pack", scratch)
        # The programs share their kernels: a dictionary that reaches from one to the next packs them once.
        packed = {**os.environ, "XZ_OPT": "-9e"}
        subprocess.run(["tar", "-cJf", chosen.output.resolve(), "-C", scratch / "pack", "."], env=packed, check=True)
    print(f"{chosen.output}: {chosen.output.stat().st_size / 1e6:.1f} MB, {calls} calls of zpc kept")


if __name__ == "__main__":
    sys.exit(main())
