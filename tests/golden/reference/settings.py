"""The settings of a case: its import flags laid over the defaults of runtime/schema/settings.inc (the one list)."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

SETTINGS_INC = Path(__file__).resolve().parents[3] / "runtime/schema/settings.inc"
ENTRY = re.compile(r'^ZP_SETTING\((\w+), (Int|Float|Bool|Text), ([^,]*|"[^"]*"), "', re.M)


def _convert(kind, text):
    if kind == "Bool":
        return text in (None, "true", "1")
    return {"Int": int, "Float": float, "Text": lambda word: word.strip('"')}[kind](text)


def read(import_flags):
    kinds, values = {}, {}
    for name, kind, default in ENTRY.findall(SETTINGS_INC.read_text()):
        kinds[name], values[name] = kind, _convert(kind, default)
    for name, text in import_flags.items():
        if name not in kinds:
            raise KeyError(f"--{name}: not a setting of {SETTINGS_INC.name}")
        values[name] = _convert(kinds[name], text)
    return SimpleNamespace(**values)


def schedule_arguments(settings):
    return json.loads(settings.lr_scheduler_kwargs or "null")


def warmup_of(settings):
    """Updates, or below 1 a share of all: transformers 5 has the one name for both."""
    return settings.warmup_steps or settings.warmup_ratio
