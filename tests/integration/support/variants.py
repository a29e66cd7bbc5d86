"""Copies of a golden case with one feature switched off.

A variant is an object of case.json's `feature_off` list:
    name          what is off
    import_flags  {flag: value}: laid over the case's own flags
    config        {key: value}: laid over model/config.json (a dotted key reaches into an object)
    adapter_config{key: value}: laid over adapter/adapter_config.json
    tokens        "merge_segments": every document of a row becomes one, positions kept;
                  "merge_documents": the same, and positions run on through the row;
                  "unmask_source": an encoder's padding is taken for tokens
    untie         true: the head gets a copy of the embedding of its own
    scale         {"tensors": SUFFIX, "factor": x}: every F32 tensor of model/model.safetensors whose name ends so, times x
    expect        "differs" (the default: the run ends well and the comparison fails), "refused" (it stops with an error),
                  or "differs or refused" (PEFT drops what the adapter file has too much; stopping is as good)
generate.py holds PyTorch to the same variants, so a variant that changes nothing is never committed.
"""

import json
import shutil
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from .golden_case import parse_flags, spell_flags


def write_variant(case_folder, variant, target):
    """Writes the switched-off copy to `target` (made anew) and returns it."""
    case_folder, target = Path(case_folder), Path(target)
    if target.exists():
        shutil.rmtree(target)
    shutil.copytree(case_folder, target)
    _edit_json(target / "case.json", lambda spec: _lay_flags(spec, variant.get("import_flags", {})))
    if "config" in variant:
        _edit_json(target / "model/config.json", lambda config: _lay_keys(config, variant["config"]))
    if "adapter_config" in variant:
        _edit_json(target / "adapter/adapter_config.json", lambda config: _lay_keys(config, variant["adapter_config"]))
    if "tokens" in variant:
        _edit_tokens(target / "tokens.safetensors", variant["tokens"])
    if variant.get("untie"):
        _untie(target / "model")
    if "scale" in variant:
        _scale(target / "model/model.safetensors", **variant["scale"])
    return target


def _edit_json(path, edit):
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content, indent=2) + "\n")


def _lay_flags(spec, overrides):
    flags = parse_flags(spec["import_flags"])
    flags.update({name: str(value) for name, value in overrides.items()})
    spec["import_flags"] = spell_flags(flags)


def _lay_keys(config, overrides):
    for dotted, value in overrides.items():
        *path, key = dotted.split(".")
        place = config
        for part in path:
            place = place[part]
        if key not in place:
            raise KeyError(f"{dotted}: not in the file, so overriding it would switch nothing off")
        place[key] = value


def _edit_tokens(path, edit):
    tokens = load_file(path)
    if edit == "unmask_source":
        tokens["source_segment_ids"] = np.zeros_like(tokens["source_segment_ids"])
        return save_file(tokens, path)
    real = tokens["segment_ids"] >= 0
    tokens["segment_ids"] = np.where(real, 0, -1).astype(np.int32)
    if edit == "merge_documents":
        running = np.arange(real.shape[1], dtype=np.int32)[None, :]
        tokens["position_ids"] = np.where(real, running, 0).astype(np.int32)
    elif edit != "merge_segments":
        raise ValueError(f"unknown edit of tokens: {edit}")
    save_file(tokens, path)


def _untie(model):
    weights = load_file(model / "model.safetensors")
    weights["lm_head.weight"] = weights["model.embed_tokens.weight"].copy()
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
    _edit_json(model / "config.json", lambda config: config.update(tie_word_embeddings=False))


def _scale(path, tensors, factor):
    """In place: the file may hold dtypes that numpy has no name for."""
    data = bytearray(path.read_bytes())
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    chosen = [entry for name, entry in header.items() if name.endswith(tensors)]
    if not chosen or any(entry["dtype"] != "F32" for entry in chosen):
        raise KeyError(f"{tensors}: not the end of F32 tensors' names, so scaling would switch nothing off")
    for entry in chosen:
        begin, end = (start + offset for offset in entry["data_offsets"])
        data[begin:end] = (np.frombuffer(data[begin:end], np.float32) * np.float32(factor)).tobytes()
    path.write_bytes(data)
