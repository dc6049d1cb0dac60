#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the capture reader hands out, against tshark and tcpdump, also after editcap, mergecap, gzip and zstd."""
import random
import shutil
import struct
import subprocess
import sys

import one_by_one

SHOW = sys.argv[1]
SEED = random.randrange(2**32)
tests = []


def test(function):
    tests.append(function)
    return function


def run(*command, stdin=None):
    done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def frame(rng):
    macs = bytes(12)
    tag = rng.choice([b"", b"", b"\x81\x00\x00\x05", b"\x88\xa8\x00\x05\x81\x00\x00\x06"])
    tcp = struct.pack(">HHIIHHHH", rng.randrange(40000, 60000), 443, rng.randrange(2**32), 0, 0x5010, 1000, 0, 0)
    data = bytes(rng.randrange(200))
    kind = rng.randrange(8)
    if kind == 0:
        return macs + tag + b"\x08\x06" + bytes(46)
    if kind == 1:
        ip = struct.pack(">IHBB", 0x60000000, len(tcp + data), 6, 64) + bytes(15) + b"\1" + bytes(15) + b"\2"
        return macs + tag + b"\x86\xdd" + ip + tcp + data
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp + data), 1, 0, 64, 6, 0, b"\n\0\0\1", b"\n\0\0\2")
    return macs + tag + b"\x08\x00" + ip + tcp + data


def make(path, order, nano, packets=3000):
    rng = random.Random(SEED)
    stamp = 1700000000 * 10**9
    unit = 1 if nano else 1000
    with open(path, "wb") as file:
        file.write(struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for _ in range(packets):
            stamp += rng.randrange(10**8)
            data = frame(rng)
            file.write(struct.pack(order + "IIII", stamp // 10**9, stamp % 10**9 // unit, len(data), len(data)) + data)
    return path


def ours(path, stdin=None):
    return [tuple(line.split()) for line in run(SHOW, path, stdin=stdin).splitlines()]


def compare(path):
    """Numbers, stamps and families, as tshark has them."""
    fields = ["-e", "frame.number", "-e", "frame.time_epoch", "-e", "ip.version"]
    out = run("tshark", "-n", "-r", path, "-Y", "ip or ipv6", "-T", "fields", *fields)
    theirs = [tuple(line.split("\t")) for line in out.splitlines()]
    mine = ours(path)
    assert len(theirs) > 2000
    assert mine == theirs, next((m, t) for m, t in zip(mine, theirs) if m != t)
    return mine


@test
def both_orders_both_stamps(directory):
    for order in "<>":
        for nano in (False, True):
            mine = compare(make(f"{directory}/a.pcap", order, nano))
            out = run("tcpdump", "-nq", "-#", "-tt", "--nano", "-r", f"{directory}/a.pcap")
            theirs = dict(line.split()[:2] for line in out.splitlines())
            assert len(theirs) == 3000
            assert all(theirs[number] == stamp for number, stamp, _ in mine)


@test
def converted_by_editcap(directory):
    source = make(f"{directory}/a.pcap", "<", True)
    for kind in ("pcapng", "nsecpcap", "pcap"):
        run("editcap", "-F", kind, source, f"{directory}/b")
        compare(f"{directory}/b")
    run("editcap", "-F", "pcapng", "-s", "58", source, f"{directory}/b")
    compare(f"{directory}/b")


@test
def several_interfaces_by_mergecap(directory):
    a = make(f"{directory}/a.pcap", "<", True)
    b = make(f"{directory}/b.pcap", ">", False)
    run("mergecap", "-F", "pcapng", "-w", f"{directory}/c", a, b)
    compare(f"{directory}/c")


@test
def packed_and_piped(directory):
    source = make(f"{directory}/a.pcap", ">", True)
    plain = ours(source)
    run("gzip", "-k", source)
    run("zstd", "-q", "-19", source)
    assert ours(source + ".gz") == plain
    assert ours(source + ".zst") == plain
    for packer in ("gzip", "zstd", "cat"):
        with subprocess.Popen([packer, "-c" if packer != "cat" else "-u", source], stdout=subprocess.PIPE) as process:
            assert ours("-", stdin=process.stdout) == plain
    assert len(plain) > 2000


needed = [tool for tool in ("tshark", "tcpdump", "editcap", "mergecap", "gzip", "zstd") if not shutil.which(tool)]
if needed:
    print(f"Bail out! not installed: {', '.join(needed)}")
    sys.exit(1)
print(f"# seed {SEED}")
one_by_one.run(tests, directory=True)
