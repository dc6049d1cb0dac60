#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`idlewall replay --at`: captures of two places, made as they would have been with something between. TAP."""
import ipaddress
import json
import os
import random
import struct
import subprocess
import sys

import one_by_one
from replay_tshark import need

IDLEWALL = sys.argv[1]
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START = 1_700_000_000
CLIENT, SERVER = "192.0.2.2", "198.51.100.2"
CLIENT6, SERVER6 = "2001:db8:1::2", "2001:db8:2::2"


def address(text):
    return ipaddress.ip_address(text).packed


class Two:
    """What a client's and a server's capture hold, `hops` and `way` seconds apart; the server's clock is `ahead` and
    gains `drift` seconds in a second."""

    def __init__(self, ahead=0.0, drift=0.0, hops=3, way=.010, nat=None, seed=1, ends=(CLIENT, SERVER), nat_port=0x1111):
        self.at = {"client": [], "server": []}
        self.nat_port = nat_port
        self.counts = True  # IP ids go on; else they stay
        self.jump = None  # (when, by how much the server's clock is set ahead)
        self.ends, self.servers = ends, {}  # by the client's port, if not the usual one
        self.ahead, self.drift, self.hops, self.way, self.nat = ahead, drift, hops, way, nat
        self.ids = {True: 100, False: 30000}
        self.random = random.Random(seed)

    def put(self, place, time, client, flags, seq, ack, data, port, ttl, ident):
        ends = [(address(self.ends[0]), port), self.servers.get(port, (address(self.ends[1]), 5000))]
        if self.nat and place == "server":
            ends[0] = (address(self.nat), port ^ self.nat_port)
        source, target = ends if client else ends[::-1]
        if place == "server":
            time += self.ahead + self.drift * (time - START) + (
                self.jump[1] if self.jump and time >= self.jump[0] else 0)
        tcp = struct.pack("!HHIIBBHHH", source[1], target[1], seq % 2**32, ack % 2**32, 0x50, flags, 65000, 0, 0) + data
        self.at[place].append((round(time * 10**9), self.ip(6, ttl, ident, source[0], target[0], tcp)))

    @staticmethod
    def ip(proto, ttl, ident, source, target, body):
        if len(source) == 4:
            return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), ident % 65536, 0x4000, ttl, proto, 0) + source + \
                target + body
        return struct.pack("!IHBB", 6 << 28, len(body), proto, ttl) + source + target + body

    def send(self, time, client, flags, seq, ack=0, data=b"", port=40000, arrives=True, seen=True, missed=False,
             split=0):
        """A segment. `arrives`: at the other end. `seen`: in the sender's capture. `missed`: by the other's.
        `split`: its sender's capture has it whole, the other's in pieces of that size."""
        ident = self.ids[client]
        self.ids[client] += self.counts
        near, far = ("client", "server") if client else ("server", "client")
        if seen:
            self.put(near, time, client, flags, seq, ack, data, port, 64, ident)
        if not arrives or missed:
            return
        way = self.way / 2 * (1 + self.random.random() / 4)
        for at in range(0, max(len(data), 1), split or max(len(data), 1)):
            piece = data[at:at + split] if split else data
            last = at + len(piece) >= len(data)
            self.put(far, time + way, client, flags if last else flags & ~(FIN | PSH), seq + at, ack, piece, port,
                     64 - self.hops, ident + at // (split or 1))
        if split:
            self.ids[client] += len(data) // split

    def made(self, place, time, client, flags, seq, ack=0, port=40000, ttl=63, ident=0):
        """Seen at one place only: by something between, in the name of the client or the server."""
        self.put(place, time, client, flags, seq, ack, b"", port, ttl, ident)

    def write(self, where, **ends):
        """ends: a capture stops then."""
        paths = []
        for place, packets in self.at.items():
            paths.append(os.path.join(where, place + ".pcap"))
            with open(paths[-1], "wb") as to:
                to.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 101))
                for time, packet in sorted(packets, key=lambda p: p[0]):
                    if time < ends.get(place, 1e30) * 1e9:
                        to.write(struct.pack("<IIII", time // 10**9, time % 10**9, len(packet), len(packet)) + packet)
        return ["--at", "client", paths[0], "--at", "server", paths[1]]

    def opening(self, t, port, isn):
        """A handshake and a word each way; what comes next on either side."""
        self.send(t, True, SYN, isn, port=port)
        self.send(t + .02, False, SYN | ACK, isn ^ 0x5555, isn + 1, port=port)
        me, peer = isn + 1, (isn ^ 0x5555) + 1
        self.send(t + .04, True, ACK, me, peer, port=port)
        self.send(t + .1, True, ACK | PSH, me, peer, b"ask", port=port)
        self.send(t + .2, False, ACK | PSH, peer, me + 3, b"answer", port=port)
        self.send(t + .3, True, ACK, me + 3, peer + 6, port=port)
        return me + 3, peer + 6

    def word(self, t, port, me, peer):
        self.send(t, True, ACK | PSH, me, peer, b"ask", port=port)
        self.send(t + .1, False, ACK, peer, me + 3, port=port)
        return me + 3, peer

    def closing(self, t, port, me, peer):
        self.send(t, True, ACK | FIN, me, peer, port=port)
        self.send(t + .1, False, ACK | FIN, peer, me + 1, port=port)
        self.send(t + .2, True, ACK, me + 1, peer + 1, port=port)


def run(*args, status=0, plain=False):
    done = subprocess.run([IDLEWALL, "replay", *args, *(() if plain else ("-o", "json"))], capture_output=True,
                          timeout=120, text=True)
    need(done.returncode == status, args, "status", done.returncode, done.stderr, done.stdout)
    if status in (0, 1):
        need(done.stderr == "", args, done.stderr)
    if plain:
        return done.stdout if status < 2 else done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def of_type(objects, kind):
    return [o for o in objects if o["type"] == kind]


def summary(objects):
    return of_type(objects, "places")[0]


def connections(objects):
    return of_type(objects, "places-connection")


def events(objects):
    return of_type(objects, "places-event")


def near(got, want, within):
    need(got is not None and abs(got - want) <= within, "got", got, "want", want)


def forgets(two, silences, late, limit=3602):
    """Connections silent for so long, behind something that forgets after `limit`."""
    for i, silent in enumerate(silences):
        port, t = 40001 + i, START + i
        me, peer = two.opening(t, port, port * 1000)
        if silent < limit:
            me, peer = two.word(t + .3 + silent, port, me, peer)
            two.closing(t + 1.3 + silent, port, me, peer)
        else:
            late(two, t + .3 + silent, port, me, peer)


def late_reset(two, t, port, me, peer):
    """As in field case 5: a probe of the server, and a reset in the client's name."""
    two.send(t, False, ACK, peer - 1, me, b"\0", port=port, arrives=False)
    two.made("server", t + .001, True, RST, me, port=port, ttl=63)


def late_silent(two, t, port, me, peer):
    for probe in range(8):
        two.send(t + 75 * probe, False, ACK, peer - 1, me, port=port, arrives=False)
    two.send(t + 600, False, RST | ACK, peer, me, port=port, arrives=False)


def icmp_error(two, place, source, target, code=13):
    """It quotes the last packet there."""
    time, quoted = two.at[place][-1]
    body = struct.pack("!BBHI", 3, code, 0, 0) + quoted[:28]
    two.at[place].append((time + 10**6, two.ip(1, 63, 7, address(source), address(target), body)))


def late_icmp(two, t, port, me, peer):
    two.send(t, False, ACK | PSH, peer, me, b"news", port=port, arrives=False)
    icmp_error(two, "server", "203.0.113.7", SERVER)


def late_icmp6(two, t, port, me, peer):
    two.send(t, False, ACK | PSH, peer, me, b"news", port=port, arrives=False)
    quoted = two.at["server"][-1][1]
    body = struct.pack("!BBHI", 1, 1, 0, 0) + quoted[:60]
    two.at["server"].append((two.at["server"][-1][0] + 10**6,
                             two.ip(58, 63, 0, address("2001:db8:9::7"), address(SERVER6), body)))


def bounds(where, late, kinds, resets, icmp):
    two = Two(ahead=-2 * 3600 - .5, drift=25e-6)
    forgets(two, [10, 3600, 3000, 3605, 7200], late)
    out = run(*two.write(where), "--fail-on-broken", status=1)
    s = summary(out)
    need((s["connections"], s["fine"], s["forgotten"]) == (5, 3, 2), s)
    near(s["survived_s"], 3600, .02)
    near(s["forgotten_s"], 3605, .02)
    near(s["clock_ahead_s"], -2 * 3600 - .5, .01)
    near(s["clock_drift_ppm"], 25, 2)
    near(s["way_there_and_back_s"], .010, .002)
    need((s["resets_from_nobody"], s["icmp_from_between"]) == (resets, icmp), s)
    need([o["hops"] for o in of_type(out, "place")] == [3, 3], out)
    found = connections(out)
    need([c["client"] for c in found] == ["192.0.2.2:40004", "192.0.2.2:40005"], found)
    near(found[1]["silence_s"], 7200, .02)
    need([e["what"] for e in events(out)] == kinds * 2, events(out))
    return out


def reset(where):
    out = bounds(where, late_reset, ["lost", "reset"], 2, 0)
    first = events(out)[1]
    need((first["place"], first["side"], first["ttl"], first["usual_ttl"], first["ttl_differs"]) ==
         ("server", "client", 63, 61, True), first)
    text = run(*Two.write(story_of(late_reset), where), plain=True)
    for word in ["Something between them forgot 2 connections to 198.51.100.2:5000 after a silence of 3600.0 s (1h) to "
                 "3605.0 s (1h5s):\n",
                 "sent by neither end: 2 resets.\n", "3 hops from client to server, 3 back",
                 "in the name of 192.0.2.2:40004, who never sent it. Made elsewhere: its TTL is 63, that of its "
                 "fellows 61\n"]:
        need(word in text, repr(word), "is not in", text)


def story_of(late):
    two = Two(ahead=-2 * 3600 - .5, drift=25e-6)
    forgets(two, [10, 3600, 3000, 3605, 7200], late)
    return two


def silent(where):
    out = bounds(where, late_silent, ["lost"], 0, 0)
    need([c["server_lost_packets"] for c in connections(out)] == [9, 9], out)
    need([c["last_lost_packets"] for c in connections(out)] == [9, 9], out)
    need([o["lost_packets"] for o in of_type(out, "place")] == [0, 18], out)
    need([o["taken_to_go_on"] for o in of_type(out, "place")] == [True, False], out)


def icmp(where):
    out = bounds(where, late_icmp, ["lost", "icmp"], 0, 2)
    need((events(out)[1]["from"], events(out)[1]["icmp_type"], events(out)[1]["icmp_code"]) ==
         ("203.0.113.7", 3, 13), out)
    need(not any(e["in_the_other_ends_name"] for e in events(out) if e["what"] == "icmp"), out)


def icmp_in_another_name(where):
    """In the client's name, by somebody nearer; and one of the client itself that was lost on its way."""
    two = Two()
    me, peer = two.opening(START, 40001, 1)
    two.send(START + 900, False, ACK | PSH, peer, me, b"news", port=40001, arrives=False)
    icmp_error(two, "server", CLIENT, SERVER)
    me, peer = two.opening(START + 1, 40002, 9)
    two.send(START + 2, False, ACK | PSH, peer, me, b"news", port=40002)
    icmp_error(two, "client", CLIENT, SERVER)
    two.send(START + 2.1, True, ACK, me, peer + 4, port=40002)
    two.closing(START + 1000, 40002, me, peer + 4)
    out = run(*two.write(where), "--fail-on-broken", status=1)
    need((summary(out)["forgotten"], summary(out)["icmp_from_between"], summary(out)["made-between"]) == (1, 1, 0), out)
    got = [(e["in_the_other_ends_name"], e["ttl"], e["usual_ttl"], e["ttl_differs"]) for e in events(out) if
           e["what"] == "icmp"]
    need(got == [(True, 63, 61, True)], got)


def lost_and_sent_again(where):
    """What is no byte, one packet of which the other place saw pieces, a SYN again, and a clock of IP ids that stands."""
    two = Two()
    two.counts = False
    two.closing(START - 5, 40000, *two.opening(START - 6, 40000, 99))
    two.send(START - 3, True, SYN, 1, port=40001, arrives=False)
    two.send(START - 1, True, SYN, 1, port=40001, arrives=False)
    me, peer = two.opening(START, 40001, 1)
    data = bytes(range(250)) * 20
    two.send(START + 1, True, ACK | PSH, me, peer, data, port=40001, arrives=False)
    two.send(START + 1.001, True, ACK, me + 1000, peer, data[1000:2000], port=40001, seen=False)
    two.send(START + 1.002, True, ACK, me + 3000, peer, data[3000:4000], port=40001, seen=False)
    two.send(START + 2, True, ACK | PSH, me, peer, data, port=40001, split=1000)
    two.send(START + 2.1, False, ACK, peer, me + len(data), port=40001)
    me += len(data)
    two.send(START + 3, True, ACK | PSH, me, peer, b"lost", port=40001, arrives=False)
    two.send(START + 3.3, True, ACK | PSH, me, peer, b"lost", port=40001)
    two.send(START + 3.4, False, ACK, peer, me + 4, port=40001)
    two.send(START + 4, True, ACK | FIN, me + 4, peer, port=40001, arrives=False)
    two.closing(START + 5, 40001, me + 4, peer)
    out = run(*two.write(where), "--fail-on-broken")
    client = of_type(out, "place")[0]
    need((summary(out)["fine"], summary(out)["loss"]) == (1, 1), out)
    need((client["lost_packets"], client["lost_bytes"], client["duplicates"]) == (5, 3004, 0), client)


def lost_after_a_silence(where):
    """Lost, and sent again until one came through, within ten seconds and later: no limit. Its silence counts for nobody."""
    two = Two(ends=(CLIENT6, SERVER6))  # probes of IPv6 look all alike
    for port, again in ((40001, [1, 2, 3]), (40002, [15, 30, 60]), (40003, [75])):
        me, peer = two.opening(START, port, port)
        two.send(START + 900, False, ACK, peer - 1, me, port=port, arrives=False)
        for seconds in again:
            two.send(START + 900 + seconds, False, ACK, peer - 1, me, port=port, arrives=seconds == again[-1])
        two.send(START + 900.1 + again[-1], True, ACK, me, peer, port=port)
    out = run(*two.write(where), "--fail-on-broken")
    need((summary(out)["loss"], summary(out)["forgotten_s"]) == (3, None), out)
    near(summary(out)["survived_s"], 75, .02)


def a_reset_that_came_late(where):
    """The silence ended with the first packet that was lost, not with what answered it."""
    two = Two()
    me, peer = two.opening(START, 40001, 1)
    for i in range(3):
        two.send(START + 900.3 + 2 * i, False, ACK | PSH, peer, me, b"news", port=40001, arrives=False)
    two.made("server", START + 905, True, RST, me, port=40001)
    out = run(*two.write(where))
    near(connections(out)[0]["silence_s"], 900, .02)


def after_a_real_reset(where):
    two = Two()
    me, peer = two.opening(START, 40001, 1)
    two.send(START + 30, True, RST, me, port=40001)
    for i in range(3):
        two.send(START + 60 + i, False, ACK | PSH, peer, me, b"news", port=40001, arrives=False)
    two.closing(START + 101, 40002, *two.opening(START + 100, 40002, 9))
    out = run(*two.write(where), "--fail-on-broken")
    need((summary(out)["fine"], summary(out)["loss"]) == (1, 1), out)


def some_rewritten(where):
    two = Two()
    two.closing(START + 1, 40001, *two.opening(START, 40001, 1))
    two.closing(START + 3, 40002, *two.opening(START + 2, 40002, 7))
    changed = [(t, p[:24] + struct.pack("!II", *(n ^ 0x12345678 for n in struct.unpack("!II", p[24:32]))) + p[32:]
                if 40002 in struct.unpack("!HH", p[20:24]) else p) for t, p in two.at["server"]]
    two.at["server"] = changed
    out = run(*two.write(where))
    s = summary(out)
    need((s["connections"], s["fine"], s["other_sequence_numbers"]) == (1, 1, 1), s)
    need("1 with the same addresses and other sequence numbers" in run(*two.write(where), plain=True))


def hops_of_most(where):
    two = Two()
    for i, hops in enumerate((3, 9, 3)):
        two.hops = hops
        two.closing(START + 1 + i, 40001 + i, *two.opening(START + i, 40001 + i, i))
    need([p["hops"] for p in of_type(run(*two.write(where)), "place")] == [3, 3])


def a_clock_that_was_set(where):
    two = Two()
    two.jump = (START + 200, 60)
    me, peer = two.opening(START, 40001, 1)
    for i in range(100):
        me, peer = two.word(START + 4 * i, 40001, me, peer)
    text = run(*two.write(where), plain=True)
    need("One of them was set on the way, by about " in text, text)
    two = Two()
    me, peer = two.opening(START, 40001, 1)
    for i in range(100):
        me, peer = two.word(START + 4 * i, 40001, me, peer)
    text = run(*two.write(where), plain=True)
    need("was set on the way" not in text, text)


def forgets_by_server(two, *stories):
    """(server, port, limit of silence, silences); the clients' ports begin with 40010, 40020 and so on."""
    for i, (server, port, limit, silences) in enumerate(stories, 1):
        for k, silent in enumerate(silences):
            client, t = 40000 + 10 * i + k, START + i + k / 10
            two.servers[client] = (address(server), port)
            me, peer = two.opening(t, client, client)
            if silent < limit:
                me, peer = two.word(t + .3 + silent, client, me, peer)
                two.closing(t + 1.3 + silent, client, me, peer)
            else:
                late_silent(two, t + .3 + silent, client, me, peer)


def each_servers_limit(where):
    """Limits that differ by server, by port, and one that cannot be told."""
    two = Two(ahead=7)
    forgets_by_server(two, ("198.51.100.2", 5432, 3602, [10, 3600, 3605, 7200]), ("198.51.100.2", 22, 950, [900, 1000]),
                      ("198.51.100.9", 22, 9999, [5000, 300]), ("198.51.100.8", 443, 1, [60]))
    out = run(*two.write(where), "--fail-on-broken", status=1)
    got = [(o["server"], o["connections"], o["forgotten"], *(o[k] and round(o[k], 1) for k in (
        "survived_s", "forgotten_s", "shortest_forgotten_s")), o["forgotten_sooner"])
           for o in of_type(out, "places-server")]
    need(got == [("198.51.100.2:5432", 4, 2, 3600, 3605, 3605, 0), ("198.51.100.2:22", 2, 1, 900, 1000, 1000, 0),
                 ("198.51.100.8:443", 1, 1, .1, 60, 60, 0), ("198.51.100.9:22", 2, 0, 5000, None, None, 0)], got)
    s = summary(out)
    need((s["forgotten"], s["forgotten_sooner"], s["servers_not_listed_connections"]) == (4, 3, 0), s)
    near(s["forgotten_s"], 7200, .02)
    text = run(*two.write(where), plain=True)
    for word in ["Something between them forgot 4 connections; the limit depends on the server.\n",
                 "  198.51.100.2:5432            4          2  3600.0 s (1h) to 3605.0 s (1h5s)\n",
                 "  198.51.100.8:443             1          1  at most 60.000 s\n",
                 "  198.51.100.9:22              2          0  more than 5000.0 s (1h23min20s)\n"]:
        need(word in text, repr(word), "is not in", text)
    need("not all have the same limit" not in text, text)


def one_server_of_two_minds(where):
    """A server of which connections outlived a silence after which another was forgotten."""
    two = Two()
    forgets_by_server(two, ("198.51.100.2", 5432, 3000, [600, 2000, 4000]), ("198.51.100.2", 5432, 500, [600, 700]),
                      ("198.51.100.3", 80, 99, [10]))
    out = run(*two.write(where))
    server = of_type(out, "places-server")[0]
    need((server["server"], server["connections"], server["forgotten"], server["forgotten_sooner"]) ==
         ("198.51.100.2:5432", 5, 3, 2), server)
    for key, want in (("survived_s", 2000), ("forgotten_s", 4000), ("shortest_forgotten_s", 600)):
        near(server[key], want, .02)
    text = run(*two.write(where), plain=True)
    for word in ["after a silence of 2000.0 s (33min20s) to 4000.0 s (1h6min40s):\n",
                 "2 of them after a silence shorter than one that others survived (2000.0 s (33min20s)): not all",
                 "  198.51.100.2:5432            5          3  not one: forgotten after 600.0 s (10min), and not after "
                 "2000.0 s (33min20s)\n", "  198.51.100.3:80              1          0  more than 9.99"]:
        need(word in text, repr(word), "is not in", text)


def many_servers(where):
    """Ten are shown, the rest with --flows; those that were forgotten first."""
    two = Two()
    forgets_by_server(two, *[(f"198.51.100.{10 + i}", 80, 99, [10, 200] if i == 99 else [10, 11])
                             for i in range(100)])  # more than the table begins with
    text = run(*two.write(where), plain=True)
    need("  90 more: --flows shows them\n" in text and text.count("  more than ") == 9, text)
    need("limit of silence\n  198.51.100.109:80  " in text, text)
    text = run(*two.write(where), "--flows", plain=True)
    need("--flows" not in text and text.count("  more than ") == 99, text)
    need({o["connections"] for o in of_type(run(*two.write(where)), "places-server")} == {2})


def who_is_the_server(where):
    """Connections that were running already, of which the server's packet comes first: its port tells."""
    two = Two()
    for client, (server, port) in ((40001, ("198.51.100.2", 5432)), (1100, ("198.51.100.2", 443)),
                                   (40003, ("198.51.100.2", 50000)), (50001, ("198.51.100.2", 993))):
        two.servers[client] = (address(server), port)
        me, peer = two.opening(START, client, client)
        two.send(START + 60, False, ACK | PSH, peer, me, b"news", port=client)
        two.send(START + 60.1, True, ACK, me, peer + 4, port=client)
    for packets in two.at.values():
        packets[:] = [p for p in packets if p[0] > (START + 30) * 10**9]
    two.servers[40009] = (address("198.51.100.9"), 50009)  # captured from the answer to its SYN on
    two.opening(START + 70, 40009, 9)
    for packets in two.at.values():
        packets[:] = [p for p in packets if p[1][33] != SYN]
    out = run(*two.write(where))
    need({o["server"] for o in of_type(out, "places-server")} ==
         {"198.51.100.2:5432", "198.51.100.2:443", "192.0.2.2:40003", "198.51.100.2:993",
          "198.51.100.9:50009"}, out)


def ipv6(where):
    """The same with IPv6: no IP ids, a hop limit, ICMPv6."""
    for late, resets, icmp_errors in ((late_reset, 2, 0), (late_silent, 0, 0), (late_icmp6, 0, 2)):
        two = Two(ahead=900, ends=(CLIENT6, SERVER6))
        forgets(two, [10, 3600, 3000, 3605, 7200], late)
        out = run(*two.write(where), "--fail-on-broken", status=1)
        s = summary(out)
        need((s["connections"], s["fine"], s["forgotten"], s["resets_from_nobody"], s["icmp_from_between"]) ==
             (5, 3, 2, resets, icmp_errors), s)
        near(s["survived_s"], 3600, .02)
        near(s["forgotten_s"], 3605, .02)
        need([o["hops"] for o in of_type(out, "place")] == [3, 3], out)
        need([c["client"] for c in connections(out)] == ["[2001:db8:1::2]:40004", "[2001:db8:1::2]:40005"], out)
        need(all(e["ip_id_differs"] is False for e in events(out)), out)
        if resets:
            need([(e["ttl"], e["usual_ttl"], e["ttl_differs"]) for e in events(out) if e["what"] == "reset"] ==
                 [(63, 61, True)] * 2, out)
        if icmp_errors:
            need({(e["from"], e["icmp_type"], e["icmp_code"]) for e in events(out) if e["what"] == "icmp"} ==
                 {("2001:db8:9::7", 1, 1)}, out)
    text = run(*two.write(where), plain=True)
    need("forgot 2 connections to [2001:db8:2::2]:5000 after a silence of 3600.0 s" in text, text)
    need("ICMP error type 1 code 1 received at server (packet 47) from 2001:db8:9::7" in text, text)


def translated_from_the_middle(where):
    """Translated between the places, and running when both captures begin: no SYN tells who is who."""
    for nat, nat_port, ends in (("203.0.113.9", 0x1111, (CLIENT, SERVER)), ("2001:db8:3::9", 0x1111, (CLIENT6, SERVER6)),
                                ("203.0.113.9", 0x9111, (CLIENT, SERVER))):  # to a port like a server's
        two = Two(ahead=-40, nat=nat, ends=ends, nat_port=nat_port)
        forgets(two, [50, 100, 4000], late_reset, limit=3000)
        for place, packets in two.at.items():  # each begins at START and a whole number of seconds
            ahead = two.ahead if place == "server" else 0
            packets[:] = [p for p in packets if p[0] / 1e9 - ahead - START > 3 or (p[0] / 1e9 - ahead - START) % 1 > .15]
        out = run(*two.write(where))
        s = summary(out)
        need((s["connections"], s["translated"], s["forgotten"], s["fine"]) == (3, 3, 1, 2), out)
        need([p["only_here"] for p in of_type(out, "place")] == [0, 0], out)
        near(s["survived_s"], 100, .02)
        near(s["forgotten_s"], 4000, .02)
        c = connections(out)[0]
        need(c["guessed"] is True, c)
        brackets = "[%s]:%d" if ":" in nat else "%s:%d"
        need((c["client"], c["second_client"], c["server"], c["second_server"]) ==
             (brackets % (ends[0], 40003), brackets % (nat, 40003 ^ nat_port), *[brackets % (ends[1], 5000)] * 2), c)
        need([o["server"] for o in of_type(out, "places-server")] == [brackets % (ends[1], 5000)], out)


def on_expiry(where):
    """Both ends are reset when the time is over; neither had sent anything."""
    two = Two()
    me, peer = two.opening(START, 40001, 7)
    two.made("client", START + 900.3, False, RST, peer, port=40001, ttl=255)
    two.made("server", START + 900.3, True, RST, me, port=40001, ttl=255)
    out = run(*two.write(where), "--fail-on-broken", status=1)
    need((summary(out)["resets_from_nobody"], summary(out)["forgotten"]) == (2, 1), out)
    near(summary(out)["forgotten_s"], 900, .02)
    need(sorted((e["place"], e["ttl_differs"]) for e in events(out)) == [("client", True), ("server", True)], out)


def nothing(where):
    """Losses that were repaired, a capture that missed packets, offloading, packets captured twice: no complaint."""
    two = Two(ahead=5, drift=-30e-6)
    for port in range(40001, 40011):
        t = START + port % 100
        me, peer = two.opening(t, port, 2**32 - 1500 + port % 7)
        data = bytes(range(256)) * 40
        two.send(t + 1, True, ACK | PSH, me, peer, data, port=port, split=1448)
        two.send(t + 1.1, False, ACK, peer, me + len(data), port=port)
        me += len(data)
        two.send(t + 2, True, ACK | PSH, me, peer, b"lost", port=port, arrives=False)
        two.send(t + 2.3, True, ACK | PSH, me, peer, b"lost", port=port)
        two.send(t + 2.4, False, ACK, peer, me + 4, port=port)
        two.send(t + 3, True, ACK | PSH, me + 4, peer, b"missed", port=port, missed=True)
        two.send(t + 3.1, False, ACK, peer, me + 10, port=port)
        two.send(t + 4, False, ACK | PSH, peer, me + 10, b"unseen", port=port, seen=False)
        two.send(t + 4.1, True, ACK, me + 10, peer + 6, port=port)
        two.at["client"].append((two.at["client"][-1][0] + 1000, two.at["client"][-1][1]))
        two.word(t + 500, port, me + 10, peer + 6)
        two.closing(t + 501, port, me + 13, peer + 6)
    out = run(*two.write(where), "--fail-on-broken")
    s = summary(out)
    need((s["connections"], s["loss"], s["forgotten_s"], s["resets_from_nobody"], s["others_from_nobody"]) ==
         (10, 10, None, 0, 0), out)
    near(s["survived_s"], 495.9, .02)
    client, server = of_type(out, "place")
    need((client["lost_packets"], client["lost_bytes"], server["lost_packets"]) == (10, 40, 0), out)
    need((server["not_captured"], client["not_captured"]) == (20, 0), out)
    need((client["duplicates"], server["duplicates"]) == (10, 0), out)
    need("Nothing between them broke a connection; the longest silence after which a packet still came through" in
         run(*two.write(where), plain=True))


def ends_and_begins(where):
    """A capture that begins later and stops earlier is no firewall."""
    two = Two(ahead=100)
    for port in range(40001, 40005):
        me, peer = two.opening(START + port % 10, port, port)
        for i in range(100):
            me, peer = two.word(START + port % 10 + 1 + i, port, me, peer)
    every = two.at["client"]
    two.at["client"] = [p for p in every if START + 20 < p[0] / 1e9]
    out = run(*two.write(where, client=START + 60), "--fail-on-broken")
    s = summary(out)
    need((s["connections"], s["fine"], s["way_there_and_back_s"] > 0) == (4, 4, True), out)
    need([(p["ended_early"], p["lost_packets"]) for p in of_type(out, "place")] == [(True, 0), (False, 0)], out)
    need("The capture at client ended at" in run(*two.write(where, client=START + 60), plain=True))
    two.at["client"] = every
    out = run(*two.write(where, server=START + 60 + two.ahead), "--fail-on-broken")
    need((summary(out)["fine"], [p["ended_early"] for p in of_type(out, "place")]) == (4, [False, True]), out)


def resets_after_the_end(where):
    """The client's capture ended. In the midst of traffic, a reset that looks like the client's is; one that does not is not."""
    for ttl, broken in ((61, 0), (9, 1)):
        two = Two()
        me, peer = two.opening(START, 40001, 1)
        me, peer = two.word(START + 10, 40001, me, peer)
        two.made("server", START + 10.4, True, RST, me, port=40001, ttl=ttl)
        out = run(*two.write(where), "--fail-on-broken", status=broken)
        need((summary(out)["fine"], summary(out)["reset-between"]) == (1 - broken, broken), out)
        need([p["ended_early"] for p in of_type(out, "place")] == [not broken, False], out)


def refused_connections(where):
    """SYNs that the firewall drops, while the server's capture is silent, do not say that it had ended."""
    two = Two()
    me, peer = two.opening(START, 40001, 1)
    for i in range(3):
        two.send(START + 60 + i, True, SYN, 77, port=40002, arrives=False)
    for i in range(3):
        two.send(START + 100.3 + i, True, ACK | PSH, me, peer, b"ask", port=40001, arrives=False)
    out = run(*two.write(where), "--fail-on-broken", status=1)
    need((summary(out)["forgotten"], [p["ended_early"] for p in of_type(out, "place")]) == (1, [False, False]), out)


def new_connections_after_the_end(where):
    """The other capture goes on, and shows a firewall's silence only because nobody looked here any more."""
    two = Two()
    me, peer = two.opening(START, 40001, 1)
    two.send(START + 50, False, ACK | PSH, peer, me, b"news", port=40001)
    two.send(START + 51, False, ACK | PSH, peer + 4, me, b"news", port=40001)
    two.opening(START + 60, 40002, 99)
    need(summary(run(*two.write(where)))["fine"] == 2)
    out = run(*two.write(where, client=START + 20), "--fail-on-broken")
    need((summary(out)["forgotten"], of_type(out, "place")[0]["ended_early"]) == (0, True), out)


def translated(where):
    two = Two(ahead=17, nat="203.0.113.9")
    forgets(two, [50, 100, 4000], late_reset, limit=3000)
    out = run(*two.write(where))
    s = summary(out)
    need((s["connections"], s["translated"], s["forgotten"], s["fine"]) == (3, 3, 1, 2), out)
    near(s["survived_s"], 100, .02)
    near(s["forgotten_s"], 4000, .02)
    c = connections(out)[0]
    need((c["client"], c["second_client"], c["server"], c["second_server"]) ==
         ("192.0.2.2:40003", f"203.0.113.9:{40003 ^ 0x1111}", "198.51.100.2:5000", "198.51.100.2:5000"), c)
    text = run(*two.write(where), plain=True)
    need("3 of them with other addresses or ports at server: something between translates them" in text, text)


def rewritten(where):
    two = Two()
    two.opening(START, 40001, 1)
    two.at["server"] = [(t, p[:24] + struct.pack("!II", struct.unpack("!I", p[24:28])[0] ^ 0x1234567, 9) + p[32:])
                        for t, p in two.at["server"]]
    said = run(*two.write(where), status=3, plain=True)
    need("no packet of TCP was captured at both client and server" in said, said)


def no_hops(where):
    """A firewall that is a bridge; the server asks, too."""
    two = Two(ahead=-7, hops=0)
    forgets(two, [50, 100, 4000, 5000], late_silent, limit=3000)
    s = summary(run(*two.write(where)))
    need((s["fine"], s["forgotten"]) == (2, 2), s)
    near(s["clock_ahead_s"], -7, .006)
    near(s["way_there_and_back_s"], .010, .002)
    args = two.write(where)
    turned = summary(run(*args[3:], *args[:3]))
    need((turned["fine"], turned["forgotten"]) == (2, 2), turned)
    near(turned["clock_ahead_s"], 7, .006)


def ports_again(where):
    """The same ports again, after the first connection was forgotten: two connections."""
    two = Two()
    me, peer = two.opening(START, 40001, 1000)
    late_silent(two, START + 4000, 40001, me, peer)
    me, peer = two.opening(START + 5000, 40001, 900000)
    me, peer = two.word(START + 5010, 40001, me, peer)
    two.closing(START + 5020, 40001, me, peer)
    out = run(*two.write(where))
    need((summary(out)["connections"], summary(out)["forgotten"], summary(out)["fine"]) == (2, 1, 1), out)
    near(summary(out)["forgotten_s"], 3999.7, .02)


def shorter_than_others(where):
    two = Two()
    forgets(two, [5000], None, limit=9999)
    me, peer = two.opening(START + 20, 40100, 1)
    late_silent(two, START + 620, 40100, me, peer)
    s = summary(run(*two.write(where)))
    need((s["forgotten"], s["forgotten_sooner"], s["forgotten_s"]) == (1, 1, None), s)
    near(s["survived_s"], 5000, .02)


def made_between(where):
    """A firewall that probes in the ends' names: told, and nothing is broken."""
    two = Two()
    me, peer = two.opening(START, 40001, 1)
    two.made("client", START + 100, False, ACK, peer - 1, me, port=40001, ttl=200)
    two.send(START + 100.1, True, ACK, me, peer, port=40001, arrives=False)
    me, peer = two.word(START + 150, 40001, me, peer)
    two.closing(START + 160, 40001, me, peer)
    out = run(*two.write(where), "--fail-on-broken")
    need((summary(out)["made-between"], summary(out)["others_from_nobody"]) == (1, 1), out)


def in_traffic(where):
    """Reset in the midst of traffic, and a dead path: no idle limit."""
    two = Two()
    for port in (40001, 40002):
        me, peer = two.opening(START, port, port)
        me, peer = two.word(START + .5, port, me, peer)
        if port == 40001:
            two.made("client", START + .7, False, RST, peer, port=port, ttl=99)
            two.made("server", START + .7, True, RST, me, port=port, ttl=99)
        else:
            for i in range(6):
                two.send(START + .8 + i, True, ACK | PSH, me, peer, b"ask", port=port, arrives=False)
    two.closing(START + 20, 40003, *two.opening(START + 19, 40003, 77))
    out = run(*two.write(where), "--fail-on-broken", status=1)
    s = summary(out)
    need((s["reset-between"], s["cut"], s["forgotten"], s["fine"]) == (1, 1, 0, 1), out)


def real_reset(where):
    """One that its sender sent, and one that his capture saw sent while nothing came: both fine."""
    two = Two()
    me, peer = two.opening(START, 40001, 1)
    two.send(START + 30, True, RST, me, port=40001)
    me, peer = two.opening(START + 1, 40002, 5)
    two.send(START + 40, True, RST | ACK, me, peer, port=40002, arrives=False)
    out = run(*two.write(where), "--fail-on-broken")
    need((summary(out)["resets_from_nobody"], summary(out)["fine"], summary(out)["loss"]) == (0, 1, 1), out)


def missed_at_its_sender(where):
    """A FIN that only its receiver's capture holds is no forgery, one with another TTL is; a reset is told with a doubt."""
    two = Two()
    for port in (40001, 40002, 40003):
        me, peer = two.opening(START + 1, port, port)
        if port == 40001:
            two.send(START + 9, True, ACK | FIN, me, peer, port=port, seen=False)
            two.send(START + 9.1, False, ACK | FIN, peer, me + 1, port=port)
            two.send(START + 9.2, True, ACK, me + 1, peer + 1, port=port)
        elif port == 40002:
            two.made("server", START + 9, True, ACK | FIN, me, peer, port=port, ttl=77)
        else:
            two.send(START + 9, True, RST, me, port=port, seen=False)
    out = run(*two.write(where), "--fail-on-broken", status=1)
    s = summary(out)
    need((s["fine"], s["fins_from_nobody"], s["resets_from_nobody"], s["forgotten"]) == (1, 1, 1, 2), out)
    need("TTL 61, as its fellows: the capture at client missed other packets, and perhaps this one" in
         run(*two.write(where), plain=True))


def half_closed(where):
    """After one side's FIN other limits hold: neither a silence survived then nor one not survived is told of all."""
    two = Two()
    me, peer = two.opening(START, 40001, 1)
    two.send(START + 1, True, ACK | FIN, me, peer, port=40001)
    two.send(START + 1.1, False, ACK, peer, me + 1, port=40001)
    two.send(START + 5000, False, ACK | PSH, peer, me + 1, b"still", port=40001)
    two.send(START + 5000.1, True, ACK, me + 1, peer + 5, port=40001)
    me, peer = two.opening(START + 2, 40002, 9)
    two.send(START + 3, True, ACK | FIN, me, peer, port=40002)
    two.send(START + 3.1, False, ACK, peer, me + 1, port=40002)
    for i in range(3):
        two.send(START + 100 + i, False, ACK | PSH, peer, me + 1, b"still", port=40002, arrives=False)
    out = run(*two.write(where))
    s = summary(out)
    need((s["forgotten"], s["forgotten_s"]) == (1, None) and connections(out)[0]["half_closed"], out)
    near(s["survived_s"], .7, .02)


def after_the_close(where):
    """What is lost when both have closed breaks nothing."""
    two = Two()
    me, peer = two.opening(START, 40001, 1)
    two.closing(START + 10, 40001, me, peer)
    for i in range(3):
        two.send(START + 20 + i, False, ACK | FIN, peer, me + 1, port=40001, arrives=False)
    two.closing(START + 51, 40002, *two.opening(START + 50, 40002, 9))
    s = summary(run(*two.write(where)))
    need((s["fine"], s["loss"], s["forgotten"]) == (1, 1, 0), s)


def proof_after_the_end(where):
    """The client's capture ended; a reset in its name is told only where it looks like another's."""
    two = Two()
    for port in (40001, 40002, 40003):
        me, peer = two.opening(START, port, port)
        me, peer = two.word(START + 30, port, me, peer)
        if port != 40003:
            two.made("server", START + 90, True, RST, me, port=port, ttl=61 if port == 40001 else 9)
    out = run(*two.write(where, client=START + 20), "--fail-on-broken", status=1)
    s = summary(out)
    need((s["forgotten"], s["resets_from_nobody"], s["fine"] + s["loss"]) == (1, 1, 2), out)
    need(of_type(out, "place")[0]["ended_early"], out)


def many_captures(where):
    """Each place in two files; the same as in one."""
    two = story_of(late_reset)
    paths = two.write(where)
    want = run(*paths)
    args = []
    for place, packets in two.at.items():
        packets.sort(key=lambda p: p[0])
        for i, some in enumerate((packets[::2], packets[1::2])):
            path = os.path.join(where, f"{place} {i}.pcap")
            with open(path, "wb") as to:
                to.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 101))
                for time, packet in some:
                    to.write(struct.pack("<IIII", time // 10**9, time % 10**9, len(packet), len(packet)) + packet)
            args += ["--at", place, path]
    got = run(*args)
    need(summary(got) == summary(want), got, want)
    need([e["at_s"] for e in events(got)] == [e["at_s"] for e in events(want)])


def alone(where):
    """One capture: a reset with another TTL, one with an odd IP id, and honest ones."""
    two = Two()
    for port, ttl, ident in ((40001, 61, 10), (40002, 250, 0), (40003, 61, 40000), (40004, 61, 0)):
        two.ids[True] = 10
        me, peer = two.opening(START + port - 40000, port, port)
        for i in range(4):
            me, peer = two.word(START + 10 + i, port, me, peer)
        two.made("server", START + 500, True, RST, me, peer, port=port, ttl=ttl, ident=ident or 0)
        two.ids[True] = 10
    two.ids, two.counts = {True: 0, False: 0}, False
    me, peer = two.opening(START + 5, 40005, 5)
    two.made("server", START + 501, True, RST, me, peer, port=40005, ttl=61, ident=77)
    path = two.write(where)[-1]
    out = run("--at", "server", path, "--fail-on-broken", status=1)
    s = summary(out)
    need((s["places"], s["connections"], s["odd-reset"], s["fine"], s["resets_from_nobody"]) == (1, 5, 3, 2, 3), out)
    need([(c["client"], e["ttl_differs"], e["ip_id_differs"]) for c, e in zip(connections(out), events(out))] ==
         [("192.0.2.2:40002", True, False), ("192.0.2.2:40003", False, True), ("192.0.2.2:40005", False, True)], out)
    near(events(out)[0]["silence_s"], 486.9, .02)
    text = run("--at", "server", path, plain=True)
    need("3 resets on 3 connections do not look as if" in text and "its TTL is 250, that of its fellows 61" in text, text)


def random_traffic(where):
    """Losses of every kind, counted by who made them."""
    seed = random.randrange(10**6)
    print("# seed", seed)
    for attempt in range(5):
        dice = random.Random(seed + attempt)
        two = Two(ahead=dice.uniform(-1e5, 1e5), drift=dice.uniform(-1e-4, 1e-4), hops=dice.randrange(1, 30),
                  way=dice.uniform(1e-4, .03), nat=dice.choice([None, "203.0.113.9"]), seed=dice.random())
        lost = [0, 0]
        for port in range(40001, 40021):
            t = START + dice.uniform(0, 50)
            me, peer = two.opening(t, port, dice.randrange(2**32))
            t += 1
            for _ in range(dice.randrange(1, 60)):
                t += dice.choice([.02, .5, 30])
                client = dice.random() < .5
                data = bytes(dice.randrange(0, 5000))
                seq, ack = (me, peer) if client else (peer, me)
                while dice.random() < .2:
                    two.send(t, client, ACK, seq, ack, data, port=port, arrives=False)
                    lost[not client] += 1
                    t += 1
                two.send(t, client, ACK, seq, ack, data, port=port, split=dice.choice([0, 1448]))
                me, peer = me + len(data) * client, peer + len(data) * (not client)
                t += .4
            two.closing(t + 1, port, me, peer)
        out = run(*two.write(where), "--fail-on-broken")
        s = summary(out)
        need(s["connections"] == 20 and s["fine"] + s["loss"] == 20, attempt, s)
        need([p["lost_packets"] for p in of_type(out, "place")] == lost, attempt, lost, out[:3])
        need([p["not_captured"] for p in of_type(out, "place")] == [0, 0], attempt, out[:3])
        near(s["clock_ahead_s"], two.ahead + two.drift * (two.at["client"][0][0] / 1e9 - START), two.way / 2 + .01)


def bad_input(where):
    two = story_of(late_reset)
    args = two.write(where)
    with open(args[5], "ab") as to:
        to.write(b"\0" * 7)
    done = subprocess.run([IDLEWALL, "replay", *args, "-o", "json"], capture_output=True, text=True, timeout=60)
    need(done.returncode == 3 and "server.pcap: at byte" in done.stderr, done)
    need(done.stderr.count("\n") == 1, done.stderr)
    need(summary([json.loads(line) for line in done.stdout.splitlines()])["forgotten"] == 2, done.stdout)
    for arguments, status, word in [
            (["--at", "client"], 2, "which capture? --at NAME FILE"),
            (["--at", "client", "-"], 2, "not from standard input"),
            (args + ["--at", "third", args[2]], 2, "a third place"),
            (args + [args[2]], 2, f"{args[2]}: of which place?"),
            (args + ["--profile", "aws-nat-gateway"], 2, "--at looks for the firewall that was there"),
            (args + ["-o", "csv"], 2, "text or json"),
            (["--at", "a", where + "/none.pcap"], 3, "none.pcap: No such file"),
            (["--at", "a", "/dev/null"], 3, "is empty"),
            (args[:3] + ["--at", "b", "/dev/null"], 3, "is empty")]:
        said = run(*arguments, status=status, plain=True)
        need(word in said, arguments, repr(word), "is not in", said)


TESTS = [reset, silent, icmp, icmp_in_another_name, lost_and_sent_again, lost_after_a_silence, a_reset_that_came_late,
         after_a_real_reset, some_rewritten, hops_of_most, a_clock_that_was_set, resets_after_the_end,
         refused_connections, each_servers_limit, one_server_of_two_minds, many_servers, who_is_the_server, ipv6,
         translated_from_the_middle, on_expiry, nothing, ends_and_begins, new_connections_after_the_end, translated,
         rewritten, no_hops, ports_again, shorter_than_others, made_between, in_traffic, real_reset,
         missed_at_its_sender, half_closed, after_the_close, proof_after_the_end, many_captures,
         alone, random_traffic, bad_input]

one_by_one.run([t for t in TESTS if not sys.argv[2:] or t.__name__ in sys.argv[2:]], directory=True)
