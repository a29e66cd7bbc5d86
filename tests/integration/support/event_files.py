"""TensorBoard's event files, read by a parser that knows nothing of ours, and by TensorBoard."""

import struct


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def fields(data):
    """[(number, value)] of a protocol buffer: whole numbers, and bytes."""
    found, at = [], 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        kind = key & 7
        if kind == 0:
            value = varint()
        else:
            size = varint() if kind == 2 else {1: 8, 5: 4}[kind]
            value, at = data[at : at + size], at + size
        found.append((key >> 3, value))
    return found


def read_events(path):
    """(version, {tag: [(step, value)]}); refuses a record whose checksums are wrong."""
    data, at, version, scalars = path.read_bytes(), 0, None, {}

    def checked(size):
        nonlocal at
        part, sum_at = data[at : at + size], at + size
        crc = crc32c(part)
        masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        assert struct.unpack("<I", data[sum_at : sum_at + 4])[0] == masked, f"checksum at {at}"
        at = sum_at + 4
        return part

    while at < len(data):
        event = dict(fields(checked(struct.unpack("<Q", checked(8))[0])))
        assert 1.6e9 < struct.unpack("<d", event[1])[0] < 1e11, "wall time"
        if 3 in event:
            version = event[3].decode()
        for _, value in fields(event.get(5, b"")):
            value = dict(fields(value))
            scalars.setdefault(value[1].decode(), []).append((event.get(2, 0), struct.unpack("<f", value[2])[0]))
    return version, scalars


def read_by_tensorboard(folder):
    """{tag: [(step, value)]} by the tensorboard package (tests/requirements.txt)."""
    from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={SCALARS: 0})  # 0: all of them
    events.Reload()
    return {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()[SCALARS]}
