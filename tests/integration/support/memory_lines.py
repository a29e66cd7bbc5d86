"""The lines in which the PEFT guide's scripts say what an epoch, an evaluation or a generation took."""

import re

MEMORY = [
    "{what} Memory before entering the {stage} :",
    "{what} Memory consumed at the end of the {stage} (end-begin):",
    "{what} Peak Memory consumed during the {stage} (max-begin):",
    "{what} Total Peak Memory consumed during the {stage} (max):",
]


def memory_lines(text, stage):
    """Values of the eight lines, the device's before the CPU's, each as often as it is there."""
    found = []
    for what in ("Device", "CPU"):
        for line in MEMORY:
            pattern = "^" + re.escape(line.format(what=what, stage=stage)) + r" (-?\d+)$"
            found.append([int(number) for number in re.findall(pattern, text, re.MULTILINE)])
    return found


def contradictions(lines, times):
    """What is wrong with the values of memory_lines: how many there are, or what they say of each other."""
    if [len(values) for values in lines] != [times] * 8:
        return [f"memory lines: {[len(values) for values in lines]}, expected {times} of each"]
    device, host = lines[3], lines[4:]
    good = all(
        device[i] > 0 and host[3][i] >= host[0][i] and abs(host[2][i] - (host[3][i] - host[0][i])) <= 1 for i in range(times)
    )
    return [] if good else [f"memory lines contradict each other: {lines}"]
