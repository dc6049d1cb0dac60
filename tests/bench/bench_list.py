#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How long a table takes to list: idlewall's, with round trips through the firewall beside it, and conntrack's.

Both tables were filled by the same packets; the two commands take turns, and write to a file nobody reads. What the
kernel holds is limited by net.netfilter.nf_conntrack_max, which is the machine's: with fewer entries the time an entry
counts. usage: IDLEWALL_BUILD=... bench_list.py FLOWS      (root; namespaces of its own)
"""
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lab"))
from gateway import TOOL
from lab import CLIENT, SERVER, Lab, eventually, say
from netns import Run
from packet import UDP, Volley, Wire, ipv4, udp

TURNS = 3
PORTS = 60000


def packets(first, last):
    return [ipv4(CLIENT[4], SERVER[4], UDP, udp(CLIENT[4], SERVER[4], 1024 + i % PORTS, 6000 + i // PORTS, b"fill"))
            for i in range(first, last)]


def fill(lab, gateway, first, last):
    for at in range(first, last, 20000):
        volley = Volley(Wire(lab, "client"), packets(at, min(at + 20000, last)))
        want = min(at + 20000, last)

        def there():
            volley.fire()
            time.sleep(0.05)
            return gateway.status()["flows"] >= want

        eventually("the flows", there, 60)


def timed(space, *argv):
    with open("/dev/null", "wb") as nowhere:
        started = time.monotonic()
        process = space.popen(*argv, stdout=nowhere, stderr=subprocess.DEVNULL)
        return process, started


def seconds(space, *argv):
    process, started = timed(space, *argv)
    if process.wait() != 0:
        sys.exit(f"{argv}: status {process.returncode}")
    return time.monotonic() - started


def round_trips(pair, over):
    times = []
    while not times or not over():
        started = time.monotonic()
        say(pair[0], pair[1], b"ping")
        say(pair[1], pair[0], b"pong")
        times.append(time.monotonic() - started)
        time.sleep(0.0005)
    return times


def measure(lab, flows):
    gateway = lab.gateway(f"max-flows {flows + 1000}\nprofile p from linux-nf-conntrack {{\n udp 1d\n udp-stream 1d\n}}\n"
                          "default use p\n")
    lab.server.iptables("-A", "INPUT", "-p", "udp", "-j", "DROP")
    with open("/proc/sys/net/netfilter/nf_conntrack_max") as limit:
        kernel = min(flows, int(limit.read()) * 9 // 10)
    lab.firewall.sysctl("net.netfilter.nf_conntrack_acct", 1)
    lab.firewall.sysctl("net.netfilter.nf_conntrack_udp_timeout", 86400)
    follow = ("FORWARD", "-m", "conntrack", "--ctstate", "INVALID", "-j", "ACCEPT")
    lab.firewall.iptables("-A", *follow)
    pair = lab.connect()
    fill(lab, gateway, 0, kernel)
    # What comes now is for idlewall alone.
    lab.firewall.iptables("-t", "raw", "-A", "PREROUTING", "-p", "udp", "-j", "CT", "--notrack")
    fill(lab, gateway, kernel, flows)
    entries = int(lab.firewall.run("conntrack", "-C").stdout)
    held = gateway.status()["flows"]
    ours, theirs, piped = [], [], []
    for _ in range(TURNS):
        theirs.append(seconds(lab.firewall, "conntrack", "-L", "-o", "extended"))
        ours.append(seconds(lab.firewall, TOOL, "list", "--control", gateway.control, "-o", "conntrack"))
    end = time.monotonic() + 1
    alone = round_trips(pair, lambda: time.monotonic() > end)
    lister, _ = timed(lab.firewall, TOOL, "list", "--control", gateway.control, "-o", "conntrack")
    beside = round_trips(pair, lambda: lister.poll() is not None)
    return held, entries, min(ours), min(theirs), alone, beside


def main():
    flows = int(sys.argv[1])
    run = Run("b")
    lab = Lab(run)
    try:
        held, entries, ours, theirs, alone, beside = measure(lab, flows)
        print(f"list_seconds flows={held} {ours:.3f}")
        print(f"list_conntrack_seconds entries={entries} {theirs:.3f}")
        print(f"list_ratio flows={flows} {(ours / held) / (theirs / entries):.4f}")
        print(f"list_round_trip_us flows={held} alone {statistics.median(alone) * 1e6:.0f} beside "
              f"{statistics.median(beside) * 1e6:.0f} worst {max(beside) * 1e6:.0f} of {len(beside)}")
        print(f"list_stall_ms flows={flows} {max(beside) * 1e3:.2f}", flush=True)
    finally:
        for gateway in lab.gateways:
            gateway.destroy()
        lab.close()
        run.cleanup()


main()
