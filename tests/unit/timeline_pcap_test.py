#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The captures of stories, read by tshark: it finds no fault that the story does not contain, and
its relative numbers, times and flags are those of our own JSON."""

import argparse
import json
import os
import subprocess
import tempfile

import one_by_one

parser = argparse.ArgumentParser()
parser.add_argument("--capture", required=True)
parser.add_argument("--tshark", required=True)
arguments = parser.parse_args()

EPOCH = 1767225600  # 2026-01-01T00:00:00Z, of stories in virtual time
FIELDS = ["frame.time_epoch", "ip.src", "tcp.flags", "tcp.seq", "tcp.ack", "tcp.len",
          "_ws.expert.message", "icmp.type", "frame.len", "frame.cap_len", "tcp.checksum.status",
          "ip.checksum.status"]
LETTERS = [("F", 1), ("S", 2), ("R", 4), ("P", 8), (".", 16)]
# What a capture may make tshark say although nothing is wrong with it.
CHAT = ("Connection establish", "Connection finish", "Connection reset", "This frame initiates",
        "This frame undergoes",
        "TCP window update")

tests = []


def test(function):
    tests.append(function)
    return function


def story(directory, *case):
    """The events of a story whose captures go to directory, and what it exited with."""
    run = subprocess.run([arguments.capture, directory, *case], capture_output=True, text=True,
                         check=False)
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    return lines, run


def tshark(path):
    """One dictionary a packet."""
    command = [arguments.tshark, "-r", path, "-T", "fields", "-E", "separator=|",
               "-E", "occurrence=a", "-E", "aggregator=;", "-o", "tcp.check_checksum:TRUE",
               "-o", "ip.check_checksum:TRUE"]
    for field in FIELDS:
        command += ["-e", field]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    bad = [line for line in run.stderr.splitlines() if "root" not in line and line.strip()]
    assert not bad, bad
    return [dict(zip(FIELDS, line.split("|"))) for line in run.stdout.splitlines()]


def seen_at(events, place, kinds):
    return [e for e in events if e["type"] == "packet" and e["place"] == place
            and e["kind"] in kinds]


def faults(packets):
    """Expert messages that speak of a fault."""
    found = []
    for packet in packets:
        for message in packet["_ws.expert.message"].split(";"):
            if message and not message.startswith(CHAT):
                found.append(message)
    return found


def flags_of(value):
    number = int(value, 16)
    return "".join(letter for letter, bit in LETTERS if number & bit) or "none"


def compare(packets, events):
    """tshark sees what the JSON says, packet by packet."""
    assert len(packets) == len(events), (len(packets), len(events))
    for packet, event in zip(packets, events):
        assert abs(float(packet["frame.time_epoch"]) - EPOCH - event["t_s"]) < 1e-6
        assert int(packet["frame.len"]) == event["wire_len"]
        if event["protocol"] != "tcp":
            assert packet["icmp.type"] == str(event["icmp_type"])
            continue
        assert flags_of(packet["tcp.flags"]) == event["flags"], (packet, event)
        assert int(packet["tcp.len"]) == event["len"]
        assert int(packet["tcp.seq"]) == event["relative_seq"], (packet, event)
        if "." in event["flags"]:
            assert int(packet["tcp.ack"]) == event["relative_ack"], (packet, event)
        if packet["frame.len"] == packet["frame.cap_len"]:
            assert packet["tcp.checksum.status"] == "1", packet  # good
        assert packet["ip.checksum.status"] == "1", packet


@test
def ends_as_in_our_own_json():
    with tempfile.TemporaryDirectory() as directory:
        events, run = story(directory)
        assert run.returncode == 0, run.stderr
        for place in ("client", "server"):
            packets = tshark(f"{directory}/{place}.pcap")
            compare(packets, seen_at(events, place, ("sent", "received")))
        assert sorted(os.listdir(directory)) == [
            "client.pcap", "firewall-client.pcap", "firewall-server.pcap", "server.pcap"]


@test
def both_sides_of_a_firewall():
    with tempfile.TemporaryDirectory() as directory:
        events, _ = story(directory)
        at = [e for e in events if e["type"] == "packet" and e["place"] == "firewall"]
        client = tshark(f"{directory}/firewall-client.pcap")
        server = tshark(f"{directory}/firewall-server.pcap")
        # The probe comes in at the server's side, and the reset leaves there.
        compare(server, at)
        compare(client, [e for e in at if e["kind"] == "forwarded"])
        assert len(server) == len(client) + 2


@test
def no_faults_but_the_storys():
    with tempfile.TemporaryDirectory() as directory:
        story(directory)
        assert faults(tshark(f"{directory}/client.pcap")) == []
        assert faults(tshark(f"{directory}/firewall-client.pcap")) == []
        # Keepalive is what the story is about.
        assert faults(tshark(f"{directory}/server.pcap")) == ["TCP keep-alive segment"]


def played(case, allowed):
    """A shipped case, in virtual time: tshark's complaints are those allowed."""
    def run():
        with tempfile.TemporaryDirectory() as directory:
            events, done = story(directory, case)
            assert done.returncode == 0, done.stderr
            for place in ("client", "server"):
                packets = tshark(f"{directory}/{place}.pcap")
                assert packets
                for message in faults(packets):
                    assert message.startswith(allowed), (case, place, message)
                for packet in packets:
                    if packet["frame.len"] == packet["frame.cap_len"]:
                        assert packet["tcp.checksum.status"] in ("1", ""), packet
                    assert packet["ip.checksum.status"].split(";")[0] == "1", packet
            compare(tshark(f"{directory}/client.pcap"),
                    seen_at(events, "client", ("sent", "received")))
    run.__name__ = case
    return run


KEEPALIVE = ("TCP keep-alive segment", "ACK to a TCP keep-alive segment")
AGAIN = ("This frame is a (suspected) retransmission",)
tests += [
    played("oracle-dcd-all-well", KEEPALIVE),
    played("oracle-dcd-traffic", KEEPALIVE),
    played("firewall-shorter-than-keepalive-linux", KEEPALIVE),
    # AIX's byte of garbage was acknowledged long ago.
    played("firewall-shorter-than-keepalive", KEEPALIVE),
    played("fin-lost-nobody-closes", KEEPALIVE),
    # Its FIN is sent again.
    played("fin-lost-on-the-way-resent", AGAIN),
    # Data and probes that nobody answers.
    played("oracle-dcd-data-pending", KEEPALIVE + AGAIN),
    played("stuck-zero-window-recovers",
           KEEPALIVE + ("TCP Zero Window", "TCP window specified by the receiver is now completely",
                        "ACK to a TCP keep-alive")),
    played("three-firewalls", KEEPALIVE),
]


@test
def a_directory_that_cannot_be_made():
    _, run = story("/nowhere/at/all")
    assert run.returncode == 3
    assert "No such file" in run.stderr, run.stderr
    with tempfile.NamedTemporaryFile() as file:
        _, run = story(file.name)
        assert run.returncode == 3
        assert "Not a directory" in run.stderr, run.stderr


@test
def a_full_disk_is_told():
    with tempfile.TemporaryDirectory() as directory:
        os.symlink("/dev/full", f"{directory}/server.pcap")
        _, run = story(directory)
        assert run.returncode == 3
        assert "No space left" in run.stderr, run.stderr


@test
def old_captures_are_replaced():
    with tempfile.TemporaryDirectory() as directory:
        with open(f"{directory}/client.pcap", "wb") as file:
            file.write(b"x" * 100000)
        story(directory)
        assert os.path.getsize(f"{directory}/client.pcap") < 1000
        tshark(f"{directory}/client.pcap")


one_by_one.run(tests)
