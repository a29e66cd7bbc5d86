"""A trace of zpc simulate or zprun: names its tracks and entries, and holds that slices of a track follow one another."""
import json
import sys

events = json.load(open(sys.argv[1]))["traceEvents"]
tracks = {e["tid"]: e["args"]["name"] for e in events if e["ph"] == "M" and e["name"] == "thread_name"}
slices = {tid: sorted((e["ts"], e["dur"], e["name"]) for e in events if e["ph"] == "X" and e["tid"] == tid) for tid in tracks}
print("tracks", ", ".join(tracks.values()))
print(*[name for tid, track in tracks.items() if track == "entries" for _, _, name in slices[tid]])
for tid, track in tracks.items():
    assert slices[tid], f"{track} is empty"
    for (start, duration, name), (then, _, following) in zip(slices[tid], slices[tid][1:]):
        assert start + duration <= then + 0.01, f"{track}: {name} at {start} runs into {following} at {then}"
print("no slices of a track overlap")
