"""check_memory.py PLAN.json MEMORY.json: what `zpc explain --memory --json` says of a plan (`zpdump --json`), worked out again by
brute force: every instruction, every buffer."""

import json
import sys

KINDS = ["weights", "adapters", "gradients", "optimizer", "checkpoints", "gathered", "working", "communication"]
TIERS = {"Device": "device", "Pinned": "pinned", "Host": "host", "Disk": "nvme"}
ABSENT = 0xFFFFFFFF


def awaited(instructions, at):
    """Where stream 0 awaits what instruction `at` of another stream does: the first record behind it on its stream, awaited."""
    stream = instructions[at].get("stream", 0)
    if stream == 0:
        return at
    for i in range(at + 1, len(instructions)):
        if instructions[i]["op_type"] == "RecordEvent" and instructions[i].get("stream", 0) == stream:
            event = instructions[i]["op"].get("event", 0)
            for k in range(i + 1, len(instructions)):
                if instructions[k]["op_type"] == "WaitEvent" and instructions[k]["op"].get("event", 0) == event:
                    assert instructions[k].get("stream", 0) == 0, "this check knows two streams"
                    return k
    return len(instructions) - 1


def lives(plan, entry):
    touched = {}

    def touch(tensor, *places):
        touched.setdefault(plan["tensors"][tensor].get("buffer", 0), []).extend(places)

    count = len(entry["instructions"])
    for i, instruction in enumerate(entry["instructions"]):
        for tensor in instruction["operands"]:
            if tensor != ABSENT:
                touch(tensor, i, awaited(entry["instructions"], i))
    for named in entry["inputs"]:
        touch(named.get("tensor", 0), 0)
    for named in entry["outputs"]:
        touch(named.get("tensor", 0), count - 1)
    return {b: (min(at), max(at)) for b, at in touched.items() if not plan["buffers"][b].get("persistent")}


def main():
    plan, said = (json.load(open(path)) for path in sys.argv[1:3])
    assert list(said) == ["spaces", "ranks", "target"], list(said)
    assert said["ranks"] == plan["ranks"] and said["target"] == plan["target"]
    assert list(said["spaces"]) == ["device", "pinned", "host", "nvme"]
    arenas = {TIERS[space.get("tier", "Device")]: space.get("bytes", 0) for space in plan["spaces"]}
    for tier, space in said["spaces"].items():
        assert list(space) == ["peak_bytes", "at", "by_kind"] and list(space["by_kind"]) == KINDS
        assert space["peak_bytes"] == arenas.get(tier, 0), (tier, space["peak_bytes"], arenas)
        assert sum(space["by_kind"].values()) == space["peak_bytes"], tier
    device = said["spaces"]["device"]
    name, at = device["at"].split(":")
    buffers = plan["buffers"]
    kept = {b for b, buffer in enumerate(buffers) if buffer.get("persistent")}
    assert all(buffers[b].get("tier", "Device") == "Device" for b in range(len(buffers))), "this check knows one tier"

    best, first, living = 0, None, set()
    for number, entry in enumerate(plan["entries"]):
        spans = lives(plan, entry)
        for i in range(len(entry["instructions"])):
            now = kept | {b for b, (begin, end) in spans.items() if begin <= i <= end}
            bytes_now = sum(buffers[b]["bytes"] for b in now)
            if bytes_now > best:
                best, first, living = bytes_now, (number, i), now
    kind = plan["entries"][first[0]].get("kind", "Init")
    snake = "".join("_" + c.lower() if c.isupper() else c for c in kind).lstrip("_")
    assert (name.split(".")[0], int(at)) == (snake, first[1]), (device["at"], snake, first)
    by_kind = dict.fromkeys(KINDS, 0)
    for b in living:
        by_kind[buffers[b].get("kind", "Weights").lower()] += buffers[b]["bytes"]
    by_kind["working"] += device["peak_bytes"] - best
    assert by_kind == device["by_kind"], (by_kind, device["by_kind"])
    print(f"kinds add up to {device['peak_bytes']} bytes; waste {device['peak_bytes'] / best:.4f}")


main()
