#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The `idlewall` program against a control socket of our own: what it asks, and what it makes of answers. TAP."""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading

IDLEWALL = sys.argv[1]
import one_by_one

cases = []


def case(function):
    cases.append(function)
    return function


class Control:
    """Answers one request with the given messages. None: hold the connection open."""

    def __init__(self, *messages):
        self.directory = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.directory.name, "control")
        self.messages = messages
        self.request = None
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(self.path)
        self.socket.listen(1)
        self.socket.settimeout(10)
        self.thread = threading.Thread(target=self.serve)

    def serve(self):
        client, _ = self.socket.accept()
        client.settimeout(10)
        with client:
            self.request = json.loads(client.recv(70000))
            try:
                for message in self.messages:
                    if message is None:
                        client.recv(1)
                        return
                    client.sendall(message)
            except (BrokenPipeError, ConnectionResetError):
                pass

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join()
        self.socket.close()
        self.directory.cleanup()


def run(*args, control=None, stdin=b"", env=None):
    args = [IDLEWALL, *args] + (["--control", control.path] if control else [])
    done = subprocess.run(args, input=stdin, capture_output=True, timeout=30,
                          env={**os.environ, **(env or {})})
    return done.returncode, done.stdout, done.stderr.decode()


def same(got, want):
    if got != want:
        raise AssertionError(f"got {got!r}, want {want!r}")


def has(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def asks(want, *args):
    with Control(b"Z\0") as control:
        status, _, err = run(*args, control=control)
    same((status, err), (0, ""))
    same(control.request, want)


@case
def requests_are_as_agreed():
    asks({"command": "list"}, "list")
    asks({"command": "list", "state": "ESTABLISHED", "idle_over_s": 90, "due_within_s": 0.5, "rule": "default",
          "id": 7, "output": "json", "filter": "tcp port 22"},
         "list", "--state", "established", "--idle-over", "1min30s", "--due-within", "500ms", "--rule", "default",
         "--id=7", "-o", "json", "tcp", "port", "22")
    asks({"command": "list", "output": "conntrack", "filter": "udp"}, "list", "udp", "-oconntrack")
    asks({"command": "events", "output": "json", "filter": "host 192.0.2.2"}, "events", "-o", "json", "host 192.0.2.2")
    asks({"command": "wait", "for": "late", "timeout_s": 600, "filter": "tcp"},
         "wait", "tcp", "--for", "late", "--timeout", "10min")
    asks({"command": "block", "from": "client", "filter": "tcp port 1521"},
         "block", "--from", "client", "tcp", "port", "1521")
    for verb in "expire", "forget", "kill", "unblock":
        asks({"command": verb, "filter": "udp"}, verb, "udp")
        asks({"command": verb}, verb, "--all")
    asks({"command": "status", "output": "json"}, "status", "-o", "json")
    asks({"command": "reload"}, "reload")


@case
def answers_are_copied():
    big = b"x" * 150000
    with Control(b"Dabc", b"Mone", b"D" + big, b"Mtwo", b"D", b"Z\1") as control:
        status, out, err = run("list", control=control)
    same((status, out, err), (1, b"abc" + big, "one\ntwo\n"))


@case
def an_answer_without_its_end_is_not_whole():
    with Control(b"Dabc") as control:
        status, out, err = run("list", control=control)
    same((status, out), (3, b"abc"))
    has(err, "went away")


@case
def nonsense_is_not_an_answer():
    for nonsense in b"Q", b"Z", b"Zab", b"\0":
        with Control(nonsense) as control:
            same(run("list", control=control)[0], 3)


@case
def nobody_listens():
    status, _, err = run("status", "--control", "/nonexistent/control")
    same(status, 3)
    has(err, "no idlewalld listens at /nonexistent/control")
    status, _, err = run("status", env={"IDLEWALL_CONTROL": "/nonexistent/from-env"})
    same(status, 3)
    has(err, "/nonexistent/from-env")
    same(run("status", "--control", "/" + "x" * 200)[0], 2)


@case
def wrong_use_is_2():
    for args in ([], ["nosuch"], ["list", "--nosuch"], ["list", "-o", "xml"], ["list", "--state", "OPEN"],
                 ["list", "--idle-over", "5m"], ["list", "--due-within", "never"], ["list", "--id", "0"],
                 ["list", "--id", "-1"], ["list", "--id", "99999999999999999999"], ["list", "--rule"],
                 ["events", "-o", "csv"], ["wait", "tcp"], ["wait", "--for", "update"], ["kill"],
                 ["kill", "--all", "tcp"], ["kill", "--from", "client", "tcp"], ["block", "--from", "both", "tcp"],
                 ["status", "tcp"], ["reload", "now"], ["check"], ["check", "a", "b"], ["profile"],
                 ["profile", "show"], ["profile", "show", "nosuch"], ["profile", "list", "--dies-at", "x"],
                 ["lab"], ["lab", "true"], ["lab", "--profile", "x"], ["lab", "--profile", "x", "--speed", "0", "true"],
                 ["lab", "--profile", "x", "--policy", "y", "true"], ["lab", "--profile", "x", "--speed", "1.5", "true"],
                 ["lab", "--profile", "x", "--client-netns", "a", "true"],
                 ["lab", "--profile", "x", "--client-netns", "a", "--server-netns", "a", "true"],
                 ["list", b"\xff"]):
        status, out, err = run(*args)
        if (status, out) != (2, b"") or not err:
            raise AssertionError(f"{args}: {status} {out!r} {err!r}")


@case
def a_filter_has_its_limit():
    control = Control()  # never asked
    status, _, err = run("list", "x" * 70000, control=control)
    control.socket.close()
    same(status, 2)
    has(err, "65536")


@case
def every_command_has_help_with_an_example():
    status, out, _ = run("--help")
    same(status, 0)
    names = [line.split()[0] for line in out.decode().splitlines() if line.startswith("  ")]
    same(len(names), 16)
    for name in names:
        status, out, err = run(name, "--help")
        same((status, err), (0, ""))
        has(out.decode(), f"usage: idlewall {name}")
        has(out.decode().partition("\nExample: ")[2], f"idlewall {name}")


@case
def a_reader_that_has_seen_enough_is_no_fault():
    with Control(*[b"D" + b"x" * 60000] * 50, b"Z\3") as control:
        child = subprocess.Popen([IDLEWALL, "events", "--control", control.path], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        child.stdout.read(10)
        child.stdout.close()
        err = child.stderr.read()
        child.stderr.close()
        same((child.wait(10), err), (0, b""))


@case
def an_interrupt_ends_events_well():
    with Control(b"Dfirst\n", None) as control:
        child = subprocess.Popen([IDLEWALL, "events", "--control", control.path], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        same(child.stdout.readline(), b"first\n")
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=10)
        same((child.returncode, out, err), (0, b"", b""))


@case
def check_says_where():
    same(run("check", "-", stdin=b"default use aws-nat-gateway\n")[0], 0)
    status, _, err = run("check", "-", stdin=b"default use nosuch\nfoo bar\n")
    same(status, 1)
    has(err, "standard input:1:13:")
    has(err, "standard input:2:1:")
    same(run("check", "-", stdin=b"")[0], 1)
    same(run("check", "-", stdin=b"# " + b"x" * (5 << 20))[0], 1)
    same(run("check", "/nonexistent/policy")[0], 3)
    same(run("check", "/")[0], 3)


def listed(*args):
    status, out, _ = run("profile", "list", *args)
    same(status, 0)
    return [line.split()[0] for line in out.decode().splitlines()[1:]]


@case
def profiles_are_listed_and_shown():
    everything = listed()
    has(everything, "aws-nat-gateway")
    same(everything, sorted(everything))
    lines = run("profile", "list")[1].decode().splitlines()
    same([line for line in lines if len(line) > 120], [])
    has([line.split()[-2:] for line in lines if line.startswith("aws-alb ")], ["proxy", "partly"])
    has(run("profile", "show", "aws-alb")[1], b"# not modelled: ")
    for name in everything:
        status, out, _ = run("profile", "show", name)
        same(status, 0)
        same(run("check", "-", stdin=out + f"default use {name}\n".encode())[0], 0)


@case
def dies_at_is_exact():
    has(listed("--dies-at", "350s"), "aws-nat-gateway")
    if "aws-nat-gateway" in listed("--dies-at", "349999ms"):
        raise AssertionError("it lives until 350s")
    # conntrack picks up mid-stream what it has forgotten; its strict form does not
    month = listed("--dies-at", "30d")
    has(month, "linux-nf-conntrack-strict")
    if "linux-nf-conntrack" in month:
        raise AssertionError("conntrack adopts")
    same(listed("--dies-at", "1s"), [])


one_by_one.run(cases)
