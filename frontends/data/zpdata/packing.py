"""Packing documents into rows, with the rules of the reference (TRL): per block of 1000 documents, so that a pack
never crosses a block.

best fit decreasing: documents by falling length, each into the row with the smallest free space that holds it (the
oldest of equals), else into a new row. wrapped: one long string of tokens, cut every `length`.
"""

import bisect
import collections

import numpy

BLOCK = 1000


def blocks(count, workers=1):
    """Ranges of at most BLOCK consecutive documents; with workers, each packs a contiguous share of its own."""
    workers = max(1, min(workers, count))
    share, rest = divmod(count, workers)
    start = 0
    for worker in range(workers):
        end = start + share + (1 if worker < rest else 0)
        for first in range(start, end, BLOCK):
            yield range(first, min(first + BLOCK, end))
        start = end


def bestFitDecreasing(lengths, capacity):
    """Rows, each a list of indices into `lengths`. Every length is in 1..capacity."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])  # stable: equals keep their order
    rows, openRows, spaces = [], collections.defaultdict(collections.deque), []
    for index in order:
        length = lengths[index]
        at = bisect.bisect_left(spaces, length)
        if at < len(spaces):
            space = spaces[at]
            row = openRows[space].popleft()
            if not openRows[space]:
                spaces.pop(at)
        else:
            space, row = capacity, []
            rows.append(row)
        row.append(index)
        left = space - length
        if left:
            if not openRows[left]:
                bisect.insort(spaces, left)
            openRows[left].append(row)
    return rows


def pack(documents, capacity, strategy):
    """Packs one block. `documents` are (ids, labels) pairs of arrays; a row is a list of them, its segments."""
    documents = [d for d in documents if len(d[0])]
    if strategy == "wrapped":
        return wrapped(documents, capacity)
    if strategy == "bfd_split":
        documents = [
            (ids[i : i + capacity], labels[i : i + capacity])
            for ids, labels in documents
            for i in range(0, len(ids), capacity)
        ]
    else:
        documents = [(ids[:capacity], labels[:capacity]) for ids, labels in documents]
    rows = bestFitDecreasing([len(ids) for ids, _ in documents], capacity)
    return [[startUncounted(documents[i]) for i in row] for row in rows]


def wrapped(documents, capacity):
    if not documents:
        return []
    ids, labels = (numpy.concatenate(parts) for parts in zip(*documents))
    return [[(ids[i : i + capacity], labels[i : i + capacity])] for i in range(0, len(ids), capacity)]


def startUncounted(document):
    """A document's first token has nothing before it that may predict it: in a packed row it isn't counted."""
    ids, labels = document
    return ids, numpy.concatenate((labels[:1] * 0 - 100, labels[1:]))
