#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--metrics: what is served, that it is true, and that no client of it can hold up a packet."""
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
import urllib.parse

import openmetrics
import tap
from gateway import DAEMON
from lab import CLIENT, SERVER, equal, eventually, say, write
from openmetrics import value_of
from packet import UDP, Wire, ipv4, udp
from tap import each, test

ADDRESS = ("127.0.0.1", 9180)
WHERE = ("--metrics", "127.0.0.1:9180")
POLICY = """
profile short from linux-nf-conntrack {
    tcp-established 1s
    tcp-unacknowledged 1s
    udp 500ms
    on-late %s
}
profile long from linux-nf-conntrack {
    udp-stream 1h
}
rule dns match "udp port 53" use long
default use short
"""
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PATIENCE = 5  # METRICS_PATIENCE


def visit(lab, address=ADDRESS, family=socket.AF_INET):
    with lab.firewall:
        sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(20)
    sock.connect(address)
    return sock


def drink(sock):
    got = b""
    while piece := sock.recv(65536):
        got += piece
    return got


def http(lab, request, **where):
    """Sends a request as it is; (status, headers, body)."""
    with visit(lab, **where) as sock:
        sock.sendall(request)
        head, _, body = drink(sock).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    return int(lines[0].split()[1]), {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}, body.decode()


def get(lab, path="/metrics", method="GET", headers=(), **where):
    lines = (f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", "")
    return http(lab, "\r\n".join(lines).encode(), **where)


def scrape(lab):
    status, headers, body = get(lab)
    equal((status, headers["content-type"]), (200, OPEN))
    return openmetrics.parse(body)


def ask_dns(lab, count=1):
    """UDP flows without an answer, all of the profile `long`."""
    wire = Wire(lab, "client")
    for i in range(count):
        wire.send(ipv4(CLIENT[4], SERVER[4], UDP, udp(CLIENT[4], SERVER[4], 2000 + i, 53, b"q")))


@test("a page is strict OpenMetrics, promtool finds nothing wrong with the older form, and HTTP is kept to")
def form(lab):
    lab.gateway(POLICY % "reset", extra=WHERE)
    ask_dns(lab)
    client, _ = lab.connect()
    time.sleep(1.2)
    write(client)
    status, headers, body = get(lab)
    equal((status, headers["content-type"], int(headers["content-length"])), (200, OPEN, len(body)))
    openmetrics.parse(body)
    status, headers, plain = get(lab, headers=["Accept: text/plain;version=0.0.4;q=0.5,*/*;q=0.1"])
    equal(headers["content-type"], "text/plain; version=0.0.4; charset=utf-8")
    done = subprocess.run(["promtool", "check", "metrics"], input=plain, capture_output=True, text=True, timeout=30)
    equal((done.returncode, done.stderr), (0, ""), "promtool")
    both = "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5"
    equal(get(lab, headers=[both])[1]["content-type"], OPEN)
    status, headers, nothing = get(lab, method="HEAD")
    equal((status, nothing), (200, ""))
    equal(get(lab, "/")[0], 404)
    status, headers, _ = get(lab, method="POST")
    equal((status, headers["allow"]), (405, "GET, HEAD"))
    # promtool and the checker must be able to find something wrong.
    done = subprocess.run(["promtool", "check", "metrics"], input=plain.replace("_total", "_count"), capture_output=True, text=True)
    assert done.returncode != 0, done.stdout
    refuse_mutants(body)


def refuse_mutants(body):
    for what, to in ((r"# EOF\n", ""), (r"# EOF\n", "# EOF"), (r"_total ", " "), (r'reason="late"', 'reason="la"te"'),
                     (r'(idlewall_speed 1\n)', r'\1\1'), (r"# TYPE idlewall_speed gauge\n", ""),
                     (r"# HELP idlewall_speed .*\n", ""), (r"# UNIT (\S+) seconds", r"# UNIT \1 minutes"),
                     (r'le="10\.0"', 'le="10"'), (r'.*le="\+Inf".*\n', ""), (r"_seconds_count (\d+)", r"_seconds_count 77"),
                     (r'(le="10\.0"}) \d+', r"\1 99"), (r"idlewall_speed 1", "idlewall_speed one"),
                     (r"idlewall_speed 1", "idlewall_speed 1 "), (r"\n# TYPE", "\n\n# TYPE"),
                     (r'(idlewall_verdicts_total\{.*\}) (\d+)', r"\1 -\2"), (r"\Z", "x")):
        mutant = re.sub(what, to, body, count=1)
        assert mutant != body, f"{what} is not on the page"
        try:
            openmetrics.parse(mutant)
        except openmetrics.Wrong:
            continue
        raise AssertionError(f"accepted: {what} -> {to}")


@each("the figures are those of what happened, with on-late", "drop", "reset", "icmp", "adopt")
def figures(lab, on_late):
    gateway = lab.gateway(POLICY % on_late, extra=WHERE)
    before = scrape(lab)
    equal(sum(before["idlewall_flows"].samples.values()), 0)
    equal(value_of(before, "idlewall_next_expiry_seconds"), float("inf"))
    ask_dns(lab, 5)
    client, _ = lab.connect()
    eventually("the flows are there", lambda: gateway.status()["flows"] == 6)
    page = scrape(lab)
    equal(value_of(page, "idlewall_flows", profile="long", state="UNREPLIED"), 5)
    equal(value_of(page, "idlewall_flows", profile="short", state="ESTABLISHED"), 1)
    equal(sum(page["idlewall_flows"].samples.values()), 6)
    assert 0 <= value_of(page, "idlewall_next_expiry_seconds") <= 1, page["idlewall_next_expiry_seconds"].samples
    eventually("the connection expired", lambda: gateway.status()["expired"] == 1)
    equal(value_of(scrape(lab), "idlewall_flows_ended", reason="idle timeout"), 1)
    write(client)  # nobody listens to events; and one retransmission would be another late packet
    words = {"drop": "dropped", "reset": "reset sender", "icmp": "icmp", "adopt": "adopted"}
    eventually("late", lambda: value_of(scrape(lab), "idlewall_late_packets") >= 1)
    page, status = scrape(lab), gateway.status()
    late = value_of(page, "idlewall_late_packets")
    equal(value_of(page, "idlewall_late_packets", action=words[on_late]), late)
    # An adopted flow lives, so what follows is not late; each of the others finds the old one in the memory.
    remembered = value_of(page, "idlewall_late_idle_seconds", suffix="_count")
    assert 1 <= remembered <= status["late_remembered"], (remembered, status)
    total = value_of(page, "idlewall_late_idle_seconds", suffix="_sum")
    assert remembered <= total <= 20 * remembered, f"{total} s over {remembered} packets that came after 1 to 2 s"
    equal(value_of(page, "idlewall_late_idle_seconds", le="10.0"), remembered)
    gateway.tool("kill", "udp")
    equal(value_of(scrape(lab), "idlewall_flows_ended", reason="forced end"), 5)
    equal(value_of(scrape(lab), "idlewall_flows", profile="long"), 0)
    compare(page, gateway)


def compare(page, gateway):
    """Counters that do not change while nothing passes."""
    status = gateway.status()
    version = [dict(labels)["version"] for (_, labels) in page["idlewall_build"].samples]
    equal(version, [status["version"]])
    equal(value_of(page, "idlewall_flows_opened"), status["opened"])
    equal(value_of(page, "idlewall_max_flows"), status["max_flows"])
    equal(value_of(page, "idlewall_queue_dropped_packets", where="queue"), status["queue_dropped"])
    equal(value_of(page, "idlewall_queue_dropped_packets", where="socket"), status["user_dropped"])


@test("flows of an older policy count under its profiles, and together with those of the same name")
def policies(lab):
    gateway = lab.gateway(POLICY % "drop", extra=WHERE)
    ask_dns(lab, 3)
    eventually("three", lambda: gateway.status()["flows"] == 3)
    gateway.write_policy((POLICY % "drop").replace("1h", "2h") + "\n")
    gateway.reload()
    wire = Wire(lab, "client")
    for i in range(4):
        wire.send(ipv4(CLIENT[4], SERVER[4], UDP, udp(CLIENT[4], SERVER[4], 4000 + i, 53, b"q")))
    eventually("seven", lambda: gateway.status()["flows"] == 7)
    gateway.write_policy((POLICY % "drop").replace("long", "other"))
    gateway.reload()
    wire.send(ipv4(CLIENT[4], SERVER[4], UDP, udp(CLIENT[4], SERVER[4], 4100, 53, b"q")))
    eventually("eight", lambda: gateway.status()["flows"] == 8)
    page = scrape(lab)
    equal((value_of(page, "idlewall_flows", profile="long"), value_of(page, "idlewall_flows", profile="other")), (7, 1))
    equal((value_of(page, "idlewall_policies"), value_of(page, "idlewall_reloads", result="done")), (3, 2))


@test("several queues: one page with the sums")
def queues(lab):
    gateway = lab.gateway((POLICY % "drop").replace("500ms", "8s"), extra=(*WHERE, "--queue", "3:6"))
    lab.client.ip(*(f"addr add 192.0.2.{i}/24 dev eth0" for i in range(10, 42)))
    wire = Wire(lab, "client")
    for i in range(10, 42):
        source = f"192.0.2.{i}"
        port = 53 if i > 10 else 99  # one is due long before the others, in its queue alone
        wire.send(ipv4(source, SERVER[4], UDP, udp(source, SERVER[4], 5353, port, b"q")))
    eventually("all are there", lambda: gateway.status()["flows"] == 32)
    spread = {flow["id"] % 4 for flow in gateway.flows()}
    assert len(spread) > 1, "one queue had them all, so this tested nothing"
    page = scrape(lab)
    equal(page["idlewall_flows"].samples, {
        ("idlewall_flows", (("profile", name), ("state", "UNREPLIED"))): count for name, count in (("long", 31), ("short", 1))})
    equal(value_of(page, "idlewall_flows_opened"), 32)
    due = sorted(flow["remaining_s"] for flow in gateway.flows())
    assert due[0] < 8 and due[1] > 20, due
    assert 0 < value_of(page, "idlewall_next_expiry_seconds") < 8.1, due
    compare(page, gateway)


@test("Prometheus scrapes it")
def prometheus(lab):
    gateway = lab.gateway(POLICY % "reset", extra=WHERE)
    ask_dns(lab, 7)
    client, _ = lab.connect()
    eventually("expired", lambda: gateway.status()["expired"] == 1)
    write(client)
    config = os.path.join(lab.directory, "prometheus.yml")
    with open(config, "w") as to:
        to.write("global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nscrape_configs:\n  - job_name: idlewall\n"
                 "    static_configs:\n      - targets: ['127.0.0.1:9180']\n")
    with open(os.path.join(lab.directory, "prometheus.log"), "ab") as log:
        lab.keep_process(lab.firewall.popen("prometheus", "--config.file", config, "--storage.tsdb.path",
                                            os.path.join(lab.directory, "tsdb"), "--web.listen-address", "127.0.0.1:9090",
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def query(text):
        try:
            status, _, body = get(lab, "/api/v1/query?" + urllib.parse.urlencode({"query": text}),
                                  headers=["Connection: close"], address=("127.0.0.1", 9090))
            return json.loads(body)["data"]["result"] if status == 200 else []
        except (OSError, ValueError, IndexError):
            return []

    def number(text):
        found = query(text)
        return float(found[0]["value"][1]) if len(found) == 1 else None

    eventually("a scrape", lambda: number('up{job="idlewall"}') == 1, 30)
    equal(number('idlewall_flows{profile="long",state="UNREPLIED"}'), 7.0)
    eventually("late", lambda: number('idlewall_late_packets_total{action="reset sender"}') == 1, 5)
    equal(number('idlewall_late_idle_seconds_bucket{le="10.0"}'), 1.0)
    equal(number("count(idlewall_build_info)"), 1.0)


def figure(gateway, what):
    with open(f"/proc/{gateway.processes()[1]}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(what + ":"))


def descriptors(gateway):
    return len(os.listdir(f"/proc/{gateway.processes()[1]}/fd"))


def slowloris(lab, i):
    sock = visit(lab)
    sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-a")
    return sock


def never_reads(lab, i):
    with lab.firewall:
        sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    sock.settimeout(20)
    sock.connect(ADDRESS)
    sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return sock


def huge_header(lab, i):
    sock = visit(lab)
    sock.settimeout(0.05)
    try:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nX-a: " + b"x" * (1 << 20))
    except OSError:
        pass  # it stops reading, or ends the connection
    return sock


def huge_body(lab, i):
    sock = visit(lab)
    sock.settimeout(0.05)
    try:
        sock.sendall(b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n" + b"x" * (1 << 20))
    except OSError:
        pass
    return sock


def says_nothing(lab, i):
    return visit(lab)


def garbage(lab, i):
    sock = visit(lab)
    try:
        sock.sendall(os.urandom(3000) if i % 2 else b"\r\n" * 500 + b"GET  HTTP/9.9\r\n\0: \0\r\n\r\n")
    except OSError:
        pass
    return sock


def drip(held, over):
    """A byte a while: never long enough without one for a timeout of silence."""
    while not over.wait(0.1):
        for sock in held:
            try:
                sock.send(b"a", socket.MSG_DONTWAIT)
            except OSError:
                pass


def endure(gateway, client, server, fds):
    """Until the time of the first of them is over: the slowest round trip through the firewall."""
    end, worst = time.monotonic() + PATIENCE + 2, 0
    while time.monotonic() < end:
        started = time.monotonic()
        say(client, server, b"unharmed")
        say(server, client, b"unharmed")
        worst = max(worst, time.monotonic() - started)
        assert descriptors(gateway) <= fds + 70, "more connections than it should hold"
        time.sleep(0.1)
    return worst


@each("100 clients that mean harm:", slowloris.__name__, never_reads.__name__, huge_header.__name__, huge_body.__name__,
      says_nothing.__name__, garbage.__name__)
def harm(lab, how):
    gateway = lab.gateway((POLICY % "drop").replace("1s", "1min"), extra=WHERE)
    client, server = lab.connect()
    scrape(lab)
    gateway.status()
    eventually("no client of the control socket", lambda: gateway.status()["clients"] <= 1)
    rss, fds = figure(gateway, "VmRSS"), descriptors(gateway)
    held = [lab.keep(globals()[how](lab, i)) for i in range(100)]
    over = threading.Event()
    trickle = threading.Thread(target=drip, args=(held if how == "slowloris" else (), over))
    trickle.start()
    try:
        worst = endure(gateway, client, server, fds)
        grown = figure(gateway, "VmRSS") - rss
        # The first 64 have been put out by now, and the rest must not hold up a scrape for longer than their patience.
        started = time.monotonic()
        scrape(lab)
        assert time.monotonic() - started < PATIENCE + 3, "scraping is held up for good"
    finally:
        over.set()
        trickle.join()
    # 64 of them, 8 KiB of headers and a page of some 10 KiB each, and what the allocator keeps; ASan takes its part.
    assert grown < 16384, f"resident memory grew by {grown} kB"
    status = gateway.status()
    equal((status["queue_dropped"], status["user_dropped"], status["dropped"]), (0, 0, 0), "packets lost")
    print(f"# {how}: the slowest round trip of two took {worst * 1000:.1f} ms, memory grew by {grown} kB")
    assert worst < 1, f"a round trip took {worst:.1f} s"
    for sock in held:
        sock.close()
    eventually("all connections are gone", lambda: descriptors(gateway) <= fds, 10)


@test("addresses that others could reach are refused, and one that is in use")
def addresses(lab):
    for bad in ("0.0.0.0:9180", "192.0.2.1:9180", "[::]:9180", "9180", "localhost:9180", "127.0.0.1:0"):
        done = lab.firewall.run(DAEMON, "--profile", "aws-nat-gateway", "--metrics", bad, check=False)
        equal(done.returncode, 2, bad)
        assert "--metrics" in done.stderr, done.stderr
    with lab.firewall:
        other = lab.keep(socket.socket())
    other.bind(ADDRESS)
    other.listen()
    done = lab.firewall.run(DAEMON, "--profile", "aws-nat-gateway", *WHERE, "--control",
                            os.path.join(lab.directory, "other"), check=False)
    equal(done.returncode, 3, done.stderr)
    assert "127.0.0.1:9180: Address already in use" in done.stderr, done.stderr


@test("status says where; on IPv6 too; off unless asked for")
def where(lab):
    gateway = lab.gateway(POLICY % "drop", extra=("--metrics", "[::1]:9181"))
    equal(gateway.status()["metrics"], "[::1]:9181")
    assert "metrics http://[::1]:9181/metrics\n" in gateway.tool("status").stdout
    openmetrics.parse(get(lab, address=("::1", 9181), family=socket.AF_INET6)[2])
    gateway.stop()
    gateway = lab.gateway(POLICY % "drop", name="silent")
    equal(gateway.status()["metrics"], None)
    assert "metrics" not in gateway.tool("status").stdout
    assert not re.search(r":918\d", lab.firewall.run("ss", "-Hltn").stdout)


for program in ("prometheus", "promtool"):
    assert shutil.which(program), f"{program} is not installed (tools/install test)"
tap.main(jobs=4)
