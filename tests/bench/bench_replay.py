#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a replay takes, beside programs that read the same capture: they take turns, medians count.

What they do beyond ours: tcpdump decodes nothing here, but writes every packet (to /dev/null); tcptrace keeps a history
of segments for each connection; suricata reassembles streams and decodes protocols above TCP.
usage: IDLEWALL_BUILD=... bench_replay.py FLOWS PACKETS
"""
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = os.environ["IDLEWALL_BUILD"]
PROFILE = "aws-nat-gateway"
# Name, turns, command.
PEERS = (
    ("tcpdump", 7, ["tcpdump", "-r", "FILE", "-w", "/dev/null"]),
    ("tcptrace", 1, ["tcptrace", "-n", "FILE"]),
    ("suricata", 2, ["suricata", "-r", "FILE", "-S", "/dev/null", "-l", "DIR", "--runmode", "autofp"]),
)


def timed(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    wall = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def ours(path, *more):
    return [os.path.join(BUILD, "tools/idlewall"), "replay", path, "--profile", PROFILE, *more]


def peer(name, turns, command, path, directory, packets):
    if not shutil.which(command[0]):
        print(f"replay_missing peer={name} is not installed: not compared", file=sys.stderr)
        return
    command = [path if word == "FILE" else directory if word == "DIR" else word for word in command]
    both = [(timed(ours(path)), timed(command)) for _ in range(turns)]
    wall = statistics.median(mine[0] / theirs[0] for mine, theirs in both)
    cpu = statistics.median(mine[1] / theirs[1] for mine, theirs in both)
    print(f"replay_ratio peer={name} {wall:.4f}")
    print(f"replay_cpu_ratio peer={name} {cpu:.4f}")
    print(f"replay_ns_per_packet peer={name} {statistics.median(mine[0] for mine, _ in both) / packets * 1e9:.1f}", flush=True)


def main():
    flows, packets = sys.argv[1], sys.argv[2]
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as directory:
        path = os.path.join(directory, "bench.pcap")
        with open(path, "wb") as to:
            subprocess.run([os.path.join(BUILD, "tests/bench/replay_make"), flows, packets, "96"], stdout=to, check=True)
        timed(ours(path))  # the cache is warm from now on
        for name, turns, command in PEERS:
            peer(name, turns, command, path, directory, int(packets))
        turns = [(timed(ours(path, "--threads", "1"))[0], timed(ours(path, "--threads", "2"))[0]) for _ in range(5)]
        print(f"replay_threads_ratio two:one {statistics.median(two / one for one, two in turns):.4f}")
        child = subprocess.Popen(ours(path, "--threads", "1"), stdout=subprocess.DEVNULL)
        _, _, usage = os.wait4(child.pid, 0)
        print(f"replay_mib flows={flows} {usage.ru_maxrss / 1024:.1f}")


main()
