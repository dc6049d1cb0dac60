#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a sweep of 200 timeouts costs beside one replay of the same capture: processor time, medians of runs in turn.

usage: bench_sweep.py FLOWS PACKETS, with IDLEWALL_BUILD set
"""
import os
import resource
import statistics
import subprocess
import sys
import tempfile

RUNS = 5


def spent(command):
    """Seconds of processor time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main():
    flows, packets = sys.argv[1:3]
    build = os.environ["IDLEWALL_BUILD"]
    with tempfile.NamedTemporaryFile(suffix=".pcap") as capture:
        subprocess.run([f"{build}/tests/bench/replay_make", flows, packets, "96"], stdout=capture, check=True,
                       stderr=subprocess.DEVNULL)
        replay = [f"{build}/tools/idlewall", "replay", capture.name, "--profile", "aws-nat-gateway", "--threads", "1"]
        times = [(spent(replay), spent(replay + ["--sweep", "10s..24h"])) for _ in range(RUNS)]
    print(f"sweep_ratio flows={flows} {statistics.median(sweep / one for one, sweep in times):.3f}")


if __name__ == "__main__":
    main()
