#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`idlewall replay` and `replay merge` as a person uses them, from captures to what is printed. TAP."""
import csv
import io
import json
import os
import subprocess
import sys

import one_by_one
from replay_tshark import ACK, FIN, PSH, handshake, need, segment, write

IDLEWALL, PARALLEL = sys.argv[1:3]
DOCUMENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "replay.md")
AWS = ("--profile", "aws-nat-gateway")


def run(*args, status=0, text=None, where=None):
    done = subprocess.run([IDLEWALL, "replay", *args], capture_output=True, timeout=120, text=True, input=text,
                          cwd=where)
    need(done.returncode == status, args, "status", done.returncode, done.stderr)
    need((done.stderr == "") == (status < 2), args, done.stderr)
    return done.stdout if status < 2 else done.stderr


def objects(text):
    return [json.loads(line) for line in text.splitlines()]


def of_type(text, kind):
    return [o for o in objects(text) if o["type"] == kind]


def story(port, silence, keepalive=0, isn=0, start=1_700_000_000):
    """A connection: a word, a silence (with probes if asked), a word, the end."""
    t = start + port % 100 / 100
    out = handshake(t, port, isn)
    me, peer = isn + 1, 5001
    out.append(segment(t + 1, True, ACK | PSH, me, peer, b"ask", client_port=port))
    out.append(segment(t + 1.1, False, ACK, peer, me + 3, client_port=port))
    if keepalive:
        for at in range(keepalive, silence, keepalive):
            out.append(segment(t + 1.1 + at, False, ACK, peer - 1, me + 3, client_port=port))
            out.append(segment(t + 1.101 + at, True, ACK, me + 3, peer, client_port=port))
    end = t + 1.1 + silence
    out.append(segment(end, True, ACK | PSH, me + 3, peer, b"ask", client_port=port))
    out.append(segment(end + .1, False, ACK, peer, me + 6, client_port=port))
    out.append(segment(end + .2, True, ACK | FIN, me + 6, peer, client_port=port))
    out.append(segment(end + .3, False, ACK | FIN, peer, me + 7, client_port=port))
    out.append(segment(end + .4, True, ACK, me + 7, peer + 1, client_port=port))
    return out


def captures(where):
    """Three: broken, saved and fine connections, in each another number of them."""
    paths = []
    for i, stories in enumerate([
            [(40001, 400, 0), (40002, 100, 0)],
            [(40003, 900, 300), (40004, 500, 0), (40005, 351, 0)],
            [(40006, 10, 0), (40007, 349, 0), (40008, 7000, 3000)]]):
        packets = [p for port, silence, keepalive in stories for p in story(port, silence, keepalive, port * 1000)]
        path = os.path.join(where, f"part {i}.pcap")
        write(path, sorted(packets, key=lambda p: (int.from_bytes(p[:4], "little"),
                                                     int.from_bytes(p[4:8], "little"))))
        paths.append(path)
    return paths


def text(where):
    out = run(*captures(where), *AWS)
    for word in ["Firewall       aws-nat-gateway\n", "\nConnections    8\n", "\n  broken             4  ",
                 "\n  saved              1  ", "\n  fine               3  ",
                 "Keepalive that would have saved all of them: idle 4min, interval 30s, on either end.\n",
                 "(idle + 2 * interval) * 9/8 + 1s < 350s", "\n198.51.100.2:5000  tcp              8       4      1"]:
        need(word in out, repr(word), "is not in", out)
    table = out[out.index("The broken, with"):].splitlines()[1:6]
    need([line.split()[1] for line in table[1:]] ==
         [f"192.0.2.2:{port}" for port in (40008, 40004, 40001, 40005)], table)
    need(all(line.index("192.0.2.2") == table[0].index("client") for line in table[1:]), table)
    need(not any(line != line.rstrip() for line in out.splitlines()), "spaces at a line's end", out)


def one_connection(where):
    out = run(captures(where)[1], *AWS, "--flows")
    head, *lines = out[:out.index("\n\n")].splitlines()
    line = next(x for x in lines if ":40004" in x)
    for column, value in [("CLIENT", "192.0.2.2:40004"), ("SERVER", "198.51.100.2:5000"),
                          ("OUTCOME", "broken  late: packet "), ("FROM", "2023-11-14 22:13:21.")]:
        need(line[head.index(column):].startswith(value), column, value, out)
    need(" 500s " in line and " 350s " in line and " of the client [P.] at 2023-11-14 22:21:41" in line, line)
    need(" after 500s, reset to the client" in line, line)
    saved = next(x for x in lines if ":40003" in x)
    need("saved" in saved and "keepalive: server every 5min (2 seen)" in saved, saved)


def json_and_csv_agree(where):
    paths = captures(where)
    lines = of_type(run(*paths, *AWS, "--flows", "-o", "json"), "connection")
    rows = list(csv.DictReader(io.StringIO(run(*paths, *AWS, "-o", "csv"))))
    need(len(lines) == len(rows) == 8, len(lines), len(rows))
    shown = {row["client_port"]: row for row in rows}
    for line in lines:
        row = shown[str(line["client_port"])]
        for name in row:
            value = line.get(name)
            value = "" if value is None else str(int(value)) if isinstance(value, bool) else str(value)
            need(row[name] == value or (name.endswith("_s") and float(row[name]) == float(value)), name, row, line)
    need({line["client_port"]: line["outcome"] for line in lines} ==
         {40001: "broken", 40002: "fine", 40003: "saved", 40004: "broken", 40005: "broken", 40006: "fine",
          40007: "fine", 40008: "broken"}, lines)


def merged_with_parallel(where):
    """A directory spread over processes by GNU parallel gives what one run with --independent gives."""
    paths = captures(where)
    whole = run(*paths, *AWS, "--independent", "-o", "json")
    done = subprocess.run([PARALLEL, "--will-cite", IDLEWALL, "replay", "{}", *AWS, "-o", "json", ">", "{}.json",
                           ":::", *paths], timeout=120, capture_output=True, text=True,
                          env=dict(os.environ, HOME=where))
    need(done.returncode == 0, done.stderr)
    results = [path + ".json" for path in paths]
    need(run("merge", "-o", "json", *results) == whole, "merge", run("merge", "-o", "json", *results), whole)
    need(run("merge", "-o", "json", *reversed(results)) == whole, "in another order")
    piped = subprocess.run([PARALLEL, "--will-cite", IDLEWALL, "replay", "{}", *AWS, "-o", "json", ":::", *paths],
                           timeout=120, capture_output=True, text=True, env=dict(os.environ, HOME=where)).stdout
    need(run("merge", "-o", "json", "-", text=piped) == whole, "through a pipe")
    need(run("merge", "-", text=piped) == run(*paths, *AWS, "--independent"), "the texts")
    summary = of_type(whole, "summary")[0]
    need((summary["parts"], summary["connections"], summary["broken"]) == (3, 8, 4), summary)


def documented_commands(where):
    """Those of docs/replay.md, as they stand there; the job array's script once a task, as Slurm runs it."""
    paths = captures(where)
    for path in paths:
        subprocess.run(["zstd", "-q", path, "-o", f"{where}/{os.path.basename(path).replace(' ', '-')}.zst"], check=True)
        os.unlink(path)
    packed = sorted(f"{where}/{name}" for name in os.listdir(where))
    with open(DOCUMENT) as document:
        blocks = [block.replace("    ", "", 1).replace("\n    ", "\n").replace("/captures", where)
                  for block in document.read().split("\n\n") if block.startswith("    ")]
    bin_directory = os.path.join(where, "bin")
    os.mkdir(bin_directory)
    os.symlink(os.path.abspath(IDLEWALL), os.path.join(bin_directory, "idlewall"))
    env = dict(os.environ, HOME=where, PATH=f"{bin_directory}:{os.environ['PATH']}")
    os.mkdir(f"{where}/.parallel")
    open(f"{where}/.parallel/will-cite", "w").close()

    def shell(command, **more):
        done = subprocess.run(["sh", "-c", command], cwd=where, env=dict(env, **more), timeout=120,
                              capture_output=True, text=True)
        need(done.returncode == 0, command, done.stderr)
        return done.stdout

    whole = run(*packed, *AWS, "--independent")
    local = next(block for block in blocks if "| parallel" in block)
    need(shell(local) == whole, local)
    several = next(block for block in blocks if "--sshloginfile" in block).replace("--sshloginfile hosts ", "")
    need(shell(several) == whole, several)
    script = next(block for block in blocks if "#SBATCH" in block)
    submit = next(block for block in blocks if "sbatch --parsable" in block)
    before, after = submit.split("job=", 1)
    shell(before)
    for task in range(1, len(packed) + 1):
        shell(script, SLURM_ARRAY_TASK_ID=str(task))
    need(shell(after.split("\n", 1)[1]) == whole, "the job array")


def divided_by_connection(where):
    """Shards of one capture: the sums, the servers and the worst are the whole's."""
    stories = [story(40000 + i, 50 * i + 1, 0, 40000 + i) for i in range(1, 30)]
    order = lambda p: (int.from_bytes(p[:4], "little"), int.from_bytes(p[4:8], "little"))  # noqa: E731
    results = []
    for shard in range(3):
        path = f"{where}/shard{shard}.pcap"
        write(path, sorted((p for s in stories[shard::3] for p in s), key=order))
        results.append(path + ".json")
        with open(results[-1], "w") as to:
            to.write(run(path, *AWS, "-o", "json"))
    write(f"{where}/whole.pcap", sorted((p for s in stories for p in s), key=order))
    whole, merged = run(f"{where}/whole.pcap", *AWS, "-o", "json"), run("merge", "-o", "json", *results)
    need(of_type(whole, "server") == of_type(merged, "server"), "servers", whole, merged)
    one, joined = of_type(whole, "summary")[0], of_type(merged, "summary")[0]
    for name in one:
        if not any(word in name for word in ("parts", "peak", "_ms", "mean", "capture_")):
            need(one[name] == joined[name], name, one, joined)
    need(one["peak_entries"] <= joined["peak_entries_sum"], one, joined)
    need([w["client_port"] for w in of_type(whole, "worst")] == [w["client_port"] for w in of_type(merged, "worst")],
         "worst", whole, merged)
    need(len(of_type(whole, "worst")) == 10 and one["broken"] > 10, whole)


def merge_in_steps(where):
    """What was merged is merged again."""
    results = []
    for path in captures(where):
        results.append(path + ".json")
        with open(results[-1], "w") as to:
            to.write(run(path, *AWS, "-o", "json", "--flows"))
    two = os.path.join(where, "two.json")
    with open(two, "w") as to:
        to.write(run("merge", "-o", "json", *results[:2]))
    need(run("merge", "-o", "json", two, results[2]) == run("merge", "-o", "json", *results))


def merge_refuses(where):
    path = captures(where)[0]
    aws, asa, bad, empty = (os.path.join(where, name) for name in ("aws", "asa", "bad", "empty"))
    for name, profile in ((aws, "aws-nat-gateway"), (asa, "cisco-asa")):
        with open(name, "w") as to:
            to.write(run(path, "--profile", profile, "-o", "json"))
    with open(bad, "w") as to:
        to.write(open(aws).read() + '{"type":"worst","v":1}\n')
    open(empty, "w").close()
    lines = open(aws).read().count("\n")
    for files, word in [((aws, asa), "it is of cisco-asa, what came before of aws-nat-gateway"),
                        ((bad,), f"bad:{lines + 1}: "), ((empty,), "empty: no result of"),
                        ((path,), "part 0.pcap:1: no result of"), ((where + "/none",), "No such file")]:
        said = run("merge", *files, status=3)
        need(word in said, files, said)
    need("FILE" in run("merge", status=2), "no file")
    need("text, json or csv" in run("merge", "-o", "xml", aws, status=2), "-o xml")


def compared(where):
    paths = captures(where)
    names = ["aws-nat-gateway", "azure-load-balancer", "linux-nf-conntrack"]
    lines = of_type(run(*paths, "--compare", ",".join(names), "-o", "json"), "compare")
    need([line["firewall"] for line in lines] == names, lines)
    for line in lines:
        alone = of_type(run(*paths, "--profile", line["firewall"], "-o", "json"), "summary")[0]
        for name in ("connections", "fine", "saved", "broken", "expired", "refused", "late_packets", "peak_entries",
                     "keepalive_would_save"):
            need(line[name] == alone[name], line["firewall"], name, line, alone)
    need([line["broken"] for line in lines] == [4, 6, 0], lines)
    out = run(*paths, "--compare", ",".join(names)).splitlines()
    head = next(i for i, line in enumerate(out) if line.startswith("firewall"))
    need([line.split()[0] for line in out[head + 1:head + 4]] == names, out)
    need(out[-1].split() == ["198.51.100.2:5000", "4", "6", "0"], out)
    beside = of_type(run(*paths, "--profile", names[0], "--compare", names[1], "-o", "json"), "compare")
    need(beside == lines[:2], beside)


def fails_on_broken(where):
    paths = captures(where)
    run(paths[0], *AWS, "--fail-on-broken", "--quiet", status=1)
    run(*paths, "--profile", "linux-nf-conntrack", "--fail-on-broken", "--quiet")


def a_broken_capture(where):
    path = captures(where)[1]
    whole = open(path, "rb").read()
    cut = os.path.join(where, "cut.pcap")
    with open(cut, "wb") as to:
        to.write(whole[:-30])
    done = subprocess.run([IDLEWALL, "replay", cut, *AWS], capture_output=True, timeout=60, text=True)
    need(done.returncode == 3 and "cut.pcap: at byte " in done.stderr and "packet " in done.stderr, done.stderr)
    need("\nConnections    3\n" in done.stdout, done.stdout)


TESTS = [text, one_connection, json_and_csv_agree, merged_with_parallel, documented_commands,
         divided_by_connection, merge_in_steps, merge_refuses, compared,
         fails_on_broken, a_broken_capture]


one_by_one.run(TESTS, directory=True)
