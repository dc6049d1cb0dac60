# SPDX-License-Identifier: GPL-2.0-or-later
"""A client, a firewall and a server in namespaces, and what the two ends of a connection see."""
import errno
import os
import socket
import struct
import subprocess
import time

from gateway import Gateway

CLIENT = {4: "192.0.2.2", 6: "2001:db8:1::2"}
SERVER = {4: "198.51.100.2", 6: "2001:db8:2::2"}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}


class Lab:
    """A client, a firewall that forwards, a server. Gateways started on it are stopped with it."""

    def __init__(self, run):
        number = run.number()
        self.run = run
        self.name = f"lab {number}"
        self.directory = run.path(str(number))
        os.mkdir(self.directory, 0o755)
        self.gateways = []
        self.closing = []
        self.processes = []
        self.client, self.firewall, self.server = (
            run.namespace(f"{number}-{role}") for role in ("client", "firewall", "server"))
        for space in (self.client, self.firewall, self.server):
            space.sysctl("net.ipv6.conf.default.accept_dad", 0)
            space.sysctl("net.ipv6.conf.all.accept_dad", 0)
        self.firewall.sysctl("net.ipv4.ip_forward", 1)
        self.firewall.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.wire(self.client, "to-client", "192.0.2", "2001:db8:1:")
        self.wire(self.server, "to-server", "198.51.100", "2001:db8:2:")

    def wire(self, end, port, net4, net6):
        self.firewall.ip(f"link add {port} type veth peer name eth0 netns {end.name}",
                         f"addr add {net4}.1/24 dev {port}", f"addr add {net6}:1/64 dev {port} nodad",
                         f"link set {port} up")
        end.ip(f"addr add {net4}.2/24 dev eth0", f"addr add {net6}:2/64 dev eth0 nodad", "link set eth0 up",
               f"route add default via {net4}.1", f"route add default via {net6}:1")

    def gateway(self, policy=None, **options):
        started = Gateway(self.firewall, self.directory, policy, **options)
        self.gateways.append(started)
        return started.wait_ready()

    def keep(self, thing):
        """Closed with the lab."""
        self.closing.append(thing)
        return thing

    def keep_process(self, process):
        """Killed with the lab."""
        self.processes.append(process)
        return process

    def shared(self, name):
        """A path that all labs of this run share."""
        return self.run.path(name)

    def start_server(self, argv, port, seconds=20):
        """A server program in the server's namespace; returns once it listens."""
        with open(os.path.join(self.directory, "server.log"), "ab") as log:
            process = self.keep_process(self.server.popen(*argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                                          cwd="/"))

        def listening():
            if process.poll() is not None:
                with open(log.name, errors="replace") as lines:
                    raise AssertionError(f"{argv[0]} ended with {process.returncode}: {lines.read()}")
            return self.server.run("ss", "-Hltn", "sport", "=", f":{port}").stdout

        eventually(f"{argv[0]} listens on {port}", listening, seconds)
        return process

    def listen(self, port=5000, family=4, kind=socket.SOCK_STREAM):
        with self.server:
            listener = self.keep(socket.socket(FAMILY[family], kind))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((SERVER[family], port))
        if kind == socket.SOCK_STREAM:
            listener.listen(64)
        listener.settimeout(10)
        return listener

    def client_socket(self, family=4, kind=socket.SOCK_STREAM, port=0):
        with self.client:
            made = self.keep(socket.socket(FAMILY[family], kind))
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((CLIENT[family], port))
        made.settimeout(10)
        return made

    def connect(self, port=5000, family=4, client_port=0, hello=True):
        """Both ends of a new TCP connection, which has carried a word each way unless told not to."""
        with self.listen(port, family) as listener:
            client = self.client_socket(family, port=client_port)
            client.connect((SERVER[family], port))
            server = self.keep(listener.accept()[0])
        server.settimeout(10)
        if hello:
            say(client, server, b"hello")
            say(server, client, b"welcome")
            time.sleep(0.1)  # past the last delayed ACK
        return client, server

    def sockets(self, port=5000):
        """What ss says of the connection at both ends: (client's state or None, server's)."""
        here = self.client.ss("dport", "=", f":{port}")
        there = self.server.ss("sport", "=", f":{port}")
        return here[0].state if here else None, there[0].state if there else None

    def close(self):
        for thing in reversed(self.closing):
            thing.close()
        for process in self.processes:
            if process.poll() is None:
                process.kill()
        for space in (self.client, self.firewall, self.server):
            space.delete()


def say(sender, receiver, word):
    sender.sendall(word)
    got = b""
    while len(got) < len(word):
        piece = receiver.recv(len(word) - len(got))
        assert piece, f"end of file instead of {word!r}"
        got += piece
    assert got == word, (got, word)


def errno_of(error):
    return errno.errorcode.get(error.errno, str(error))


def read(sock, seconds=3):
    """What read() gives: bytes, "EOF", the name of an error, or "nothing" in that time."""
    sock.settimeout(seconds)
    try:
        return sock.recv(65536) or "EOF"
    except TimeoutError:
        return "nothing"
    except OSError as e:
        return errno_of(e)


def write(sock, data=b"anybody there?"):
    """What write() gives: "ok" or the name of an error."""
    sock.settimeout(3)
    try:
        sock.sendall(data)
        return "ok"
    except OSError as e:
        return errno_of(e)


def close_hard(sock):
    """Closes without a FIN or any other word to the peer but a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def eventually(what, check, seconds=3):
    """Waits until check() is true; fails with what it last gave."""
    end = time.monotonic() + seconds
    while True:
        got = check()
        if got:
            return got
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what} (last: {got!r})")
        time.sleep(0.02)


def equal(got, want, what=""):
    if got == want:
        return
    if isinstance(got, list) and isinstance(want, list) and len(got) + len(want) > 8:
        more, less = [g for g in got if g not in want], [w for w in want if w not in got]
        raise AssertionError(f"{what}: too much {more!r}, missing {less!r}")
    raise AssertionError(f"{what}: got {got!r}, want {want!r}")
