#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Twenty labs side by side end well and leave nothing; labs killed by SIGKILL, whenever, leave nothing after the next start.
TAP. All of it in namespaces of its own (processes, mounts, network), with /run and /tmp empty at the beginning: what is there
afterwards and was not before was left by a lab. Argument: a seed."""
import glob
import os
import random
import re
import signal
import subprocess
import sys
import time

from netns import small_tables

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("IDLEWALL_BUILD", os.path.join(HERE, "../../build")))
SOURCE = os.path.dirname(os.path.dirname(HERE))
KEPT = (SOURCE, BUILD)  # wherever they are
IDLEWALL = os.path.join(BUILD, "tools/idlewall")
ENV = dict(os.environ, IDLEWALLD=os.path.join(BUILD, "middlebox/live/idlewalld"))
MANY = 20
INSIDE = "IDLEWALL_LAB_MANY"
# One firewall, two seconds: killed while it is set up, in the middle, and when it is taken down.
STORY = os.path.join(HERE, "stories/abort.scenario")
cases = []


def case(function):
    cases.append(function)
    return function


def enter():
    """Again, as the first process of new namespaces."""
    os.environ[INSIDE] = "yes"
    arguments = ["--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc", sys.executable, *sys.argv]
    os.execvp("unshare", ["unshare", *arguments])


def run(*argv, **options):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **options).stdout


def furnish():
    small_tables()
    kept = [(place, os.open(place, os.O_PATH)) for place in KEPT]
    for place in "/run", "/tmp":
        run("mount", "-t", "tmpfs", "tmpfs", place)
    for place, fd in kept:
        if not os.path.exists(place):
            os.makedirs(place)
            run("mount", "-c", "--bind", f"/proc/self/fd/{fd}", place, pass_fds=[fd])
        os.close(fd)
    # What ip and iptables leave themselves, the first time on any machine.
    run("ip", "netns", "add", "first")
    run("ip", "netns", "del", "first")
    run("iptables", "-w", "-L")


def first_process():
    """Takes in those whose parent was killed, as init does."""
    worker = os.fork()
    if worker == 0:
        return
    while True:
        pid, status = os.wait()
        if pid == worker:
            sys.stdout.flush()
            os._exit(os.waitstatus_to_exitcode(status) & 255)


def command_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def there():
    """All that a lab could leave."""
    found = set()
    for place in "/run", "/tmp":
        for directory, directories, files in os.walk(place):
            directories[:] = [name for name in directories if os.path.join(directory, name) not in KEPT]
            found |= {os.path.join(directory, name) for name in directories + files}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        if int(pid) not in (1, os.getpid()) and command_of(pid):
            found.add(f"process {pid}: {command_of(pid)}")
    found |= {f"link {line.split(': ')[1]}" for line in run("ip", "-o", "link").splitlines()}
    for table in "iptables-save", "ip6tables-save":
        found |= {f"{table}: {line}" for line in run(table).splitlines() if line.startswith(("-A", ":"))}
    with open("/proc/self/mountinfo") as file:
        found |= {f"mount {line.split()[4]}" for line in file}
    return found


def left(before, patience=0.0):
    """What was not there before; what ends by itself may take that long."""
    until = time.monotonic() + patience
    while True:
        found = sorted(there() - before)
        if not found or time.monotonic() >= until:
            return found
        time.sleep(0.1)


def lab(story):
    return subprocess.Popen([IDLEWALL, "lab", "--quiet", story], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True, env=ENV)


def fail(*lines):
    raise AssertionError("\n".join(lines))


def seconds(story):
    with open(story) as file:
        return float(re.findall(r"^until ([0-9.]+)s$", file.read(), re.M)[0])


@case
def twenty_side_by_side():
    before = there()
    stories = sorted(glob.glob(os.path.join(HERE, "stories/*.scenario")), key=seconds)[:MANY]
    if len(stories) < MANY:
        fail(f"only {len(stories)} stories")
    labs = [(story, lab(story)) for story in stories]
    most, wrong = 0, []
    while any(child.poll() is None for _, child in labs):
        most = max(most, len({name.split("-")[1] for name in os.listdir("/run/netns")}))
        time.sleep(0.05)
    for story, child in labs:
        if child.wait() != 0:
            wrong.append(f"{os.path.basename(story)}: status {child.returncode}: {child.stderr.read()}")
    wrong += [f"left: {thing}" for thing in left(before)]
    if most < MANY:
        wrong.append(f"at most {most} of them at the same time")
    if wrong:
        fail(*wrong)


def how_long():
    """From start to end, here and now."""
    started = time.monotonic()
    child = lab(STORY)
    if child.wait() != 0:
        fail(f"status {child.returncode}: {child.stderr.read()}")
    return time.monotonic() - started


def killed_at(moments):
    """Labs side by side, each killed so long after its start. Those that had ended by themselves are not counted."""
    labs = [(time.monotonic() + moment, lab(STORY)) for moment in moments]
    killed = 0
    for when, child in sorted(labs, key=lambda l: l[0]):
        time.sleep(max(0, when - time.monotonic()))
        killed += child.poll() is None
        child.send_signal(signal.SIGKILL)
        child.wait()
    return killed


@case
def killed_at_any_moment():
    before = there()
    whole = how_long()
    setup = whole - seconds(STORY)
    moments = [random.uniform(0, max(setup, 0.3)) for _ in range(6)]
    moments += [random.uniform(setup, whole) for _ in range(3)]
    moments += [whole + random.uniform(-0.3, 0.3) for _ in range(5)]
    for some in moments[0::2], moments[1::2]:
        killed = killed_at(some)
        found = left(before)
        if killed < 3 or not any(thing.startswith("/run/netns/") for thing in found):
            fail(f"{killed} killed at {some}, and nothing to clean up: {found}")
        print(f"# {killed} killed, {len(found)} things left by them", flush=True)
        next_one = lab(STORY)
        if next_one.wait() != 0:
            fail(f"the next one: status {next_one.returncode}: {next_one.stderr.read()}")
        # Each of the killed has children that get a signal then, and end.
        found = left(before, patience=3)
        if found:
            fail(f"killed at {some} of {whole:.2f} s:", *found)


@case
def what_another_lab_still_uses_stays():
    """Cleaning up is not for those that run."""
    first = lab(STORY)
    time.sleep(0.7)
    if lab(STORY).wait() != 0:
        fail("the second one did not end well")
    if first.wait() != 0:
        fail(f"the first one: {first.stderr.read()}")


def main():
    seed = int(sys.argv[1]) if sys.argv[1:] else random.randrange(1 << 32)
    random.seed(seed)
    print(f"1..{len(cases)}\n# seed {seed}", flush=True)
    failed = 0
    for number, function in enumerate(cases, 1):
        verdict, notes, started = "ok", "", time.monotonic()
        try:
            function()
        except Exception as error:  # pylint: disable=broad-except
            verdict, notes = "not ok", f"{type(error).__name__}: {error}"
            failed += 1
        print(f"{verdict} {number} - {function.__name__.replace('_', ' ')}")
        for line in notes.splitlines():
            print(f"# {line}")
        print(f"# took {time.monotonic() - started:.1f} s", flush=True)
    return failed > 0


if os.geteuid() != 0:
    print("1..0\nBail out! the live tests need root")
    sys.exit(1)
if INSIDE not in os.environ:
    enter()
first_process()
furnish()
sys.exit(main())
