# SPDX-License-Identifier: GPL-2.0-or-later
"""Firewalls side by side, between ends that nobody is at home at: the kernel's conntrack, and idlewalld.

The ends are veth ports without addresses in one namespace, so nothing ever answers; packets are put in by
AF_PACKET and what comes out of the other port is caught. Addresses are alike everywhere.
"""
import collections
import os
import re
import socket
import struct
import time

from gateway import Gateway
from packet import ETH_ALL, ETH_IP, ETH_IPV6, UDP, ipv4, udp

SOL_PACKET, PACKET_IGNORE_OUTGOING = 263, 23
SO_RCVBUFFORCE = 33
# The network behind a side, the firewall's own address there, and the next hop: for IPv4 and for IPv6.
SIDES = {"c": ("192.0.2.0/24", "203.0.113.1/30", "203.0.113.2",
               "2001:db8:1::/64", "2001:db8:f1::1/126", "2001:db8:f1::2"),
         "s": ("198.51.100.0/24", "203.0.113.5/30", "203.0.113.6",
               "2001:db8:2::/64", "2001:db8:f2::1/126", "2001:db8:f2::2")}
MARK_PORT = 9  # UDP packets that end a round: when they come out, all before them have been judged

# open: whose first packet; left: seconds until it expires; age: seconds since it was opened, where that is said
Entry = collections.namedtuple("Entry", "state open replied assured left age", defaults=(None,))

# Our name: seconds. Different enough that one taken for another shows, short enough to wait for.
TIMEOUTS = {"tcp-syn-sent": 2, "tcp-syn-recv": 1, "tcp-established": 3, "tcp-fin-wait": 2, "tcp-close-wait": 3,
            "tcp-last-ack": 1, "tcp-time-wait": 2, "tcp-close": 1, "tcp-max-retrans": 2, "tcp-unacknowledged": 1,
            "udp": 1, "udp-stream": 3, "icmp": 2, "icmpv6": 2}
# Another set, so that no two timeouts are alike in both.
OTHERS = {"tcp-syn-sent": 1, "tcp-syn-recv": 1, "tcp-established": 3, "tcp-fin-wait": 1, "tcp-close-wait": 2,
          "tcp-last-ack": 3, "tcp-time-wait": 1, "tcp-close": 2, "tcp-max-retrans": 1, "tcp-unacknowledged": 2,
          "udp": 2, "udp-stream": 3, "icmp": 1, "icmpv6": 3}


def kernel_name(name):
    proto, _, rest = name.partition("-")
    if proto == "tcp":
        return f"nf_conntrack_tcp_timeout_{rest.replace('-', '_')}"
    return f"nf_conntrack_{proto}_timeout" + ("_stream" if rest else "")


class Firewall:
    """A namespace that forwards between its two ports; subclasses say what it lets through."""

    def __init__(self, run, ends, name):
        self.name, self.ends = name, ends
        self.space = run.namespace(name)
        self.space.sysctl("net.ipv4.ip_forward", 1)
        self.space.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.space.sysctl("net.ipv4.conf.all.rp_filter", 0)
        self.space.sysctl("net.ipv4.conf.default.rp_filter", 0)
        self.out, self.ear, self.head = {}, {}, {}
        for side in "cs":
            self.wire(side)

    def wire(self, side):
        near, far = f"to-{side}", f"{self.name}-{side}"
        net4, own4, hop4, net6, own6, hop6 = SIDES[side]
        self.space.ip(f"link add {near} type veth peer name {far} netns {self.ends.name}",
                      f"addr add {own4} dev {near}", f"addr add {own6} dev {near} nodad", f"link set {near} up")
        self.ends.ip(f"link set {far} up")
        mac = {}
        for space, port in ((self.space, near), (self.ends, far)):
            shown = space.run("ip", "-o", "link", "show", "dev", port).stdout
            mac[port] = shown.split("link/ether ")[1].split()[0]
        self.space.ip(f"neigh add {hop4} lladdr {mac[far]} dev {near} nud permanent",
                      f"neigh add {hop6} lladdr {mac[far]} dev {near} nud permanent",
                      f"route add {net4} via {hop4}", f"route add {net6} via {hop6} dev {near}")
        link = bytes.fromhex((mac[near] + mac[far]).replace(":", ""))
        self.head[side] = {4: link + struct.pack("!H", ETH_IP), 6: link + struct.pack("!H", ETH_IPV6)}
        with self.ends:
            self.out[side] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.ear[side] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
        with self.ends:
            self.out[side].bind((far, 0))
            self.ear[side].bind((far, ETH_ALL))
        self.ear[side].setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.ear[side].setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        self.ear[side].setblocking(False)

    def send(self, side, family, data):
        self.out[side].send(self.head[side][family] + data)

    def mark(self, number):
        """Ends a round: sends the last packet of it, both ways."""
        for side, src, dst in (("c", "192.0.2.254", "198.51.100.254"), ("s", "198.51.100.254", "192.0.2.254")):
            self.send(side, 4, ipv4(src, dst, UDP, udp(src, dst, MARK_PORT, MARK_PORT), ident=number & 0xFFFF))

    def caught(self, number, seconds=10):
        """What came out since the last round: (the side it was sent from, IP packet). Waits for both marks."""
        found, end = [], time.monotonic() + seconds
        for side, peer in (("c", "s"), ("s", "c")):
            ear, ident = self.ear[peer], struct.pack("!H", number & 0xFFFF)
            while True:
                try:
                    frame = ear.recv(2048)
                except BlockingIOError:
                    if time.monotonic() > end:
                        raise AssertionError(f"{self.name}: the mark of round {number} did not come out")
                    time.sleep(0.0005)
                    continue
                if frame[12:14] == b"\x86\xdd" and frame[20] == 58 and frame[54] in range(130, 138) or \
                        frame[12:14] == b"\x86\xdd" and frame[20] == 0:
                    continue  # neighbour discovery and the like of the firewall itself
                if frame[12:14] == b"\x08\0" and frame[23] == UDP and frame[34:36] == b"\0\x09":
                    if frame[18:20] == ident:
                        break
                    continue
                if frame[12:14] in (b"\x08\0", b"\x86\xdd"):
                    found.append((side, frame[14:]))
        return found

    def close(self):
        for sock in (*self.out.values(), *self.ear.values()):
            sock.close()


class Kernel(Firewall):
    """nf_conntrack, and a rule that drops what it calls invalid."""
    LINE = re.compile(r"ipv(\d)\s+\d+ (\w+)\s+\d+ (\d+) (?:([A-Z_0-9]+) )?src=(\S+) dst=(\S+) "
                      r"(?:sport=(\d+) dport=(\d+)|type=(\d+) code=\d+ id=(\d+)) (\[UNREPLIED\] )?"
                      r".*?(\[ASSURED\] )?mark=")

    def __init__(self, run, ends, name, timeouts, loose):
        super().__init__(run, ends, name)
        for family in (4, 6):
            self.space.iptables("-t", "mangle", "-A", "FORWARD", "-m", "conntrack", "--ctstate", "INVALID",
                                "-j", "DROP", family=family)
        for key, seconds in timeouts.items():
            self.space.sysctl("net.netfilter." + kernel_name(key), seconds)
        self.space.sysctl("net.netfilter.nf_conntrack_tcp_loose", int(loose))
        self.space.sysctl("net.netfilter.nf_conntrack_acct", 0)
        with self.space:
            self.table = open("/proc/thread-self/net/nf_conntrack", "rb", buffering=0)

    def read(self):
        """The table: {(family, client, port): [Entry...]}, and the times between which it was read."""
        before = time.monotonic()
        self.table.seek(0)
        pieces = []
        while piece := self.table.read(1 << 20):
            pieces.append(piece)
        after = time.monotonic()
        found = collections.defaultdict(list)
        for line in b"".join(pieces).decode().splitlines():
            seen = self.LINE.match(line)
            if not seen:
                continue
            family, proto, left, state, src, dst, sport, dport, _, ident, unreplied, assured = seen.groups()
            opened = "c" if src.startswith(("192.0.2.", "2001:0db8:0001:")) else "s"
            port = ident or (sport if opened == "c" else dport)
            found[family, short(src if opened == "c" else dst), int(port)].append(
                Entry(state or ("UNREPLIED" if unreplied else "REPLIED"), opened, not unreplied,
                      bool(assured), int(left)))
        return found, before, after

    def stop(self):
        self.table.close()


def short(address):
    """The last byte of a client's address."""
    return int(address.rsplit(".", 1)[1]) if "." in address else int(address.rsplit(":", 1)[1], 16)


class Idlewall(Firewall):
    """idlewalld, with a policy of the same timeouts."""

    def __init__(self, run, ends, name, timeouts, loose, more=""):
        super().__init__(run, ends, name)
        lines = "\n".join(f"    {key} {seconds}s" for key, seconds in timeouts.items())
        # No port of a script's may say who is the server, but in the known difference of just that.
        policy = (f"server-ports 443\nprofile conntrack from linux-nf-conntrack {{\n{lines}\n    on-invalid drop\n"
                  f"    on-late {'adopt' if loose else 'drop'}\n    {more}\n}}\ndefault use conntrack\n")
        directory = run.path(name)
        os.mkdir(directory, 0o755)
        self.gateway = Gateway(self.space, directory, policy).wait_ready()

    def pin(self, cpu):
        """On one processor, or what it lets through could overtake itself on the way to the ear."""
        for pid in self.gateway.processes():
            for task in os.listdir(f"/proc/{pid}/task"):
                os.sched_setaffinity(int(task), {cpu})

    def read(self):
        """As Kernel.read(); left is exact."""
        before = time.monotonic()
        answer = self.gateway.ask({"command": "list", "output": "json"}, 30)
        after = time.monotonic()
        assert answer.status == 0, answer.messages
        found = collections.defaultdict(list)
        for flow in answer.objects():
            opened = "c" if flow["client"].startswith(("192.0.2.", "2001:db8:1:")) else "s"
            client = flow["client" if opened == "c" else "server"]
            port = flow["client_port" if opened == "c" else "server_port"]
            family = "6" if ":" in client else "4"
            found[family, short(client), port].append(
                Entry(flow["state"], opened, flow["server_packets"] > 0,
                      flow["assured"] and "icmp" not in flow["proto"], flow["remaining_s"], flow["age_s"]))
        return found, before, after

    def stop(self):
        self.gateway.stop()
