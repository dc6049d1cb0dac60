#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`idlewall simulate` as a person uses it: what it prints, writes and refuses, and how it ends. TAP."""
import csv
import io
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import time
import xml.dom.minidom

IDLEWALL = os.path.abspath(sys.argv[1])
import one_by_one

cases = []

STORY = """title "a test"
client linux
firewall aws-nat-gateway
server linux keepalive 60 6 10 port 1521
at 0s client connect
at 1s client send 100
expect server probes 1..30
until 10min
"""
# Expired at 350 s; the client's word at 400 s comes too late.
LATE = """client linux
firewall aws-nat-gateway
server linux
at 0s client connect
at 400s client send 1
expect client error ECONNRESET
until 10min
"""


def case(function):
    cases.append(function)
    return function


def simulate(*args, stdin="", cwd=None, timeout=120):
    done = subprocess.run([IDLEWALL, "simulate", *args], input=stdin.encode(), capture_output=True, timeout=timeout,
                          cwd=cwd)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def same(got, want):
    if got != want:
        raise AssertionError(f"got {got!r}, want {want!r}")


def has(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def lacks(text, part):
    if part in text:
        raise AssertionError(f"{part!r} is in {text!r}")


def shipped():
    status, out, err = simulate("--list")
    same((status, err), (0, ""))
    return [line.split()[0] for line in out.splitlines()]


@case
def cases_are_listed_with_their_titles():
    status, out, err = simulate("--list")
    same((status, err), (0, ""))
    lines = out.splitlines()
    names = [line.split()[0] for line in lines]
    same(names, sorted(names))
    if len(names) < 16:
        raise AssertionError(f"only {len(names)} cases")
    titles = [line[len(line.split()[0]):].lstrip() for line in lines]
    if not all(titles):
        raise AssertionError("a case without a title")
    same(len({line.index(title) for line, title in zip(lines, titles)}), 1)  # aligned


@case
def a_case_can_be_shown_and_played_as_a_file():
    status, text, err = simulate("--show", "oracle-dcd-answers-lost")
    same((status, err), (0, ""))
    by_name = simulate("oracle-dcd-answers-lost")
    same(by_name[0], 0)
    same(simulate("-", stdin=text), by_name)


@case
def every_case_holds():
    """Single stories: a table of a workload has no expectations, and some take long."""
    for name in shipped():
        if "\nrepeat" in simulate("--show", name)[1]:
            continue
        status, out, err = simulate("--quiet", name)
        if (status, out, err) != (0, "", ""):
            raise AssertionError(f"{name}: {status} {out!r} {err!r}")


@case
def a_story_is_told():
    status, out, err = simulate("-", stdin=STORY)
    same((status, err), (0, ""))
    has(out, "keepalive")
    outcome = simulate("--outcome", "-", stdin=STORY)
    same(outcome[0], 0)
    if not out.endswith(outcome[1]) or len(outcome[1]) >= len(out):
        raise AssertionError("the outcome is not the story's end")
    same(simulate("--quiet", "-", stdin=STORY), (0, "", ""))


@case
def what_is_not_met_is_1_and_says_so():
    status, out, err = simulate("-", stdin=STORY.replace("1..30", "100..200"))
    same(status, 1)
    has(err, "standard input:7:")
    if not out:
        raise AssertionError("nothing was told")
    status, _, err = simulate("--quiet", "-", stdin=STORY.replace("1..30", "0").replace("keepalive 60", "keepalive 60,900"))
    same(status, 1)
    has(err, "with server keepalive")
    same(err.count("standard input:7:"), 1)  # only with 60


@case
def json_is_an_object_a_line():
    status, out, _ = simulate("-o", "json", "-", stdin=STORY)
    same(status, 0)
    lines = [json.loads(line) for line in out.splitlines()]
    if not all("type" in line and line["v"] == 1 for line in lines):
        raise AssertionError("an object without type and v")
    same(lines[-1]["type"], "outcome")


@case
def wrong_use_is_2():
    with tempfile.TemporaryDirectory() as directory:
        for args in ([], ["a", "b"], ["--nosuch", "-"], ["-o", "xml", "-"], ["--seed", "x", "-"], ["--seed", "-1", "-"],
                     ["--threads", "0", "-"], ["--threads", "99999", "-"], ["--quiet", "--outcome", "-"], ["--list", "-"],
                     ["--list", "--systems"], ["--list", "--quiet"], ["--show", "nosuch"], ["--show"], ["--set", "a\nb", "-"],
                     ["-o", "csv", "-"], ["--set", "server keepalive idle 60,90", "--write-pcap", directory + "/p", "-"],
                     ["--set", "server keepalive idle 60,90", "--outcome", "-"]):
            status, out, err = simulate(*args, stdin=STORY)
            if (status, out) != (2, "") or not err:
                raise AssertionError(f"{args}: {status} {out!r} {err!r}")
        same(os.listdir(directory), [])


@case
def an_unknown_name_gets_the_nearest():
    status, out, err = simulate("oracle-dcd-answer-lost")
    same((status, out), (2, ""))
    has(err, "nearest: oracle-dcd-answers-lost")
    has(simulate("fin-lost")[2], "fin-lost-crash")
    status, _, err = simulate("x" * 100000)
    same(status, 2)
    lacks(err, "nearest")
    same(simulate("/nonexistent/story")[0], 3)
    same(simulate("/")[0], 3)


@case
def a_file_wins_over_a_case():
    with tempfile.TemporaryDirectory() as directory:
        with open(os.path.join(directory, "oracle-dcd-answers-lost"), "w", encoding="ascii") as file:
            file.write("nonsense\n")
        status, _, err = simulate("oracle-dcd-answers-lost", cwd=directory)
        same(status, 2)
        has(err, "oracle-dcd-answers-lost:1:1:")


@case
def every_fault_has_its_place():
    status, out, err = simulate("-", stdin=STORY.replace("client linux", "client plan9").replace("at 1s", "at -1s"))
    same((status, out), (2, ""))
    has(err, "standard input:2:8:")
    has(err, "standard input:6:")
    for text in "", "\0", "client linux\nserver linux\nuntil 400d\n", "# " + "x" * (2 << 20):
        same(simulate("-", stdin=text)[0], 2)


@case
def settings_replace_those_of_the_text():
    same(simulate("--quiet", "-", "--set", "server keepalive off", stdin=STORY)[0], 1)
    status, out, _ = simulate("-", "--set", "server keepalive idle 60,120", "--set", "firewall tcp-established 30s,1h",
                              stdin=STORY.replace("expect", "#"))
    same(status, 0)
    same(len(out.splitlines()), 2 + 4)
    status, _, err = simulate("-", "--set", "server keepalive idle 60", "--set", "server keepalive idle x", stdin=STORY)
    same(status, 2)
    has(err, "--set 'server keepalive idle x':")


@case
def a_grid_is_one_table():
    text = STORY.replace("expect", "#").replace("keepalive 60 6 10", "keepalive idle 60,120,400")
    status, out, err = simulate("-", stdin=text)
    same((status, err), (0, ""))
    same([line.split()[0] for line in out.splitlines()[2:]], ["60", "120", "400"])
    status, out, err = simulate("-o", "csv", "-", stdin=text)
    same((status, err), (0, ""))
    rows = list(csv.DictReader(io.StringIO(out)))
    same([row["server_keepalive_idle_s"] for row in rows], ["60", "120", "400"])
    if not int(rows[0]["server_probes"]) > int(rows[1]["server_probes"]) > int(rows[2]["server_probes"]) > 0:
        raise AssertionError(f"more probes with less idle time: {out}")
    same([row["firewall_expired"] for row in rows], ["0", "0", "1"])
    for threads in "1", "2", "5":
        same(simulate("-o", "csv", "--threads", threads, "-", stdin=text)[1], out)
    points = [json.loads(line) for line in simulate("-o", "json", "-", stdin=text)[1].splitlines()]
    same([point["parameters"][0]["value_s"] for point in points], [60, 120, 400])


WORKLOAD = """client linux
firewall aws-nat-gateway
server linux keepalive idle 60
repeat 3000 clients over 1h idle exponential 2min requests 2..4 request 100 answer 500 vanish 10%
until 4h
"""


@case
def a_workload_is_counted():
    status, out, err = simulate("-o", "json", "-", stdin=WORKLOAD)
    same((status, err), (0, ""))
    point, *samples = [json.loads(line) for line in out.splitlines()]
    same(point["connections"], 3000)
    same(point["completed"] + point["broken"], 3000)
    if not 200 < point["broken"] < 400:
        raise AssertionError(f"a tenth vanishes: {point['broken']}")
    same(point["server"]["sockets_end"], 0)  # keepalive finds those that vanished
    if not 100 < point["firewalls"][0]["entries_peak"] < 3000:
        raise AssertionError(point)
    peak = max(sample["entries"][0] for sample in samples)
    if not 0.9 * point["firewalls"][0]["entries_peak"] <= peak <= point["firewalls"][0]["entries_peak"]:
        raise AssertionError(f"samples peak at {peak}")
    same(simulate("-o", "json", "-", stdin=WORKLOAD)[1], out)
    other = simulate("-o", "json", "--seed", "2", "-", stdin=WORKLOAD)[1]
    if other == out or json.loads(other.splitlines()[0])["connections"] != 3000:
        raise AssertionError("another seed is another day")
    leaky = json.loads(simulate("-o", "json", "--set", "server keepalive off", "-", stdin=WORKLOAD)[1].splitlines()[0])
    same(leaky["server"]["leaked_end"], leaky["server"]["sockets_end"])
    same(leaky["server"]["leaked_end"] > 200, True)


@case
def pictures_are_whole_or_not_there():
    with tempfile.TemporaryDirectory() as directory:
        picture = os.path.join(directory, "picture.svg")
        for text in STORY, STORY.replace("expect", "#").replace("idle", "idle").replace("60 6 10", "idle 60,120"), WORKLOAD:
            same(simulate("--quiet", "--svg", picture, "-", stdin=text), (0, "", ""))
            same(xml.dom.minidom.parse(picture).documentElement.tagName, "svg")
            same(os.listdir(directory), ["picture.svg"])
        before = open(picture, "rb").read()
        same(simulate("--svg", picture, "-", stdin="nonsense")[0], 2)
        same(open(picture, "rb").read(), before)
        status, out, err = simulate("--svg", os.path.join(directory, "no", "picture.svg"), "-", stdin=STORY)
        same((status, out), (3, ""))
        has(err, os.path.join(directory, "no", "picture.svg"))
        many = STORY.replace("expect", "#").replace("keepalive 60 6 10", "keepalive idle 60,70,80 count 1,2,3 interval 1,2,3")
        status, _, err = simulate("--quiet", "--svg", os.path.join(directory, "many.svg"), "-", stdin=many)
        same(status, 3)
        has(err, "curves")
        same(os.listdir(directory), ["picture.svg"])
        same(simulate("--quiet", "--svg", "/dev/full", "-", stdin=STORY)[0], 3)


@case
def captures_are_written():
    with tempfile.TemporaryDirectory() as directory:
        target = os.path.join(directory, "pcap")
        same(simulate("--quiet", "--write-pcap", target, "-", stdin=STORY), (0, "", ""))
        names = sorted(os.listdir(target))
        same(names, ["client.pcap", "firewall-client.pcap", "firewall-server.pcap", "server.pcap"])
        for name in names:
            with open(os.path.join(target, name), "rb") as file:
                magic = struct.unpack("<I", file.read(4))[0]
            same(magic in (0xA1B23C4D, 0x4D3CB2A1), True)
        status, _, err = simulate("--quiet", "--write-pcap", "/proc/nosuch", "-", stdin=STORY)
        same(status, 3)
        has(err, "/proc/nosuch")


@case
def a_full_disk_is_3():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([IDLEWALL, "simulate", "-"], input=STORY.encode(), stdout=full, stderr=subprocess.PIPE,
                              timeout=60, check=False)
    same(done.returncode, 3)
    has(done.stderr.decode(), "standard output")


LONG = WORKLOAD.replace("3000 clients over 1h", "3000000 clients over 200h").replace("until 4h", "until 300d")


@case
def an_interrupt_shows_nothing_as_if_it_were_whole():
    with tempfile.TemporaryDirectory() as directory:
        for text in LONG, LONG.replace("idle 60", "idle 60,120"):
            child = subprocess.Popen([IDLEWALL, "simulate", "--svg", directory + "/p.svg", "-"], stdin=subprocess.PIPE,
                                     stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            child.stdin.write(text.encode())
            child.stdin.close()
            time.sleep(0.5)
            child.send_signal(signal.SIGINT)
            status = child.wait(20)
            out, err = child.stdout.read(), child.stderr.read().decode()
            child.stdout.close()
            child.stderr.close()
            same((status, out), (3, b""))
            has(err, "nothing is shown")
            lacks(err, "\r")  # no bar in a pipe
            same(os.listdir(directory), [])


@case
def a_terminal_gets_a_bar_that_goes_away():
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(LONG)
            file.flush()
            child = subprocess.Popen([IDLEWALL, "simulate", "--quiet", file.name])
            time.sleep(2)
            child.send_signal(signal.SIGINT)
            os._exit(child.wait(20))  # pylint: disable=protected-access
    seen = b""
    until = time.monotonic() + 30
    while time.monotonic() < until and select.select([terminal], [], [], 30)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    same(os.waitstatus_to_exitcode(status), 3)
    text = seen.decode()
    has(text, "playing [")
    has(text, " left")
    message = text.rindex("idlewall simulate: stopped")
    same(text[:message].endswith("\r\x1b[K"), True)


@case
def presets_are_shown_with_figures():
    status, out, _ = simulate("--systems")
    same(status, 0)
    systems = {line.split()[0]: line for line in out.splitlines()[1:]}
    has(systems["linux"], "7200 75 9")
    for name in systems:
        same(simulate("--quiet", "-", stdin=f"client {name}\nserver {name}\nat 0s client connect\nuntil 1min\n")[0], 0)
    status, out, _ = simulate("--apps")
    same(status, 0)
    for line in out.splitlines()[1:]:
        name, _, *sides = re.split("  +", line)
        for side, known in zip(("client", "server"), sides):
            story = "client linux\nserver linux\nuntil 1min\n".replace(f"{side} linux", f"{side} linux app {name}")
            same(simulate("--quiet", "-", stdin=story)[0], 2 if known == "-" else 0)


one_by_one.run(cases)
