"""Reads the timelines of `zprun --trace`."""

import json
from collections import defaultdict


def read_timeline(path):
    """{process: {track: slices by their beginning}}; a slice as Chrome's format has it, times in microseconds."""
    processes, tracks, slices = {}, {}, defaultdict(list)
    for event in json.loads(path.read_text())["traceEvents"]:
        if event["ph"] == "X":
            slices[event["tid"]].append(event)
        elif event["name"] == "process_name":
            processes[event["pid"]] = event["args"]["name"]
        elif event["name"] == "thread_name":
            tracks[event["tid"]] = (event["pid"], event["args"]["name"])
    timeline = defaultdict(dict)
    for track, (process, name) in tracks.items():
        timeline[processes[process]][name] = sorted(slices[track], key=lambda each: each["ts"])
    return timeline


def _overlap(gather, busy):
    """Microseconds of a slice during which some slice of `busy`, which don't overlap, runs."""
    begin, end = gather["ts"], gather["ts"] + gather["dur"]
    return sum(max(0.0, min(end, each["ts"] + each["dur"]) - max(begin, each["ts"])) for each in busy)


def covered(streams, keep=lambda each: True):
    """(microseconds of one rank's gathers that other instructions of stream 0 hide, microseconds that nothing hides)"""
    gathers = [each for slices in streams.values() for each in slices if each["name"] == "all_gather" and keep(each)]
    own = [each for each in streams["stream 0"] if each["name"] != "all_gather"]
    hidden = sum(_overlap(gather, own) for gather in gathers)
    return hidden, sum(gather["dur"] for gather in gathers) - hidden
