#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`idlewall align` as a person uses it: what it prints, what it refuses, and how it ends. TAP."""
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading

IDLEWALL = os.path.abspath(sys.argv[1])
import one_by_one

cases = []

SOCKETS = """State Recv-Q Send-Q Local Address:Port Peer Address:Port Process
LISTEN 0 244 0.0.0.0:5432 0.0.0.0:* users:(("postgres",pid=700,fd=5)) ino:999 sk:1
ESTAB 0 0 192.0.2.1:5432 198.51.100.7:40022 users:(("postgres",pid=812,fd=9)) timer:(keepalive,118min,0) ino:12345 sk:1
\t ts sack cubic rto:204 rtt:1.5/0.7 lastsnd:120000 lastrcv:120000 lastack:119990
ESTAB 0 0 192.0.2.1:5432 198.51.100.7:40023 users:(("postgres",pid=813,fd=9)) ino:12346 sk:2
\t ts sack cubic rto:204 rtt:1.5/0.7 lastsnd:1200 lastrcv:1200 lastack:1199
"""
FLOW = {"type": "flow", "v": 1, "id": 7, "proto": "tcp", "client": "198.51.100.7", "client_port": 40022,
        "server": "192.0.2.1", "server_port": 5432, "state": "ESTABLISHED", "idle_s": 12.5, "timeout_s": 350,
        "remaining_s": 337.5, "timeout_name": "tcp-established", "age_s": 14, "longest_idle_s": 1.2,
        "rule": "default", "profile": "aws-nlb-tcp"}


def case(function):
    cases.append(function)
    return function


def align(*args, stdin="", env=None):
    done = subprocess.run([IDLEWALL, "align", *args], input=stdin.encode(), capture_output=True, timeout=60,
                          env=dict(os.environ, **(env or {})))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def same(got, want):
    if got != want:
        raise AssertionError(f"got {got!r}, want {want!r}")


def has(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def of_sockets(*args, sockets=SOCKETS):
    status, out, err = align("--sockets", "-", "-o", "json", *args, stdin=sockets)
    return status, objects(out), err


def file_of(text):
    file = tempfile.NamedTemporaryFile("w")
    file.write(text)
    file.flush()
    return file


@case
def one_line_and_its_reason_for_each_connection():
    status, out, err = align("--sockets", "-", "--path", "aws-nlb-tcp", stdin=SOCKETS)
    same((status, err), (1, ""))
    lines = out.splitlines()
    same(lines[1], "2 connections: 1 will break, 1 never noticed")
    has(lines[3], "VERDICT")
    has(lines[4], "will break")
    has(lines[4], "192.0.2.1:5432")
    has(lines[4], "aws-nlb-tcp 350s")
    has(lines[5], "Server (here) gets ECONNRESET")
    has(lines[7], "nobody is told")
    has(out, "tcp_keepalives_idle = 240")
    has(out, "rule: (240 + 2 * 30) * 9/8 + 0.0015 = 337.5 s < 350s")
    has(out, "What it costs")


@case
def advice_comes_once_for_each_software():
    status, found, _ = of_sockets("--path", "aws-nlb-tcp")
    same(status, 1)
    same([o["type"] for o in found], ["connection", "connection", "advice", "price"])
    same((found[2]["software"], found[2]["connections"], found[2]["idle_s"]), ("postgresql", 2, 240))
    same({k for line in found[2]["lines"] for k in line}, {"source", "file", "set", "then"})


@case
def what_is_predicted():
    _, found, _ = of_sockets("--path", "aws-nlb-tcp")
    first, second = found[:2]
    same((first["verdict"], first["why"], first["fix"]), ("will break", "too-late", "server"))
    same(first["forgotten_in_s"], 230.01)
    same((first["server_end"]["sees"], first["client_end"]["sees"]), ("ECONNRESET", "nothing"))
    same((second["verdict"], second["server_end"]["on_write"]), ("never noticed", "ECONNRESET"))


@case
def never_noticed_alone_is_no_failure():
    status, found, _ = of_sockets("--path", "aws-nlb-tcp", "port 40023")
    same((status, [o["verdict"] for o in found if o["type"] == "connection"]), (0, ["never noticed"]))


@case
def the_limit_is_reached_exactly_or_not():
    same(align("--plan", "--server", "redis", "--path", "451s")[1].split("\n")[1], "1 connection: 1 safe")
    same(align("--plan", "--server", "redis", "--path", "450s")[1].split("\n")[1], "1 connection: 1 at risk")


@case
def a_table_gives_limits_and_what_is_left():
    with file_of(json.dumps(FLOW) + "\n") as table:
        status, found, err = of_sockets("--table", table.name)
    same((status, err), (1, ""))
    same((found[0]["limit_s"], found[0]["forgotten_in_s"], found[0]["limit_origin"]), (350, 337.5, "verified"))
    same(sum(o["type"] == "connection" for o in found), 1)  # the other one is not in the table
    same(round(found[-1]["arrivals_per_s"] * 350, 9), 1.0)


@case
def bad_lines_of_a_table_are_named_and_the_rest_used():
    with file_of("x\n" + json.dumps(FLOW) + "\n" + json.dumps(FLOW)[:-40]) as table:
        status, found, err = of_sockets("--table", table.name)
    same((status, found[0]["verdict"]), (1, "will break"))
    has(err, "lines 1, 3; the rest is used")


@case
def bad_lines_of_sockets_are_named_and_the_rest_used():
    status, found, err = of_sockets("--path", "aws-nlb-tcp", sockets=SOCKETS + "ESTAB 0 0 nonsense 1.2.3.4:5\n")
    same((status, len(found)), (1, 4))
    has(err, "line 7; the rest is used")


@case
def other_texts_are_refused():
    status, out, err = align("--sockets", "-", "--path", "aws-nlb-tcp", stdin="hello\n\0world\n")
    same((status, out), (2, ""))
    has(err, "no line of it is a socket")
    with file_of("hello\n") as table:
        status, out, err = align("--table", table.name, "--sockets", "-", stdin=SOCKETS)
    same((status, out), (2, ""))
    has(err, "no line of it is a flow")


@case
def missing_files_are_said():
    same(align("--path", "aws-nlb-tcp", "--sockets", "/nonexistent")[0], 3)
    same(align("--table", "/nonexistent", "--sockets", "-", stdin=SOCKETS)[0], 3)
    status, _, err = align("--sockets", "-", stdin=SOCKETS, env={"IDLEWALL_CONTROL": "/nonexistent"})
    same(status, 3)
    has(err, "no idlewalld listens")


@case
def a_filter_chooses():
    status, found, _ = of_sockets("--path", "aws-nlb-tcp", "src", "port", "40023")
    same((status, [o["peer_port"] for o in found if o["type"] == "connection"]), (0, [40023]))
    same(align("--path", "aws-nlb-tcp", "--sockets", "-", "no such word", stdin=SOCKETS)[0], 2)


@case
def the_other_end_counts():
    peers = ("ESTAB 0 0 198.51.100.7:40022 192.0.2.1:5432 timer:(keepalive,55sec,0) ino:1 sk:1\n"
             "ESTAB 0 0 198.51.100.7:40023 192.0.2.1:5432 ino:2 sk:1\n")
    with file_of(peers) as other:
        _, found, _ = of_sockets("--path", "aws-nlb-tcp", "--peer-sockets", other.name)
    by_port = {o["peer_port"]: o for o in found if o["type"] == "connection"}
    same(by_port[40022]["why"], "figures-unknown")  # 55 s at least, of the other end
    same(by_port[40023]["client_end"]["keepalive"], "off")


@case
def wrong_use():
    for args in (["--plan"], ["--plan", "--server", "redis"], ["--plan", "--path", "5min"],
                 ["--server", "redis", "--path", "5min"], ["--path", "nosuch"], ["--path", ""], ["-o", "csv"],
                 ["--watch", "never", "--path", "5min"], ["--watch", "1s", "--sockets", "-", "--path", "5min"],
                 ["--arrivals", "x", "--path", "5min"], ["--arrivals", "-1", "--path", "5min"],
                 ["--plan", "--server", "nosuch", "--path", "5min"], ["--nosuch"],
                 ["--plan", "--server", "redis", "--path", "5min", "--sockets", "-"]):
        status, out, err = align(*args, stdin=SOCKETS)
        if (status, out) != (2, "") or not err.startswith("idlewall align: "):
            raise AssertionError(f"{args}: {status} {out!r} {err!r}")


@case
def help_names_every_option():
    status, out, _ = align("--help")
    same(status, 0)
    for option in ("--table", "--path", "--policy", "--sockets", "--peer-sockets", "--watch", "--plan", "--server",
                   "--client", "--arrivals", "--output"):
        has(out, option)


@case
def the_price_of_arrivals():
    _, found, _ = of_sockets("--path", "cisco-asa", "--arrivals", "10")
    price = found[-1]
    same((price["type"], price["arrivals_per_s"]), ("price", 10))
    _, found, _ = of_sockets("--path", "cisco-asa", "--arrivals", "20")
    same(found[-1].get("entries"), 2 * price["entries"] if "entries" in price else None)


@case
def a_fixed_limit_is_not_to_be_raised():
    for path, part in (("aws-nat-gateway", "at most 350s (it is fixed)"), ("cisco-asa", "by timeout conn")):
        has(align("--plan", "--server", "postgresql", "--path", path)[1], part)


def a_firewall_that(answers):
    """Listens as idlewalld does, and sends these messages to one request after the other."""
    path = os.path.join(tempfile.mkdtemp(), "control")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen()

    def serve():
        for messages in answers:
            peer = listener.accept()[0]
            peer.recv(65536)
            for message in messages:
                peer.send(message)
            peer.close()
        listener.close()

    threading.Thread(target=serve, daemon=True).start()
    return path


STATUS = b'D{"type":"status","v":1,"uptime_s":100,"speed":10,"policy":null,"opened":5000,"ended_idle":50}\n'


@case
def a_running_firewall_is_asked():
    flow = (json.dumps(FLOW) + "\n").encode()
    path = a_firewall_that([[STATUS, b"Z\0"], [b"D" + flow[:50], b"D" + flow[50:], b"Z\0"]])
    status, found, err = of_sockets("--table", path)
    same((status, err), (1, ""))
    same((found[0]["limit_s"], found[0]["forgotten_in_s"]), (35, 33.75))  # speed 10
    same(found[-1]["arrivals_per_s"], 0.5)


@case
def half_a_table_is_none():
    path = a_firewall_that([[STATUS, b"Z\0"], [b"D" + (json.dumps(FLOW) + "\n").encode()]])
    status, found, err = of_sockets("--table", path)
    same((status, found), (3, []))
    has(err, "went away before it had answered")


@case
def an_own_policy():
    policy = 'profile branch { tcp-established 40s\n on-expiry reset-both }\ndefault use branch\n'
    with file_of(policy) as file:
        status, found, _ = of_sockets("--policy", file.name, "--path", "branch")
    same((status, found[0]["server_end"]["sees"], found[0]["server_end"]["after_s"]), (1, "ECONNRESET", [40, 40]))
    with file_of("profile branch {") as file:
        same(align("--policy", file.name, "--path", "branch", "--plan", "--server", "redis")[0], 2)


@case
def this_host_is_looked_at():
    status, out, _ = align("--path", "5min", "--watch", "1s", "-o", "json")
    if status not in (0, 1):
        raise AssertionError(status)
    objects(out)


@case
def every_profile_with_every_program():
    names = [line.split()[0] for line in subprocess.run([IDLEWALL, "profile", "list"], capture_output=True, check=True)
             .stdout.decode().splitlines()[1:]]
    for name in names:
        status, out, err = align("--plan", "--server", "postgresql", "--client", "java@windows", "--path", name, "-o", "json")
        if status not in (0, 1) or err:
            raise AssertionError(f"{name}: {status} {err}")
        for found in objects(out):
            if found["type"] == "advice" and found["possible"] and "idle_s" in found:
                if (found["idle_s"] + found["interval_s"]) * 9 / 8 >= found["limit_s"]:
                    raise AssertionError(f"{name}: {found}")


one_by_one.run(cases)
