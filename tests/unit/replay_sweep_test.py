#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`idlewall replay --sweep` as a person uses it: each value beside a replay of its own, and all that is shown. TAP."""
import csv
import io
import json
import os
import random
import subprocess
import sys
import time

import one_by_one
from replay_tshark import ACK, FIN, PSH, handshake, need, segment, write
from svg_check import check

IDLEWALL = sys.argv[1]
AWS = ("--profile", "aws-nat-gateway")
SEED = int(os.environ.get("SEED", time.time_ns() // 1000))


def run(*args, status=0, text=None):
    """What is on standard output, or what is said about it."""
    done = subprocess.run([IDLEWALL, "replay", *args], capture_output=True, timeout=240, text=True, input=text)
    need(done.returncode == status, args, "status", done.returncode, done.stderr)
    need((done.stderr == "") == (status == 0), args, done.stderr)
    if status == 0:
        return done.stdout
    need(done.stdout == "", done.stdout)
    return done.stderr


def points(*args, **more):
    head, *rest = [json.loads(line) for line in run(*args, "-o", "json", **more).splitlines()]
    need(head["type"] == "sweep" and all(p["type"] == "sweep_point" for p in rest), head)
    return head, rest


def story(port, silences, start=1_700_000_000):
    """A connection that is silent for as long as that between one word and the next, and ends."""
    at, me, peer = start, port, 5001
    out = handshake(at, port, port - 1)
    for silence in silences:
        out += [segment(at + .1, True, ACK | PSH, me, peer, b"ask", client_port=port),
                segment(at + .2, False, ACK | PSH, peer, me + 3, b"told", client_port=port)]
        me, peer, at = me + 3, peer + 4, at + .2 + silence
        out.append(segment(at, True, ACK, me, peer, client_port=port))
    return out + [segment(at + .1, True, ACK | FIN, me, peer, client_port=port),
                  segment(at + .2, False, ACK | FIN, peer, me + 1, client_port=port),
                  segment(at + .3, True, ACK, me + 1, peer + 1, client_port=port)]


def in_order(stories):
    packets = [p for one in stories for p in one]
    return sorted(packets, key=lambda p: (int.from_bytes(p[:4], "little"), int.from_bytes(p[4:8], "little")))


def five(where):
    """Their longest silences: 5 s, 30 s, 300 s, 400 s and 2000 s."""
    path = os.path.join(where, "five.pcap")
    write(path, in_order([story(40001, [5]), story(40002, [30, 20]), story(40003, [10, 300, 10]), story(40004, [400]),
                          story(40005, [2000, 1])]))
    return path


def many(where, name="many.pcap", connections=300, first=0):
    """Silences of all lengths, many of them whole seconds as the swept values are."""
    rng = random.Random(SEED + first)
    path = os.path.join(where, name)
    write(path, in_order([
        story(20000 + first + i, [float(round(2 ** rng.uniform(0, 12))) for _ in range(rng.randrange(1, 8))],
              1_700_000_000 + rng.randrange(0, 20_000)) for i in range(connections)]))
    return path


def a_replay_for_each_value(where):
    paths = [many(where), many(where, "more.pcap", 100, 1000)]
    values = [1, 7, 10, 64, 100, 350, 1024, 1500, 4096]
    for profile in ("aws-nat-gateway", "cisco-asa", "linux-nf-conntrack", "azure-load-balancer-tcpreset"):
        _, swept = points(*paths, "--profile", profile, "--sweep", ",".join(f"{v}s" for v in values))
        swept = {float(p["timeout_s"]): p for p in swept}
        for value in values:
            policy = f"profile p from {profile} {{ tcp-established {value}s }}\ndefault use p\n"
            one = json.loads(run(*paths, "--policy", "-", "-o", "json", text=policy).splitlines()[0])
            point = swept[value]
            for mine, its in (("connections", "connections"), ("broken", "broken"), ("entries_opened", "entries_opened"),
                              ("entries_peak", "peak_entries")):
                need(point[mine] == one[its], "seed", SEED, profile, value, mine, point, one)
            need(abs(point["entries_mean"] - one["mean_entries"]) < .002, "seed", SEED, profile, value, point, one)


def a_connection_breaks_at_its_longest_silence(where):
    _, swept = points(five(where), *AWS, "--sweep", "1s,5s,6s,30s,31s,300s,301s,400s,401s,2000s,2001s")
    broken = {p["timeout_s"]: p["broken"] for p in swept}
    need(broken == {1: 5, 5: 5, 6: 4, 30: 4, 31: 3, 300: 3, 301: 2, 350: 2, 400: 2, 401: 1, 2000: 1, 2001: 0}, broken)


def the_rules_of_other_timeouts_stay(where):
    """A swept timeout that no connection ever has breaks the same for every value."""
    _, swept = points(five(where), *AWS, "--sweep", "1s..1h", "--timeout", "udp")
    need({p["broken"] for p in swept} == {2} and len(swept) > 100, swept[0], len(swept))


def text_json_and_csv_agree(where):
    path = many(where)
    head, swept = points(path, *AWS, "--sweep", "10s..24h")
    rows = list(csv.DictReader(io.StringIO(run(path, *AWS, "--sweep", "10s..24h", "-o", "csv"))))
    names = {"timeout_s": "timeout_s", "connections": "connections", "broken": "broken", "entries_opened":
             "entries_opened", "entries_peak": "entries_peak", "entries_mean": "entries_mean"}
    need(190 <= len(swept) <= 201 and len(rows) == len(swept), len(swept), len(rows))
    for row, point in zip(rows, swept):
        need({k: float(row[v]) for k, v in names.items()} == {k: float(point[k]) for k in names}, row, point)
    need([p["timeout_s"] for p in swept] == sorted({p["timeout_s"] for p in swept}), "no order")
    need(swept[0]["timeout_s"] == 10 and swept[-1]["timeout_s"] == 86400 and
         any(p["timeout_s"] == 350 for p in swept), "the ends and its own value are missing")
    need(all(a["broken"] >= b["broken"] and a["entries_peak"] <= b["entries_peak"]
             for a, b in zip(swept, swept[1:])), "longer is not gentler, or not dearer")
    need(head["own_s"] == 350 and head["policy"] == "aws-nat-gateway" and head["timeout"] == "tcp-established", head)
    need(head["safe_s"] == next(p["timeout_s"] for p in swept if p["broken"] == 0), head)
    out = run(path, *AWS, "--sweep", "10s..24h")
    own = next(p for p in swept if p["timeout_s"] == 350)
    need(f'as it is (5min50s): {own["broken"]} broken, at most {own["entries_peak"]} entries at once.' in out or
         f'as it is (350s): {own["broken"]} broken, at most {own["entries_peak"]} entries at once.' in out, out)


def what_people_read(where):
    out = run(five(where), *AWS, "--sweep", "10s,1min,10min,1h")
    title, empty, *table = out.splitlines()
    need(title.startswith(five(where) + " under aws-nat-gateway, with 5 values of tcp-established: 57 packets, "
                          "5 connections, 33min") and empty == "", out)
    head, rows = table[0], table[1:6]
    need([row.split()[:3] for row in rows] == [["10s", "4", "80%"], ["1min", "3", "60%"], ["350s", "2", "40%"],
                                               ["10min", "1", "20%"], ["1h", "0", "0%"]], out)
    need(rows[2].endswith("<- as it is") and rows[4].endswith("<- nothing breaks from here on"), out)
    for column in ("broken", "of all", "entries at most", "on average"):
        need(all(row[head.index(column) - 1] == " " and row[head.index(column)] != " " for row in rows), column, out)
    need("\nNothing breaks from 1h on: at most 5 entries at once, all that it costs.\n" in out, out)
    need("\nThe capture lasts 33min" in out and "longer silences are not in it.\n" in out, out)
    need(not any(line != line.rstrip() for line in out.splitlines()), "spaces at a line's end", out)
    out = run(five(where), *AWS, "--sweep", "10s,1min,10min")
    need("\nEvery value breaks something: even 10min breaks 1.\n" in out, out)
    out = run(five(where), *AWS, "--sweep", "1h,2h", "--timeout", "tcp-time-wait")
    need("tcp-time-wait" in out, out)


def several_captures_threads_and_pipes(where):
    whole = many(where, connections=200)
    with open(whole, "rb") as file:
        data = file.read()
    head, records, at = data[:24], [], 24
    while at < len(data):
        end = at + 16 + int.from_bytes(data[at + 8:at + 12], "little")
        records.append(data[at:end])
        at = end
    parts = [os.path.join(where, name) for name in ("odd.pcap", "even.pcap")]
    for i, part in enumerate(parts):
        with open(part, "wb") as to:
            to.write(head + b"".join(records[i::2]))
    sweep = [*AWS, "--sweep", "1s..1d"]
    expected = points(whole, *sweep)[1]
    for args in ([*parts], [parts[1], parts[0]], [whole, "--threads", "2"], [*parts, "--threads", "3"]):
        need(points(*args, *sweep)[1] == expected, args)
    with open(whole, "rb") as file:
        done = subprocess.run([IDLEWALL, "replay", "-", *sweep, "-o", "json"], stdin=file, capture_output=True,
                              timeout=240, check=True)
    need([json.loads(line) for line in done.stdout.splitlines()][1:] == expected, "from a pipe")


def picture(where):
    path = os.path.join(where, "sweep.svg")
    long_name = os.path.join(where, "a capture with a name that is much longer than anybody would want it to be " * 2 + ".pcap")
    os.symlink(five(where), long_name)
    several = many(where)
    for name, args in {
            "usual": [several, *AWS, "--sweep", "10s..24h"],
            "few": [five(where), *AWS, "--sweep", "10s,1h"],
            "one": [five(where), *AWS, "--sweep", "350s"],
            "all break": [five(where), *AWS, "--sweep", "1s..20s"],
            "none breaks": [five(where), "--profile", "cisco-asa", "--sweep", "1h..10d"],
            "a long name": [long_name, *AWS, "--sweep", "1s..1h"],
            "its own at the edge": [several, *AWS, "--sweep", "350s..400s"],
            "milliseconds": [five(where), *AWS, "--sweep", "1ms..3s"]}.items():
        need(run(*args, "--svg", path, "--quiet") == "", name, "is not quiet")
        with open(path, "rb") as file:
            data = file.read()
        wrong = list(check(data))
        need(not wrong, name, wrong)
    run(five(where), *AWS, "--sweep", "10s..1h", "--svg", path)
    with open(path, encoding="utf-8") as file:
        drawn = file.read()
    need("as it is, 350s: 2 broken, " in drawn and "nothing breaks from " in drawn, "no marks", drawn[:4000])


def inexact_is_refused(where):
    path = five(where)
    for words, reason, *more in (
            ("adaptive-start 10\nadaptive-end 20\n", "adaptive timeouts"),
            ("", "on-expiry dcd", "on-expiry dcd"),
            ("", "refresh each", "refresh each"),
            ("", "tcp-unacknowledged is below 2min", "tcp-unacknowledged 1min"),
            ("max-flows 2\n", "max-flows (2) is reached")):
        policy = f"{words}profile p from linux-nf-conntrack {{ {' '.join(more)} }}\ndefault use p\n"
        said = run(path, "--policy", "-", "--sweep", "10s..1h", text=policy, status=3)
        need(reason in said, repr(reason), "is not in", said)
    said = run(path, *AWS, "--sweep", "10s..1h", "--timeout", "active-timeout", status=3)
    need("counts from a connection's beginning" in said, said)


def wrong_use(where):
    path = five(where)
    for args, reason in (
            (["--sweep", "1h..10s"], "it ends before it begins"), (["--sweep", "5s..5s"], "it ends before it begins"),
            (["--sweep", "10s..never"], "limits that end"), (["--sweep", "never"], "limits that end"),
            (["--sweep", "1x..2x"], "unknown unit"), (["--sweep", "10s.."], "a duration is needed"),
            (["--sweep", "..10s"], "a duration is needed"), (["--sweep", ""], "a duration is needed"),
            (["--sweep", "10s,,1min"], "a duration is needed"), (["--sweep", "0..1min"], "must be above 0"),
            (["--sweep", "-5s..10s"], "not a duration"), (["--sweep", ",".join(f"{i + 1}s" for i in range(300))],
                                                          "too many values"),
            (["--sweep", "1s..2s", "--timeout", "tcp"], "no such timeout"),
            (["--sweep", "1s..2s", "--flows"], "takes neither"), (["--sweep", "1s..2s", "--independent"], "takes neither"),
            (["--sweep", "1s..2s", "--compare", "cisco-asa"], "takes neither"), (["--svg", "x.svg"], "belong to --sweep"),
            (["--timeout", "udp"], "belong to --sweep")):
        said = run(path, *AWS, *args, status=2)
        need(reason in said, args, repr(reason), "is not in", said)


def what_cannot_be_read_or_written(where):
    path, cut = five(where), os.path.join(where, "cut.pcap")
    with open(path, "rb") as file:
        data = file.read()
    with open(cut, "wb") as file:
        file.write(data[:-10])
    done = subprocess.run([IDLEWALL, "replay", cut, *AWS, "--sweep", "10s..1h"], capture_output=True, text=True,
                          timeout=60, check=False)
    need(done.returncode == 3 and "cut.pcap" in done.stderr and "5 connections" in done.stdout, done)
    need("No such file" in run(os.path.join(where, "none"), *AWS, "--sweep", "1s..2s", status=3), "no capture")
    said = run(path, *AWS, "--sweep", "1s..1h", "--svg", os.path.join(where, "none", "x.svg"), status=3)
    need("No such file" in said, said)
    empty = os.path.join(where, "empty.pcap")
    with open(empty, "wb") as file:
        file.write(data[:24])
    need("no packets" in run(empty, *AWS, "--sweep", "1s..1h", status=3), "an empty capture")


TESTS = [a_replay_for_each_value, a_connection_breaks_at_its_longest_silence, the_rules_of_other_timeouts_stay,
         text_json_and_csv_agree, what_people_read, several_captures_threads_and_pipes, picture, inexact_is_refused,
         wrong_use, what_cannot_be_read_or_written]


print(f"# SEED={SEED}")
one_by_one.run(TESTS, directory=True)
