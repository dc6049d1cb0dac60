# SPDX-License-Identifier: GPL-2.0-or-later
"""Captures of raw IPv4 as `idlewall` writes them: read, written, and several as one, as a start of tshark takes longer than
what it reads."""
import struct

HEADER = struct.Struct("<IHHiIII")
RECORD = struct.Struct("<IIII")
NANOSECONDS, RAW = 0xa1b23c4d, 101


def write(path, records):
    with open(path, "wb") as to:
        to.write(HEADER.pack(NANOSECONDS, 2, 4, 0, 0, 65535, RAW) + b"".join(records))


def read(path):
    """Time and record of each packet."""
    with open(path, "rb") as file:
        data = file.read()
    header = HEADER.unpack_from(data)
    if header != (NANOSECONDS, 2, 4, 0, 0, header[5], RAW):
        raise AssertionError(f"{path}: its header is {header}")
    at, records = HEADER.size, []
    while at < len(data):
        seconds, nanos, caplen, _ = RECORD.unpack_from(data, at)
        if at + RECORD.size + caplen > len(data):
            raise AssertionError(f"{path}: the last packet is cut")
        records.append(((seconds, nanos), data[at:at + RECORD.size + caplen]))
        at += RECORD.size + caplen
    return records


def move(ip, at, network):
    """One address goes up by as much as the other goes down: no checksum changes, right or wrong."""
    if ip[at] >> 4 != 4:
        raise AssertionError("no IPv4")
    source, target = slice(at + 12, at + 16), slice(at + 16, at + 20)
    up, down = sorted((source, target), key=lambda where: ip[where])
    for where, by in (up, network), (down, -network):
        low = int.from_bytes(ip[where][2:], "big") + by
        ip[where] = ip[where][:2] + low.to_bytes(2, "big")
    return at + (ip[at] & 15) * 4


def elsewhere(records, network):
    """The same connections between other addresses, also in what ICMP errors quote."""
    moved = []
    for time, record in records:
        ip = bytearray(record[RECORD.size:])
        payload = (ip[0] & 15) * 4
        if ip[9] == 1:
            if ip[payload] in (3, 11):
                move(ip, payload + 8, network)
        else:
            move(ip, 0, network)
        moved.append((time, record[:RECORD.size] + bytes(ip)))
    return moved
