"""check_collectives.py COLLECTIVES.json SUMMARY.json: the bytes that `zpc explain --collectives --json` foretells are those that
zprun counted: init once, then so many updates."""

import json
import sys

said, ran = (json.load(open(path)) for path in sys.argv[1:3])
updates = ran["updates"]


def foretold(*collectives):
    received = lambda sums: sum(sums[name]["received_bytes"] for name in collectives)
    return received(said["entries"]["init"]) + updates * received(said["update"])


assert updates > 1 and ran["ranks"] == said["ranks"]
assert foretold("all_gather") == ran["gathered_bytes"] > 0, (foretold("all_gather"), ran)
assert foretold("reduce_scatter", "all_reduce") == ran["reduced_bytes"] > 0, (foretold("reduce_scatter", "all_reduce"), ran)
for sums in [said["update"], *said["entries"].values()]:
    parts = {name: part["bytes"] for name, part in sums["gathered"].items() if name != "frozen_linears"}
    assert sum(parts.values()) == sums["all_gather"]["bytes"], parts
print(f"{ran['gathered_bytes']} gathered and {ran['reduced_bytes']} reduced bytes, as foretold")
