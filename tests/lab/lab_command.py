#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`idlewall lab` as people use it: with and without root, between namespaces that exist, and on every way out. TAP."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

IDLEWALL, IDLEWALLD = sys.argv[1:3]
NOBODY = 65534
SERVER = "exec /usr/bin/python3 -m http.server 80 --bind :: >/dev/null 2>&1"
# Both address families: connect, be silent past the limit, write twice.
SILENCE = """
import os, socket, time
ends = [socket.create_connection((os.environ[name], 80), 3) for name in ("IDLEWALL_SERVER", "IDLEWALL_SERVER6")]
time.sleep(3.8)
for end in ends:
    end.send(b"a")
time.sleep(0.5)
for end in ends:
    try:
        end.send(b"b")
        print("alive")
    except ConnectionResetError:
        print("reset")
"""
cases = []


def case(function):
    cases.append(function)
    return function


def lab(*args, **how):
    environment = {**os.environ, "IDLEWALLD": IDLEWALLD}
    return subprocess.Popen([IDLEWALL, "lab", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=environment, **how)


def same(got, want):
    if got != want:
        raise AssertionError(f"got {got!r}, want {want!r}")


def has(text, part):
    if part not in text:
        raise AssertionError(f"{part!r} is not in {text!r}")


def running(words):
    """The processes that have these words in their command line."""
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as file:
                if words in file.read().replace(b"\0", b" ").decode(errors="replace"):
                    found.append(process)
        except OSError:
            pass
    return found


def left(pid):
    """What a lab that has ended left behind."""
    found = [name for name in os.listdir("/run/netns") if name.startswith(f"idlewall-{pid}-")]
    found += [name for name in os.listdir("/tmp") if name.startswith(f"idlewall-lab-{pid}-")]
    found += running(f"idlewall-lab-{pid}-")
    return found


def finish(child, timeout=60):
    out, err = child.communicate(timeout=timeout)
    same(left(child.pid), [])
    return child.returncode, out, err


def started(child):
    """Waits until the command has said that it runs."""
    same(child.stdout.readline(), "runs\n")


@case
def the_status_is_the_commands():
    for command, want in ("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137):
        same(finish(lab("--profile", "aws-nat-gateway", "sh", "-c", command))[0], want)
    same(finish(lab("--profile", "aws-nat-gateway", "nonexistent-program"))[0], 127)


@case
def a_connection_dies_as_the_profile_says():
    status, out, err = finish(lab("--profile", "aws-nat-gateway", "--speed", "100", "--server", SERVER, "--",
                                  "/usr/bin/python3", "-c", SILENCE))
    same((status, out), (0, "reset\nreset\n"))


@case
def and_lives_where_the_profile_says():
    same(finish(lab("--profile", "cisco-asa", "--speed", "100", "--server", SERVER, "--",
                    "/usr/bin/python3", "-c", SILENCE))[:2], (0, "alive\nalive\n"))


@case
def without_root():
    with tempfile.TemporaryDirectory() as directory:
        os.chmod(directory, 0o755)
        for program in IDLEWALL, IDLEWALLD:
            shutil.copy(program, directory)  # the build directory may be closed to others
        child = subprocess.Popen(
            [f"{directory}/idlewall", "lab", "--profile", "aws-nat-gateway", "--speed", "100", "--server", SERVER, "--",
             "/usr/bin/python3", "-c", SILENCE], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, user=NOBODY, group=NOBODY, extra_groups=[], cwd="/",
            env={"PATH": "/usr/bin:/bin"})
        status, out, err = finish(child)
        same((status, out, err), (0, "reset\nreset\n", ""))


@case
def every_way_out_leaves_nothing():
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        for delay in 0.02, 0.15, 0.3, None:
            child = lab("--profile", "aws-nat-gateway", "--", "sh", "-c", "echo runs; exec sleep 30")
            if delay is None:
                started(child)
            else:
                time.sleep(delay)
            child.send_signal(number)
            status, _, err = finish(child)
            # Before the lab has begun, the signal just ends it.
            if status != 128 + number and (delay is None or status != -number):
                raise AssertionError(f"{number!r} after {delay}: status {status}: {err}")


@case
def what_the_command_left_running_ends():
    mark = f"31{os.getpid()}"
    status, _, _ = finish(lab("--profile", "aws-nat-gateway", "sh", "-c", f"sleep {mark} >/dev/null 2>&1 & exit 0"))
    same(status, 0)
    same(running(f"sleep {mark}"), [])


@case
def a_killed_lab_is_cleaned_up_by_the_next():
    child = lab("--profile", "aws-nat-gateway", "--", "sh", "-c", "echo runs; exec sleep 30")
    started(child)
    child.kill()
    child.communicate(timeout=10)
    same(len([name for name in left(child.pid) if name.startswith(f"idlewall-{child.pid}-")]), 3)
    same(finish(lab("--profile", "aws-nat-gateway", "true"))[0], 0)
    same(left(child.pid), [])


@case
def a_firewall_that_ends_is_noticed():
    status, _, err = finish(lab("--profile", "aws-nat-gateway", "--", "sh", "-c",
                                "kill -9 $(ip netns pids $IDLEWALL_FIREWALL_NETNS); sleep 0.5"))
    same(status, 3)
    has(err, "the firewall ended meanwhile")


@case
def a_firewall_that_cannot_start_says_why():
    status, _, err = finish(lab("--profile", "nonexistent", "true"))
    same(status, 2)
    has(err, "nonexistent: no such profile")
    with tempfile.NamedTemporaryFile("w", suffix=".policy") as faulty:
        faulty.write("default use nowhere\n")
        faulty.flush()
        status, _, err = finish(lab("--policy", faulty.name, "true"))
    same(status, 3)
    has(err, "idlewalld did not start")
    has(err, "nowhere")
    same(finish(lab("--policy", "/nonexistent", "true"))[0], 3)


def state(name):
    return [subprocess.run(["ip", "-n", name, *words], stdout=subprocess.PIPE, check=True).stdout
            for words in (["-br", "addr"], ["route"], ["-6", "route"])]


@case
def between_namespaces_that_exist():
    names = [f"iwtest{os.getpid()}{end}" for end in "cs"]
    server = None
    try:
        for name in names:
            subprocess.run(["ip", "netns", "add", name], check=True)
            subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        before = [state(name) for name in names]
        server = subprocess.Popen(["ip", "netns", "exec", names[1], "sh", "-c", SERVER])
        time.sleep(1)
        for there in names[1], f"/run/netns/{names[1]}", str(server.pid):
            args = ("--profile", "aws-nat-gateway", "--client-netns", names[0], "--server-netns", there, "--")
            status, out, err = finish(lab(*args, "/usr/bin/python3", "-c", SILENCE))
            same((status, out, err), (0, "alive\nalive\n", ""))
            same([state(name) for name in names], before)
        if server.poll() is not None:
            raise AssertionError("the lab ended a process that is not its own")
        same(finish(lab("--profile", "aws-nat-gateway", "--client-netns", names[0], "--server-netns", "nonexistent",
                        "true"))[0], 3)
    finally:
        if server:
            server.terminate()
            server.wait()
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False)


def main():
    failed = 0
    print(f"1..{len(cases)}")
    for number, function in enumerate(cases, 1):
        try:
            function()
            print(f"ok {number} - {function.__name__}")
        except Exception as error:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {number} - {function.__name__}")
            print("# " + f"{type(error).__name__}: {error}".replace("\n", "\n# "))
        sys.stdout.flush()
    return failed > 0


sys.exit(main())
