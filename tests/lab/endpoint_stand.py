# SPDX-License-Identifier: GPL-2.0-or-later
"""Plays a story of the scenario language with the sockets of this kernel: a client and a server in namespaces, and this
process as the wire between them (two tun devices), so that it sees, loses and answers packets where the story says so.

Only what endpoints.py needs of the language: times, no firewalls. One thread, one loop: what happens has one order.
"""
import errno
import fcntl
import heapq
import os
import re
import select
import signal
import socket
import struct
import subprocess
import time

SIDES = ("client", "server")
ADDRESS = {"client": "192.0.2.2", "server": "198.51.100.2"}
PORT = 5000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
TCP_REPAIR, TCP_USER_TIMEOUT = 19, 18
FLAGS = "FSRP.U"
SYSCTLS = {"retries": "tcp_retries2", "syn-retries": "tcp_syn_retries", "synack-retries": "tcp_synack_retries",
           "fin-timeout": "tcp_fin_timeout", "orphan-retries": "tcp_orphan_retries", "rto-max": "tcp_rto_max_ms"}
UNITS = {"ms": 0.001, "s": 1, "min": 60, "us": 0.000001, "": 1}


def seconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(\w*)", text).groups()
    return round(float(number) * UNITS[unit], 6)


class Story:
    """The text, read: settings of both hosts, deeds in order, when to look, when to end."""

    def __init__(self, text):
        self.settings = {"client": {}, "server": {}}
        self.deeds, self.looks = [], []
        for line in text.splitlines():
            comment = re.match(r"\s*# look at (\S+)", line)
            words = line.split("#")[0].split()
            if comment:
                self.looks.append(seconds(comment[1]))
            elif not words:
                continue
            elif words[0] in SIDES:
                self.host(self.settings[words[0]], words[2:])
            elif words[0] == "at":
                self.deeds.append((seconds(words[1]), words[2:]))
            elif words[0] == "until":
                self.until = seconds(words[1])

    @staticmethod
    def host(into, words):
        words = iter(words)
        for word in words:
            if word == "keepalive":
                into[word] = tuple(int(next(words)) for _ in range(3))
            elif word in ("ignores-eof", "reads-not"):
                into[word] = True
            else:
                into[word] = next(words)


class End:
    """A host: its namespace, its tun device, and its application."""

    def __init__(self, stand, side, space):
        self.stand, self.side, self.space = stand, side, space
        self.settings = stand.story.settings[side]
        self.dead = False
        self.socket = self.listener = self.holder = None
        self.connecting = False
        self.watchful = False
        self.unsent = 0
        self.reading = "reads-not" not in self.settings
        with space:
            self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.ioctl(self.tun, TUNSETIFF, struct.pack("16sH22x", b"wire", IFF_TUN | IFF_NO_PI))
        space.sysctl("net.ipv6.conf.wire.disable_ipv6", 1)
        space.ip(f"addr add {ADDRESS[side]}/24 dev wire", "link set wire up", "route add default dev wire")
        for word, name in SYSCTLS.items():
            if word in self.settings:
                value = self.settings[word]
                space.sysctl("net.ipv4." + name,
                             round(seconds(value) * 1000) if word == "rto-max" else round(seconds(value)))
        if side == "server":
            self.listen()

    def options(self, sock):
        sock.setblocking(False)
        if "keepalive" in self.settings:
            self.keepalive(sock, self.settings["keepalive"])
        if "user-timeout" in self.settings:
            sock.setsockopt(socket.IPPROTO_TCP, TCP_USER_TIMEOUT, round(seconds(self.settings["user-timeout"]) * 1000))
        if "receive-buffer" in self.settings:
            # the kernel doubles what is asked for
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, int(self.settings["receive-buffer"]) // 2)

    @staticmethod
    def keepalive(sock, times):
        for option, value in zip((socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT), times):
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def listen(self):
        with self.space:
            self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.options(self.listener)
        self.listener.bind((ADDRESS[self.side], PORT))
        self.listener.listen()

    def note(self, what, value=0):
        self.stand.app.append((self.stand.now(), self.side, what, value))

    def connect(self):
        with self.space:
            self.socket = socket.socket()
        self.options(self.socket)
        self.connecting = True
        if self.socket.connect_ex((ADDRESS["server"], PORT)) != errno.EINPROGRESS:
            raise OSError("connect")

    def failed(self, error):
        self.note("error", errno.errorcode[error])
        self.close()

    def close(self):
        if self.socket:
            self.socket.close()
        self.socket = None

    def watch(self):
        """What to poll for: (file descriptor, events)."""
        if self.listener:
            yield self.listener.fileno(), select.POLLIN
        if self.socket:
            wanted = select.POLLIN if self.reading and not self.connecting else 0
            wanted |= select.POLLOUT if self.connecting or self.unsent else 0
            if wanted or self.watchful:  # who waits for nothing sees no error either
                yield self.socket.fileno(), wanted

    def ready(self, fd, events):
        if self.listener and fd == self.listener.fileno():
            self.socket, _ = self.listener.accept()
            self.socket.setblocking(False)
            self.note("accepted")
            return
        if not self.socket or fd != self.socket.fileno():
            return
        error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) if events & select.POLLERR else 0
        if error:
            self.failed(error)
        elif self.connecting and events & select.POLLOUT:
            self.connecting = False
            self.note("connected")
        elif self.reading and events & (select.POLLIN | select.POLLHUP):
            self.read()
        elif events & select.POLLOUT and self.unsent:
            self.write()

    def read(self):
        try:
            data = self.socket.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError as error:
            self.failed(error.errno)
            return
        if data:
            self.note("read", len(data))
        else:
            self.note("eof")
            self.reading = False
            if "ignores-eof" not in self.settings:
                self.note("close")
                self.close()

    def write(self):
        try:
            self.unsent -= self.socket.send(bytes(min(self.unsent, 1 << 20)))
        except BlockingIOError:
            pass
        except OSError as error:
            self.unsent = 0
            self.failed(error.errno)

    def forget(self, sock):
        """The socket is gone, and nobody is told: a connection under repair is closed without a word."""
        if sock:
            sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
            sock.close()

    def kill(self):
        """Its last holder is another process, which dies."""
        holder = subprocess.Popen(["sleep", "60"], pass_fds=[self.socket.fileno()])
        self.close()
        holder.send_signal(signal.SIGKILL)
        holder.wait()

    def do(self, words):
        verb = words[0]
        if verb == "connect":
            self.connect()
        elif verb == "send":
            self.unsent += int(words[1])
            self.write()
        elif verb == "close":
            self.note("close")
            self.close()
        elif verb == "shutdown":
            self.socket.shutdown(socket.SHUT_WR)
        elif verb == "abort":
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close()
        elif verb == "kill":
            self.kill()
        elif words == ["stop", "reading"]:
            self.reading = False
        elif verb == "read":
            self.reading = True
        elif words[:2] == ["set", "keepalive"]:
            self.keepalive(self.socket, [int(w) for w in words[2:]])
        elif verb == "crash":
            self.dead = True
            self.forget(self.socket)
            if self.listener:
                self.listener.close()
            self.socket = self.listener = None
        elif verb == "reboot":
            self.dead = False
            if self.side == "server":
                self.listen()
        else:
            raise ValueError(f"no such deed: {words}")

    def look(self):
        """Of a host that is down nobody can tell."""
        return ("gone", "off", 0) if self.dead else self.shown()

    def shown(self):
        """The socket's state, timer, seconds left and count, as ss shows them."""
        for line in self.space.run("ss", "-Htano", "state", "connected").stdout.splitlines():
            timer = re.search(r"timer:\((\w+),([\dminsec.]+?)(ms|sec|min)?,(\d+)\)", line)
            return line.split()[0], timer and timer[1] or "off", int(timer[4]) if timer else 0
        return "gone", "off", 0


def icmp_error(code, packet):
    """Destination unreachable, from the wire, quoting the packet's headers."""
    quoted = packet[:(packet[0] & 15) * 4 + 8]
    body = struct.pack("!BBHI", 3, code, 0, 0) + quoted
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, 1, 0, packet[16:20], packet[12:16])
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


class Stand:
    def __init__(self, story, spaces):
        self.story = story
        self.app, self.packets, self.looks = [], [], []
        self.isn = {}
        self.blocked = {side: None for side in SIDES}  # None, "silent", "prohibit": what comes from that side
        self.lose = {side: 0 for side in SIDES}
        self.stall = 0.0  # the longest time in which this process did not look
        self.end = {side: End(self, side, spaces[side]) for side in SIDES}
        self.start = time.monotonic()

    def now(self):
        return time.monotonic() - self.start

    def deed(self, words):
        if words[0] in SIDES:
            self.end[words[0]].do(words[1:])
        elif words[0] == "lose":
            self.lose[words[3]] += int(words[1])
        else:  # block, unblock, prohibit [from SIDE] [at PLACE]
            sides = [words[words.index("from") + 1]] if "from" in words else SIDES
            for side in sides:
                self.blocked[side] = {"block": "silent", "unblock": None, "prohibit": "prohibit"}[words[0]]

    def carry(self, side):
        """A packet that a host sent: noted, and passed on unless the story is against it."""
        packet = os.read(self.end[side].tun, 65536)
        if packet[0] >> 4 != 4 or packet[9] != 6:
            return
        other = SIDES[1 - SIDES.index(side)]
        fate = "passed"
        if self.end[side].dead:
            return
        if self.lose[side]:
            self.lose[side] -= 1
            fate = "lost"
        elif self.blocked[side] or self.end[other].dead:
            fate = "lost"
        self.note(side, packet, fate)
        if fate == "passed":
            os.write(self.end[other].tun, packet)
        elif self.blocked[side] == "prohibit" and not packet[33] & 4:
            os.write(self.end[side].tun, icmp_error(13, packet))

    def note(self, side, packet, fate):
        tcp = packet[(packet[0] & 15) * 4:]
        seq, ack, offset, bits = struct.unpack("!IIBB", tcp[4:14])
        other = SIDES[1 - SIDES.index(side)]
        flags = "".join(c for i, c in enumerate("FSRP.U") if bits & 1 << i)
        if "S" in flags:
            self.isn[side] = seq
        window = struct.unpack("!H", tcp[14:16])[0]
        self.packets.append((self.now(), side, flags, (seq - self.isn.get(side, 0)) & 0xFFFFFFFF,
                             (ack - self.isn.get(other, 0)) & 0xFFFFFFFF if "." in flags else 0,
                             len(tcp) - (offset >> 4) * 4, window == 0 and "R" not in flags, fate))

    def play(self):
        todo = [(t, i, self.deed, (words,)) for i, (t, words) in enumerate(self.story.deeds)]
        todo += [(t, 1000 + i, self.look, (t,)) for i, t in enumerate(self.story.looks)]
        heapq.heapify(todo)
        tuns = {self.end[side].tun: side for side in SIDES}
        while (now := self.now()) < self.story.until:
            while todo and todo[0][0] <= now:
                _, _, act, arguments = heapq.heappop(todo)
                act(*arguments)
            self.turn(tuns, min(todo[0][0] if todo else self.story.until, self.story.until))
        self.finish()

    def turn(self, tuns, until):
        poll = select.poll()
        owner = {}
        for tun in tuns:
            poll.register(tun, select.POLLIN)
        for end in self.end.values():
            for fd, events in end.watch():
                poll.register(fd, events)
                owner[fd] = end
        wait = max(0, until - self.now())
        before = time.monotonic()
        found = poll.poll(wait * 1000 + 0.5)
        self.stall = max(self.stall, time.monotonic() - before - wait)
        # what is on the wire first: what an application sees comes of it
        for fd, events in sorted(found, key=lambda item: item[0] not in tuns):
            if fd in tuns:
                self.carry(tuns[fd])
            else:
                owner[fd].ready(fd, events)

    def look(self, t):
        self.looks.append((t, {side: self.end[side].look() for side in SIDES}))

    def finish(self):
        for end in self.end.values():
            end.dead = True
            for sock in (end.socket, end.listener):
                if sock:
                    sock.close()
            os.close(end.tun)


class Segments:
    """Segments written by hand, against a listening socket: `in T FLAGS SEQ ACK LEN`, `do T WHAT`, `until T`, with
    figures relative to the SYNs. No options, so that all is in the header."""

    ISN = 5000

    def __init__(self, script, spaces):
        self.script = [line.split() for line in script.splitlines() if line.strip()]
        self.story = Story("client linux\nserver linux ignores-eof")
        self.packets, self.app, self.looks, self.stall = [], [], [], 0.0
        self.isn = {"client": self.ISN}
        self.iss = 0
        self.end = End(self, "server", spaces["server"])
        self.end.watchful = True
        self.start = time.monotonic()

    def now(self):
        return time.monotonic() - self.start

    def wait(self, until):
        end = self.end
        while (wait := until - self.now()) > 0:
            poll = select.poll()
            poll.register(end.tun, select.POLLIN)
            for fd, events in end.watch():
                poll.register(fd, events)
            before = time.monotonic()
            found = poll.poll(wait * 1000 + 0.5)
            self.stall = max(self.stall, time.monotonic() - before - wait)
            for fd, events in sorted(found, key=lambda item: item[0] != end.tun):
                if fd == end.tun:
                    packet = os.read(fd, 65536)
                    if packet[0] >> 4 == 4 and packet[9] == 6:
                        Stand.note(self, "server", packet, "passed")
                        self.iss = self.isn.get("server", 0)
                else:
                    end.ready(fd, events)

    def send(self, flags, seq, ack, length):
        ends = socket.inet_aton(ADDRESS["client"]) + socket.inet_aton(ADDRESS["server"])
        bits = sum(1 << "FSRP.U".index(c) for c in flags)
        tcp = struct.pack("!HHIIBBHHH", 40000, PORT, (self.ISN + seq) & 0xFFFFFFFF,
                          (self.iss + ack) & 0xFFFFFFFF if "." in flags else 0, 5 << 4, bits, 65535, 0, 0) + bytes(length)
        sum_ = checksum(ends + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)
        tcp = tcp[:16] + struct.pack("!H", sum_) + tcp[18:]
        header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + ends
        os.write(self.end.tun, header[:10] + struct.pack("!H", checksum(header)) + header[12:] + tcp)

    def play(self):
        for what, t, *rest in self.script:
            self.wait(float(t))
            if what == "in":
                self.send(rest[0], *map(int, rest[1:]))
            elif what == "do":
                self.end.do(rest)
        for sock in (self.end.socket, self.end.listener):
            if sock:
                sock.close()
        os.close(self.end.tun)
