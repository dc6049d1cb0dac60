#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The captures of every shipped case, read by tshark: each packet is the one of the story's JSON, and what tshark's
experts say of it is what the story says of it, no more and no less. TAP."""
import concurrent.futures
import json
import math
import os
import subprocess
import sys
import tempfile

from pcap import elsewhere, read, write

IDLEWALL, TSHARK = sys.argv[1:3]
EPOCH_NS = 1767225600 * 10**9  # 2026-01-01T00:00:00Z: stories in virtual time have no date
FIELDS = ["frame.time_epoch", "frame.len", "frame.cap_len", "tcp.stream", "tcp.flags", "tcp.seq_raw", "tcp.ack_raw",
          "tcp.seq", "tcp.ack", "tcp.len", "tcp.window_size", "tcp.checksum.status", "ip.checksum.status",
          "icmp.checksum.status", "icmp.type", "icmp.code", "_ws.expert.message"]
LETTERS = [("F", 1), ("S", 2), ("R", 4), ("P", 8), (".", 16)]
HEADERS = 2  # tcp.checksum.status: 2 is unverified, as it must be where payload is not captured
GOOD = 1


def simulate(*args):
    done = subprocess.run([IDLEWALL, "simulate", *args], capture_output=True, timeout=120)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def tshark(path):
    command = [TSHARK, "-r", path, "-T", "fields", "-E", "separator=|", "-E", "aggregator=;",
               "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"]
    for field in FIELDS:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, timeout=120, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{path}: tshark: {done.stderr}")
    return [dict(zip(FIELDS, line.split("|"))) for line in done.stdout.splitlines()]


def need(true, *what):
    if not true:
        raise AssertionError(" ".join(str(w) for w in what))


def nanoseconds(text):
    whole, _, part = str(text).partition(".")
    return int(whole) * 10**9 + int((part + "000000000")[:9])


def captures(story):
    """The name of each capture, and the events that it must show."""
    places = ["client", *story[0]["firewalls"], "server"]
    packets = [e for e in story if e["type"] == "packet"]
    for place in places:
        here = [e for e in packets if e["place"] == place]
        if place in ("client", "server"):
            yield place, [e for e in here if e["kind"] in ("sent", "received") or
                          e["kind"] == "lost" and not e["silent_link"] and e["side"] != place]
            continue
        for side in ("client", "server"):
            yield f"{place}-{side}", [e for e in here if e["kind"] == "forwarded" or
                                      e["kind"] == "dropped" and e["side"] == side or
                                      e["kind"] == "injected" and e["side"] != side]


def flags_of(value):
    return "".join(letter for letter, bit in LETTERS if int(value, 16) & bit) or "none"


def compare(packet, event):
    """What stands in the capture is what the story says, to the nanosecond."""
    need(nanoseconds(packet["frame.time_epoch"]) - EPOCH_NS == event["t_ns"], "time", packet, event)
    need(int(packet["frame.len"]) == event["wire_len"], "length", packet, event)
    need(set(packet["ip.checksum.status"].split(";")) == {str(GOOD)}, "IP checksum", packet)
    if event["protocol"] == "icmp":
        need(packet["icmp.type"] == str(event["icmp_type"]) and packet["icmp.code"] == str(event["icmp_code"]),
             "ICMP", packet, event)
        need(packet["icmp.checksum.status"] == str(GOOD), "ICMP checksum", packet)
        return
    whole = event["len"] == 0
    need((packet["frame.cap_len"] == packet["frame.len"]) == whole, "headers only", packet)
    need(packet["tcp.checksum.status"] == str(GOOD if whole else HEADERS), "TCP checksum", packet)
    need(flags_of(packet["tcp.flags"]) == event["flags"], "flags", packet, event)
    for field, member in [("tcp.seq_raw", "seq"), ("tcp.seq", "relative_seq"), ("tcp.len", "len")]:
        need(int(packet[field]) == event[member], field, packet, event)
    if "." in event["flags"]:
        need(int(packet["tcp.ack_raw"]) == event["ack"], "ack_raw", packet, event)
        need(int(packet["tcp.ack"]) == event["relative_ack"], "ack", packet, event)
    if "R" not in event["flags"]:
        need(int(packet["tcp.window_size"]) == event["window"], "window", packet, event)


class Side:
    """What a capture has shown of what one side of a connection sent."""

    def __init__(self):
        self.end = 0        # relative number after the highest byte (SYN, FIN)
        self.missing = False
        self.window = self.ack = None
        self.again = False  # something was sent twice


def length(event):
    return event["len"] + ("S" in event["flags"]) + ("F" in event["flags"])


def judge(event, mine, other, missing):
    """What tshark may say of this packet, and what it must say."""
    note, may, must = event["note"], set(), set()
    if "S" in event["flags"]:
        must.add("Connection establish")
    if "F" in event["flags"]:
        must.add("Connection finish")
        may.update({"This frame initiates", "This frame undergoes"})
    if "R" in event["flags"]:
        must.add("Connection reset")
    elif event["window"] == 0:
        must.add("TCP Zero Window")
    # A window probe has the number before the next, too, as long as there is a receiver's window of zero: on the
    # wire it is a keepalive probe.
    if note in ("probe", "window-probe", "dcd"):
        (may if mine.missing or other.missing or mine.end == 0 else must).add("TCP keep-alive segment")
        may.update({"TCP Zero Window", "Duplicate ACK"})
    if note in ("probe-answer", "window-answer"):
        may.update({"ACK to a TCP keep-alive", "ACK to a TCP zero window probe", "Duplicate ACK", "TCP window update"})
    if note == "challenge":
        may.update({"Duplicate ACK", "ACK to a TCP keep-alive"})
    sent_before = length(event) > 0 and event["relative_seq"] < mine.end
    if sent_before and note not in ("probe", "window-probe"):
        may.update({"This frame is a (suspected) ", "D-SACK"})
        need(note in ("retransmit", "tail-probe"), "sent again without a word", event)
    if note in ("retransmit", "tail-probe") and sent_before:
        must.add("This frame is a (suspected) ")
    if length(event) == 0 and "." in event["flags"] and mine.window is not None and "R" not in event["flags"] \
            and event["window"] != mine.window and event["relative_ack"] == mine.ack:
        may.add("TCP window update")
    if length(event) > 0 and other.window is not None and \
            event["relative_seq"] + event["len"] == other.ack + other.window:
        may.add("TCP window specified by the receiver is now completely full")
    if other.again and length(event) == 0:
        may.update({"D-SACK", "Duplicate ACK"})
    if missing["mine"]:
        may.update({"Previous segment(s) not captured"})
    if missing["other"]:
        may.update({"ACKed segment that wasn't captured"})
    return may, must


def experts(packets, events, sent):
    """sent: connection and side: packets that were sent, in order."""
    sides, seen = {}, {e["packet"] for e in events}
    never = {key: min((e["t_ns"] for e in packets_sent if e["packet"] not in seen and length(e) > 0), default=math.inf)
             for key, packets_sent in sent.items()}  # when the first was sent that is not in this capture
    for packet, event in zip(packets, events):
        if event["protocol"] == "icmp":
            continue
        key = (event["connection"], event["side"])
        peer = (event["connection"], "server" if event["side"] == "client" else "client")
        mine, other = sides.setdefault(key, Side()), sides.setdefault(peer, Side())
        missing = {name: never.get(which, math.inf) <= event["t_ns"] for name, which in [("mine", key), ("other", peer)]}
        mine.missing, other.missing = missing["mine"], missing["other"]
        may, must = judge(event, mine, other, missing)
        said = [m for m in packet["_ws.expert.message"].split(";") if m]
        for message in said:
            need(any(message.startswith(m) for m in may | must), "tshark says", repr(message), "of", event)
        for message in must:
            need(any(m.startswith(message) for m in said), "tshark does not say", repr(message), "but", said, "of", event)
        if length(event) > 0 and "R" not in event["flags"]:
            mine.again |= event["relative_seq"] < mine.end
            mine.end = max(mine.end, event["relative_seq"] + length(event))
        if "R" not in event["flags"]:
            mine.window, mine.ack = event["window"], event["relative_ack"]


def check(packets, events, sent):
    need(len(packets) == len(events), len(packets), "packets, the story says", len(events))
    for packet, event in zip(packets, events):
        compare(packet, event)
    experts(packets, events, sent)


class Played:
    """A story, and its captures: each with the events that it must show. No captures: no story but a table."""

    def __init__(self, case, directory):
        self.captures, self.sent, self.records = [], {}, []
        status, out, err = simulate(case, "-o", "json", "--write-pcap", directory)
        if status == 2 and "single stories" in err:
            return
        need((status, err) == (0, ""), "status", status, err)
        # Times as they are written: a double has no nanoseconds left after some days.
        story = [json.loads(line, parse_float=str) for line in out.splitlines()]
        for event in story[1:-1]:
            event["t_ns"] = nanoseconds(event["t_s"])
            if event["type"] == "packet" and event["kind"] in ("sent", "injected") and event["protocol"] == "tcp":
                self.sent.setdefault((event["connection"], event["side"]), []).append(event)
        self.captures = list(captures(story))
        need(sorted(os.listdir(directory)) == sorted(name + ".pcap" for name, _ in self.captures),
             sorted(os.listdir(directory)))
        self.records = [read(os.path.join(directory, name + ".pcap")) for name, _ in self.captures]

    def check(self, packets):
        """The number of packets compared, from what tshark says of all; None: a table."""
        for (_, events), records in zip(self.captures, self.records):
            check([next(packets) for _ in records], events, self.sent)
        return sum(len(events) for _, events in self.captures) if self.captures else None


def read_at_once(plays, path):
    """What tshark says of each of these: one start for all of their captures, each in a network of its own."""
    every = [records for played in plays for records in played.records]
    write(path, [record for number, records in enumerate(every, 1) for _, record in elsewhere(records, number)])
    packets = tshark(path)
    need(len(packets) == sum(map(len, every)), "tshark has lost packets")
    said = iter(packets)
    return {played: iter([next(said) for records in played.records for _ in records]) for played in plays}


def main():
    status, out, err = simulate("--list")
    need((status, err) == (0, ""), status, err)
    cases = [line.split()[0] for line in out.splitlines()]
    print(f"1..{len(cases) + 1}")
    failed, stories = 0, 0
    with tempfile.TemporaryDirectory() as directory:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            plays = {case: pool.submit(Played, case, os.path.join(directory, case)) for case in cases}
        said = read_at_once([p.result() for p in plays.values() if not p.exception()], os.path.join(directory, "all.pcap"))
        for number, (case, future) in enumerate(plays.items(), 1):
            try:
                count = future.result().check(said[future.result()])
                stories += count is not None
                print(f"ok {number} - {case}: " + ("a table" if count is None else f"{count} packets"), flush=True)
            except Exception as error:
                failed += 1
                print(f"not ok {number} - {case}")
                print("# " + f"{type(error).__name__}: {error}".replace("\n", "\n# "), flush=True)
    # Were every case a table, nothing would have been looked at.
    failed += stories < 16
    print(f"{'not ok' if stories < 16 else 'ok'} {len(cases) + 1} - {stories} stories")
    return 1 if failed else 0


sys.exit(main())
