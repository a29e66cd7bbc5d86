"""A golden case on disk: what generate.py writes and golden_test.py reads (layout: tests/golden/README.md)."""

import json
from pathlib import Path

from safetensors.numpy import load_file


def parse_flags(words):
    """`["--a", "1", "--b"]` as an ordered {name: value or None}."""
    flags, name = {}, None
    for word in words:
        if word.startswith("--"):
            name = word[2:]
            flags[name] = None
        else:
            flags[name] = word
    return flags


def spell_flags(flags):
    """The inverse of parse_flags; a value of None is a bare flag."""
    return [
        word
        for name, value in flags.items()
        for word in ([f"--{name}"] if value is None else [f"--{name}", str(value)])
    ]


class GoldenCase:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.name = self.folder.name
        spec = json.loads((self.folder / "case.json").read_text())
        self.import_flags = parse_flags(spec["import_flags"])
        self.attention = spec.get("attention")  # the reference's, where only one of its implementations is right
        self.run_flags = list(spec["run_flags"])
        self.tolerance = spec["tolerance"]
        self.feature_off = spec["feature_off"]

    @property
    def model(self):
        return self.folder / "model"

    @property
    def adapter(self):
        """The adapter that training starts from, or None."""
        folder = self.folder / "adapter"
        return folder if folder.is_dir() else None

    @property
    def tokens(self):
        return self.folder / "tokens.safetensors"

    @property
    def trains_everything(self):
        return self.import_flags.get("use_peft_lora") == "false"

    def expected_steps(self):
        return json.loads((self.folder / "expected.json").read_text())["steps"]

    def expected_final(self):
        return load_file(self.folder / "expected.safetensors")

    def initial(self):
        """The trained tensors before the first update, under the same keys as expected_final()."""
        if self.trains_everything:
            return load_file(self.model / "model.safetensors")
        if self.adapter:
            return load_file(self.adapter / "adapter_model.safetensors")
        return load_file(self.folder / "initial.safetensors")


def find_cases(root, names=()):
    folders = sorted(path.parent for path in Path(root).glob("*/case.json"))
    unknown = set(names) - {folder.name for folder in folders}
    if unknown:
        raise SystemExit(
            f"{root}: no such case: {', '.join(sorted(unknown))}; there are {', '.join(f.name for f in folders)}"
        )
    return [GoldenCase(folder) for folder in folders if not names or folder.name in names]
