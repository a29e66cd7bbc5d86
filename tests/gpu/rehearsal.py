"""run.sh without a GPU: a folder of stand-ins for a GPU machine's programs, and small models in the places of the real ones."""

import json
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
STEPS = ("kernels", "sanitizers", "golden", "bench", "generate", "peft", "llama-3-8b", "large", "faults", "peers")
SMALL = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 64}
PROGRAMS = {"path": ("compute-sanitizer", "peft-python"), "bin": ("zprun",), "tests/bin": ("cuda_conformance_test", "cuda_rates")}

# It is asked ten times a second, too often for an interpreter. Where promises are broken, the memory in use grows from call to call.
NVIDIA_SMI = """#!/bin/sh
case "$*" in
  *=name*) echo "NVIDIA {name}" ;;
  *=driver_version*) echo 580.0 ;;
  *=memory.total*) echo {total} ;;
  *=memory.used*) echo {used} ;;
esac
"""
ONE_MORE = '$(echo >>"$STAND_IN_FILES/looks"; while read -r _; do n=$((n + 100000)); done <"$STAND_IN_FILES/looks"; echo $n)'


def write_shapes(folder):
    """Small models under the names that rows ask for."""
    for name in ("llama-20m", "llama-2-7b", "llama-3-8b", "llama-2-70b"):
        config = json.loads((ROOT / "samples/configs" / name / "config.json").read_text())
        (folder / name).mkdir(parents=True)
        (folder / name / "config.json").write_text(json.dumps({**config, **SMALL}))
    return folder


class Rehearsal:
    """A stand-in of a GPU machine in `folder`, beside the tools of the build whose bin/ is given."""

    def __init__(self, bin, folder, good):
        self.folder, self.bin = folder, bin
        for place, names in PROGRAMS.items():
            (folder / place).mkdir(parents=True)
            for name in names:
                # Under this interpreter, whatever PATH has.
                self.write(folder / place / name, f"#!/bin/sh\nexec {sys.executable} {HERE / 'stand_in.py'} {name} \"$@\"\n")
        smi = NVIDIA_SMI.format(name="Stand-in", total=64, used=0) if good else NVIDIA_SMI.format(name="H200 Stand-in", total=143771, used=ONE_MORE)
        self.write(folder / "path/nvidia-smi", smi)
        self.stand(folder / "bin/zpc", bin / "zpc")
        if (driver := bin.parent / "tests/bin/libfailing_cuda_driver.so").exists():
            self.stand(folder / "tests/bin" / driver.name, driver)
        (folder / "files").mkdir()
        self.variables = {
            "BUILD": folder,
            "PYTHON": sys.executable,
            "PEFT_PYTHON": folder / "path/peft-python",
            "PATH": f"{folder / 'path'}:{os.environ['PATH']}",
            "STAND_IN": "good" if good else "bad",
            "STAND_IN_BIN": bin,
            "STAND_IN_FILES": folder / "files",
        }

    @staticmethod
    def write(place, text):
        place.write_text(text)
        place.chmod(0o755)

    @staticmethod
    def stand(place, program):
        place.unlink(missing_ok=True)
        place.symlink_to(program.resolve())

    def command(self, *steps):
        return ["bash", str(HERE / "run.sh"), *steps]

    def environment(self, **more):
        return {**os.environ, **{name: str(value) for name, value in {**self.variables, **more}.items()}}
