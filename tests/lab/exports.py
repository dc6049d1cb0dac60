#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`list -o conntrack` beside conntrack itself, `-o csv` beside `-o json`; a firewall that goes away while it is read."""
import csv
import io
import json
import os
import re
import signal
import socket
import subprocess
import time

import tap
from gateway import TOOL
from lab import CLIENT, SERVER, close_hard, equal, eventually, say
from packet import UDP, Volley, Wire, address, echo, ip, ipv4, udp
from tap import each, test

ICMP = {4: 1, 6: 58}
FORMS = ("text", "json", "csv", "conntrack")
LINE = re.compile(r"(?P<l3>ipv[46]) +(?P<l3num>\d+) (?P<l4>\S+) +(?P<l4num>\d+) (?P<left>\d+) (?:(?P<state>[A-Z_0-9]+) )?"
                  r"(?P<tuples>src=.*?) mark=(?P<mark>\d+) use=(?P<use>\d+)$")


def read_line(line):
    """A line of `conntrack -L -o extended`, as a script would take it apart."""
    match = LINE.fullmatch(line)
    assert match, f"not a line of conntrack: {line!r}"
    fields = match.groupdict()
    words = fields.pop("tuples").split(" ")
    flags = [w for w in words if w.startswith("[")]
    pairs = [w.split("=", 1) for w in words if not w.startswith("[")]
    second = [i for i, (key, _) in enumerate(pairs) if key == "src"][1]
    # Where a flag stands matters as well to scripts that count words.
    fields["flags"] = [(f, words.index(f)) for f in flags]
    fields["original"], fields["reply"] = pairs[:second], pairs[second:]
    fields["width"] = line.index("src=") - len(fields["left"]) - len(fields["state"] or "")
    return fields


def table(text):
    """By protocol and original tuple."""
    found = {}
    for line in text.splitlines():
        fields = read_line(line)
        key = (fields["l4"], *(value for name, value in fields["original"] if name not in ("packets", "bytes")))
        assert key not in found, f"twice: {line}"
        found[key] = fields
    return found


def watch_in_kernel(lab):
    """The kernel's conntrack follows the same packets, and counts them."""
    lab.firewall.sysctl("net.netfilter.nf_conntrack_acct", 1)
    for family in (4, 6):
        lab.firewall.iptables("-A", "FORWARD", "-m", "conntrack", "--ctstate", "INVALID", "-j", "ACCEPT", family=family)


def send(lab, family, proto, data, end="client"):
    source, target = (CLIENT, SERVER) if end == "client" else (SERVER, CLIENT)
    Wire(lab, end).send(ip(source[family], target[family], proto, data))


def traffic(lab, family):
    """A flow of each kind that both know."""
    src, dst = CLIENT[family], SERVER[family]
    lab.connect(5000, family)
    closing, there = lab.connect(5001, family)
    closing.close()
    there.close()
    half, _ = lab.connect(5002, family)
    half.shutdown(socket.SHUT_WR)
    dead, _ = lab.connect(5003, family)
    close_hard(dead)
    lab.server.iptables("-A", "INPUT", "-p", "tcp", "--dport", "5004", "-j", "DROP", family=family)
    waiting = lab.client_socket(family)
    waiting.setblocking(False)
    waiting.connect_ex((dst, 5004))
    for port, answered in ((53, 0), (123, 1)):
        send(lab, family, UDP, udp(src, dst, 4000, port, b"question"))
        if answered:
            send(lab, family, UDP, udp(dst, src, port, 4000, b"answer"), "server")
            send(lab, family, UDP, udp(src, dst, 4000, port, b"thanks"))
    send(lab, family, ICMP[family], echo(src, dst, 998))
    time.sleep(0.2)
    waiting.close()  # its SYN is not sent again between two looks
    lab.server.iptables("-A", "INPUT", "-p", "icmp" if family == 4 else "icmpv6", "-j", "DROP", family=family)
    send(lab, family, ICMP[family], echo(src, dst, 999))
    send(lab, family, 253, b"an experiment")


@each("conntrack and `list -o conntrack` give the same to the same parser:", 4, 6)
def same(lab, family):
    gateway = lab.gateway("default use linux-nf-conntrack\n")
    watch_in_kernel(lab)
    traffic(lab, family)

    def both():
        kernel = lab.firewall.run("conntrack", "-L", "-o", "extended", "-f", f"ipv{family}").stdout
        ours = gateway.tool("list", "-o", "conntrack").stdout
        return table(kernel), table(ours)

    def quiet():  # the last segments are still on their way
        kernel, ours = both()
        # Neighbour discovery and the like passes no forwarding firewall.
        keep = {k: v for k, v in kernel.items() if k in ours or address(k[1]) == address(CLIENT[family])}
        for fields in (*keep.values(), *ours.values()):
            fields.pop("use")  # how many hold the kernel's entry at the moment
        left = {k: (int(keep[k].pop("left")), int(ours[k].pop("left"))) for k in keep if k in ours}
        state.update(kernel=keep, ours=ours, left=left)
        return keep == ours

    state = {}
    try:
        eventually("the same", quiet, 5)
    except AssertionError:
        equal(sorted(state["ours"]), sorted(state["kernel"]), "flows")
        for key in state["kernel"]:
            equal(state["ours"][key], state["kernel"][key], str(key))
    assert len(state["ours"]) >= 10, sorted(state["ours"])
    states = {fields["state"] for fields in state["ours"].values()}
    assert states >= {"ESTABLISHED", "SYN_SENT", "TIME_WAIT", "CLOSE", None}, states
    flags = {flag for fields in state["ours"].values() for flag, _ in fields["flags"]}
    equal(flags, {"[UNREPLIED]", "[ASSURED]"})
    for key, (theirs, own) in state["left"].items():
        assert abs(theirs - own) <= 2, f"{key}: {own} s left, conntrack says {theirs}"


@test("-o csv says what -o json says")
def comma(lab):
    gateway = lab.gateway("profile p from aws-nat-gateway {\n udp never\n}\nrule all match \"ip\" use p\ndefault use p\n")
    traffic(lab, 4)
    gateway.tool("block", "--from", "client", "tcp port 5000")
    time.sleep(0.3)
    rows = list(csv.DictReader(io.StringIO(gateway.tool("list", "-o", "csv").stdout)))
    objects = gateway.flows()
    equal(sorted(r["id"] for r in rows), sorted(str(o["id"]) for o in objects))
    by_id = {r["id"]: r for r in rows}
    for flow in objects:
        row = by_id[str(flow["id"])]
        equal([k for k in flow if k in row], list(row), "the columns, in the order of the objects")
        for name, value in row.items():
            want = flow[name]
            if name in ("idle_s", "remaining_s", "age_s") and want is not None:
                assert abs(float(value) - want) < 5, (name, value, want)
            elif isinstance(want, bool):
                equal(value, str(int(want)), name)
            elif want is None:
                equal(value, "", name)
            elif name == "longest_idle_s" or name == "timeout_s":
                assert abs(float(value) - want) < 5, (name, value, want)
            else:
                equal(value, str(want), name)
    assert any(r["timeout_s"] == "" for r in rows) and any(r["blocked_client"] == "1" for r in rows), rows
    assert not set(objects[0]) - set(rows[0]) - {"type", "v", "probing"} - {k for k in objects[0] if "keepalive" in k}


def fill(lab, gateway, count):
    """So many UDP flows that are not answered."""
    lab.server.iptables("-A", "INPUT", "-p", "udp", "-j", "DROP")
    volley = Volley(Wire(lab, "client"), [ipv4(CLIENT[4], SERVER[4], UDP, udp(CLIENT[4], SERVER[4], 1024 + i % 60000,
                                                                             6000 + i // 60000, b"fill")) for i in range(count)])

    def full():
        volley.fire()
        return gateway.status()["flows"] >= count

    eventually(f"{count} flows", full, 60)


FILL = "max-flows 200000\nprofile p from linux-nf-conntrack {\n udp 1h\n udp-stream 1h\n}\ndefault use p\n"


@each("kill -9 in the middle of a list is an error and not a shorter table:", *((f, w) for f in FORMS for w in ("daemon", "worker")))
def killed(lab, output, which):
    gateway = lab.gateway(FILL)
    count = 60000
    fill(lab, gateway, count)
    # Nobody reads the pipe: far more is to be listed than pipe and socket hold, so the answer is under way when it dies.
    reader = subprocess.Popen([TOOL, "list", "--control", gateway.control, "-o", output], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    assert reader.stdout.readline(), "nothing was listed"
    time.sleep(0.3)
    parent, worker = gateway.processes()[:2]
    os.kill(parent if which == "daemon" else worker, signal.SIGKILL)
    out, err = reader.communicate(timeout=20)
    listed = len(out.splitlines()) + 1
    assert 0 < listed < count, f"{listed} lines: it had ended before"
    equal(reader.returncode, 3)
    assert err.startswith("idlewall list: idlewalld went away before it had answered"), err
    gateway.process.wait(20)
    if which == "daemon":  # its rules stay behind, and are found by the next one
        lab.gateway(FILL, name="next").stop()


@test("a table is listed while its traffic goes on, each flow once")
def goes_on(lab):
    gateway = lab.gateway(FILL)
    client, server = lab.connect()
    fill(lab, gateway, 60000)

    def round_trips(until):
        times = []
        while not times or not until():
            started = time.monotonic()
            say(client, server, b"ping")
            say(server, client, b"pong")
            times.append(time.monotonic() - started)
        return times

    end = time.monotonic() + 1
    alone = round_trips(lambda: time.monotonic() > end)
    path = os.path.join(lab.directory, "list")
    with open(path, "wb") as to:
        lister = lab.keep_process(subprocess.Popen([TOOL, "list", "--control", gateway.control, "-o", "json"], stdout=to))
        beside = round_trips(lambda: lister.poll() is not None)
    equal(lister.returncode, 0)
    with open(path) as lines:
        ids = [json.loads(line)["id"] for line in lines]
    equal((len(ids), len(set(ids))), (60001, 60001), "flows, and different ones")
    middle = [sorted(t)[len(t) // 2] * 1e6 for t in (alone, beside)]
    print(f"# a round trip of two packets: {middle[0]:.0f} us alone, {middle[1]:.0f} beside the list, "
          f"worst {max(beside) * 1e3:.1f} ms, {len(beside)} of them")
    assert len(beside) > 5 and max(beside) < 1, "the list stopped the traffic"


tap.main(jobs=4)
