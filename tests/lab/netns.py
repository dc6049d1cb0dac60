# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces made for one run, named after its pid, and gone on every way out of it.

A namespace is entered per thread, so sockets and child processes made inside `with space:` belong to
it for good. A janitor process, in a session of its own, sees by the end of its pipe that the run is
over (also after kill -9) and removes what is left.
"""
import atexit
import collections
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

CLONE_NEWNET = 0x40000000
NETNS_DIR = "/run/netns"
libc = ctypes.CDLL(None, use_errno=True)
entered = threading.local()

Sock = collections.namedtuple("Sock", "state recv_q send_q local peer timer")


def setns(fd):
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def small_tables():
    """This thread, and what it starts, into a namespace whose children have small tables of sockets of their own: sock_diag
    walks the whole table, and a lab looks at its sockets a hundred times a second. Before Linux 6.1 all share one table."""
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    try:
        with open("/proc/sys/net/ipv4/tcp_child_ehash_entries", "w") as to:
            to.write("64")
    except FileNotFoundError:
        pass


class Namespace:
    """One network namespace. `with space:` enters it, for this thread only."""

    def __init__(self, name):
        self.name = name
        subprocess.run(["ip", "netns", "add", name], check=True)
        self.fd = os.open(f"{NETNS_DIR}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        self.run("ip", "link", "set", "lo", "up")

    def __enter__(self):
        stack = entered.__dict__.setdefault("stack", [])
        stack.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        setns(self.fd)
        return self

    def __exit__(self, *exc):
        fd = entered.stack.pop()
        setns(fd)
        os.close(fd)

    def popen(self, *argv, **options):
        with self:
            return subprocess.Popen(argv, **options)

    def run(self, *argv, check=True, timeout=60, **options):
        """Runs a command to its end; its output is text in .stdout and .stderr."""
        with self:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, **options)
        if check and done.returncode != 0:
            raise RuntimeError(f"{' '.join(argv)}: status {done.returncode}\n{done.stderr}{done.stdout}")
        return done

    def ip(self, *lines):
        """Runs `ip` commands, one a line."""
        self.run("ip", "-batch", "-", input="\n".join(lines) + "\n")

    def sysctl(self, name, value):
        with self, open("/proc/sys/" + name.replace(".", "/"), "w") as to:
            to.write(str(value))

    def iptables(self, *argv, family=4):
        self.run("iptables" if family == 4 else "ip6tables", "-w", *argv)

    def ss(self, *condition):
        """TCP sockets but listening ones, as ss sees them: a list of Sock."""
        found = []
        for line in self.run("ss", "-Htano", "state", "connected", *condition).stdout.splitlines():
            state, recv_q, send_q, local, peer, *more = line.split()
            timer = re.search(r"timer:\((.*?)\)", " ".join(more))
            found.append(Sock(state, int(recv_q), int(send_q), local, peer, timer and timer[1]))
        return found

    def tcp(self, name):
        """A TCP counter of /proc/net/snmp."""
        with self, open("/proc/thread-self/net/snmp") as lines:
            names, values = [line.split() for line in lines if line.startswith("Tcp:")]
        return int(values[names.index(name)])

    def pids(self):
        return [int(p) for p in self.run("ip", "netns", "pids", self.name).stdout.split()]

    def delete(self):
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
            remove(self.name)


def remove(name):
    """Ends what runs in the namespace, then removes it."""
    for _ in range(100):
        pids = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout.split()
        pids = [int(p) for p in pids if int(p) != os.getpid()]
        if not pids:
            break
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.02)
    subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)


def left(prefix):
    try:
        return sorted(n for n in os.listdir(NETNS_DIR) if n.startswith(prefix))
    except FileNotFoundError:
        return []


class Run:
    """Everything one run makes: namespaces and a directory, all named after its pid."""

    def __init__(self, kind, interrupted=None):
        self.on_interrupt = interrupted
        self.closing = False
        self.prefix = f"idlewall-{kind}{os.getpid()}-"
        self.owner = os.getpid()
        self.directory = tempfile.mkdtemp(prefix=self.prefix)
        os.chmod(self.directory, 0o755)
        self.lock = threading.RLock()  # a signal may come while its thread has it
        self.count = 0
        self.janitor = subprocess.Popen([sys.executable, __file__, self.prefix, self.directory],
                                        stdin=subprocess.PIPE, start_new_session=True)
        atexit.register(self.cleanup)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self.interrupted)

    def interrupted(self, number, frame):
        for again in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(again, signal.SIG_IGN)
        with self.lock:
            self.closing = True
        self.cleanup()
        if self.on_interrupt:
            self.on_interrupt(self)
        os._exit(128 + number)

    def number(self):
        with self.lock:
            self.count += 1
            return self.count

    def namespace(self, name):
        with self.lock:
            if self.closing:
                raise InterruptedError("the run is over")
            return Namespace(self.prefix + name)

    def path(self, name):
        return os.path.join(self.directory, name)

    def left(self):
        return left(self.prefix)

    def cleanup(self):
        if os.getpid() == self.owner:
            clean(self.prefix, self.directory)


def clean(prefix, directory):
    for name in left(prefix):
        remove(name)
    shutil.rmtree(directory, ignore_errors=True)


def janitor(prefix, directory):
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 4096):
        pass
    # `ip netns add` of a run that was killed may still be under way: look until nothing new comes.
    for _ in range(5):
        clean(prefix, directory)
        time.sleep(0.1)


if __name__ == "__main__":
    janitor(*sys.argv[1:])
