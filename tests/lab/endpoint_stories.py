# SPDX-License-Identifier: GPL-2.0-or-later
"""What endpoints.py plays. `masked`: sequence numbers and lengths depend on how the kernel counts buffers; `since`: what
comes before is not compared; `first`: only so many from there; `known`: what the simulator leaves out on purpose, so that the two must differ."""

USUAL = """link delay 200us
at 0s    client connect
at 100ms client send 100
at 200ms server send 200
"""


def story(client="", server="", deeds="", until="3s", usual=USUAL, **how):
    # hosts and the link between them stand in the order of the path
    link, _, rest = usual.partition("\n")
    text = f"client linux {client}\n{link}\nserver linux {server}\n{rest}{deeds}\nuntil {until}\n"
    return {"text": text, **how}


SILENT = "link delay 200us\n"

STORIES = {
    "keepalive, all well": story(server="keepalive 1 1 3", deeds="# look at 600ms", until="5s"),
    "keepalive on both sides": story("keepalive 2 1 3", "keepalive 1 1 3", until="5s"),
    "keepalive, answers lost": story(
        server="keepalive 1 1 3", deeds="at 500ms block from client at server\n# look at 1800ms\n# look at 6s", until="6500ms"),
    "keepalive, probes lost": story(server="keepalive 1 2 2", deeds="at 500ms block at server", until="7s"),
    "keepalive, block lifted": story(
        server="keepalive 1 1 4",
        deeds="at 500ms block from client at server\nat 2800ms unblock from client at server\n# look at 2700ms", until="6s"),
    "keepalive, traffic in between": story(
        server="keepalive 2 1 3",
        deeds="at 1500ms client send 100\nat 1550ms server send 300\n# look at 1700ms\n# look at 2600ms", until="5s"),
    "keepalive, own data restart the idle time too": story(
        server="keepalive 2 1 3", deeds="at 1200ms server send 10", until="5s"),
    "keepalive switched on later": story(deeds="at 1s server set keepalive 1 1 3\n# look at 1200ms", until="5s"),
    "keepalive switched on after a long silence": story(deeds="at 2500ms server set keepalive 1 1 3", until="4500ms"),
    "keepalive in CLOSE_WAIT": story(
        server="keepalive 1 1 3 ignores-eof", deeds="at 400ms client shutdown\n# look at 3s", until="5s"),
    "keepalive in FIN_WAIT_2": story(
        server="ignores-eof", client="keepalive 1 1 3", deeds="at 400ms client shutdown\n# look at 3s", until="5s"),
    "keepalive and data pending": story(
        server="keepalive 1 1 5 retries 3",
        deeds="at 500ms block at server\nat 1700ms server send 100\n# look at 1800ms\n# look at 7s", until="9500ms"),
    "data pending, retransmission capped": story(
        server="retries 5 rto-max 1s", deeds="at 500ms block at server\nat 700ms server send 100", until="9s"),
    "data pending, user timeout": story(
        server="user-timeout 2s", deeds="at 500ms block at server\nat 700ms server send 100", until="5s"),
    "user timeout ends keepalive early": story(
        server="keepalive 1 1 9 user-timeout 3s", deeds="at 500ms block from client at server", until="7s"),
    "user timeout longer than keepalive": story(
        server="keepalive 1 1 2 user-timeout 5s", deeds="at 500ms block from client at server", until="9s"),
    "retransmission, lost once": story(deeds="at 500ms lose 1 from server\nat 510ms server send 100"),
    "retransmission, lost twice": story(deeds="at 500ms lose 2 from server\nat 510ms server send 100"),
    "retransmission, answers lost": story(
        deeds="at 500ms lose 2 from client\nat 510ms server send 100", until="3s"),
    "retransmission schedule": story(
        deeds="at 500ms block at server\nat 510ms server send 100\n# look at 5s", until="8s"),
    "retransmission, the way is free again": story(
        deeds="at 500ms block at server\nat 510ms server send 100\nat 1600ms unblock at server", until="4s"),
    "two pieces, the first lost": story(
        deeds="at 500ms lose 1 from server\nat 510ms server send 100\nat 520ms server send 100",
        known="the simulator joins what is sent again with what SACK says has come"),
    "process killed": story(deeds="at 500ms client kill\n# look at 1s"),
    "process killed with unread data": story(
        deeds="at 400ms client stop reading\nat 500ms server send 200\nat 700ms client kill\n# look at 1s"),
    "closed with a reset": story(deeds="at 500ms client abort\n# look at 1s"),
    "closed by the server": story(deeds="at 500ms server close\n# look at 1s"),
    "half closed": story(
        server="ignores-eof",
        deeds="at 500ms client shutdown\nat 700ms server send 100\nat 1200ms server close\n# look at 1s"),
    "data to a socket that was closed": story(
        server="ignores-eof", deeds="at 500ms client close\nat 1s server send 100\n# look at 1500ms"),
    "peer rebooted, keepalive": story(
        server="keepalive 1 1 3", deeds="at 500ms client crash\nat 700ms client reboot"),
    "peer rebooted, data": story(deeds="at 500ms client crash\nat 700ms client reboot\nat 1s server send 100"),
    "FIN lost, sent again": story(deeds="at 500ms lose 1 from client\nat 510ms client close\n# look at 600ms"),
    "FIN lost for ever": story(
        client="orphan-retries 3", deeds="at 500ms block at server\nat 510ms client close\n# look at 1s\n# look at 9s", until="9500ms"),
    "FIN lost, the sender crashes": story(
        deeds="at 500ms lose 1 from client\nat 510ms client close\nat 600ms client crash\n# look at 2s"),
    "FIN_WAIT_2, an orphan": story(
        client="fin-timeout 2s", server="ignores-eof", deeds="at 500ms client close\n# look at 2200ms\n# look at 3200ms", until="4s"),
    "FIN_WAIT_2, forgotten, and then data": story(
        client="fin-timeout 1s", server="ignores-eof", deeds="at 500ms client close\nat 2500ms server send 10", until="4s"),
    "FIN_WAIT_2, held by a process": story(
        client="fin-timeout 1s", server="ignores-eof", deeds="at 500ms client shutdown\n# look at 4s", until="5s"),
    "CLOSE_WAIT": story(server="ignores-eof", deeds="at 500ms client shutdown\n# look at 4s", until="5s"),
    "zero window": story(
        client="receive-buffer 8192", deeds="at 300ms client stop reading\nat 500ms server send 200000\n# look at 3s",
        until="8s", since=1.1, masked=True),
    "zero window opens": story(
        client="receive-buffer 8192", deeds="at 300ms client stop reading\nat 500ms server send 20000\nat 3s client read",
        until="5s", since=1.1, first=5, masked=True),
    "zero window, the peer is gone": story(
        client="receive-buffer 8192", server="retries 3",
        deeds="at 300ms client stop reading\nat 500ms server send 200000\nat 1500ms block at server",
        until="9s", since=1.1, masked=True),
    "zero window, user timeout": story(
        client="receive-buffer 8192", server="user-timeout 2s",
        deeds="at 300ms client stop reading\nat 500ms server send 200000", until="5s", since=1.1, masked=True),
    "closed with unread data": story(
        deeds="at 400ms client stop reading\nat 500ms server send 200\nat 700ms client close\n# look at 1s"),
    "closed with data under way": story(
        deeds="at 500ms block at server\nat 510ms client send 100\nat 520ms client close\nat 1s unblock at server\n# look at 700ms"),
    "both close at once": story(deeds="at 500ms block at server\nat 510ms client shutdown\nat 600ms server shutdown\n"
                                      "at 640ms unblock at server\n# look at 620ms", until="3s"),
    "delayed acknowledgements": story(
        deeds="\n".join(f"at {500 + 150 * i}ms client send 10" for i in range(26)), until="5s"),
    "delayed acknowledgements, question and answer": story(
        deeds="at 500ms client send 10\nat 510ms server send 10\nat 1s client send 10\nat 1010ms server send 10\n"
              "at 1500ms client send 10", until="3s"),
    "SYN to a silent host": story(usual=SILENT, deeds="at 0s server crash\nat 100ms client connect\n# look at 5s", until="9s"),
    "SYN, given up": story("syn-retries 1", usual=SILENT, deeds="at 0s server crash\nat 100ms client connect", until="9s"),
    "SYN, lost once": story(usual=SILENT, deeds="at 50ms lose 1 from client\nat 100ms client connect", until="4s"),
    "SYN, user timeout": story(
        "user-timeout 2500ms", usual=SILENT, deeds="at 0s server crash\nat 100ms client connect", until="5s"),
    "SYN ACK to a silent host": story(
        usual=SILENT, deeds="at 50ms block from server at client\nat 100ms client connect\nat 150ms client crash", until="9s"),
    "prohibited, keepalive": story(server="keepalive 1 1 2", deeds="at 500ms prohibit from server at client", until="5s"),
    "prohibited, data": story(
        server="retries 3", deeds="at 500ms prohibit from server at client\nat 600ms server send 100", until="8500ms"),
    "prohibited, SYN": story(usual=SILENT, deeds="at 0s prohibit from client at server\nat 100ms client connect", until="3s"),
}


OPEN = """in 0.0 S 0 0 0
in 0.01 . 1 1 0
in 0.1 P. 1 1 100
"""

# Segments written by hand, for what no story can bring about.
SEGMENTS = {
    "reset, exact": OPEN + "in 0.5 R 101 0 0\nuntil 1",
    "reset with ACK, exact": OPEN + "in 0.5 R. 101 1 0\nuntil 1",
    "reset off by one: challenge ACK, and its limit of 500 ms":
        OPEN + "in 0.5 R 102 0 0\nin 0.6 R 102 0 0\nin 0.9 R 103 0 0\nin 1.2 R 102 0 0\nin 1.3 R 101 0 0\nuntil 2",
    "reset below the window": OPEN + "in 0.5 R 100 0 0\nin 0.6 R 1 0 0\nuntil 1",
    "reset beyond the window": OPEN + "in 0.5 R 200000 0 0\nuntil 1",
    "SYN within a connection: challenge ACK":
        OPEN + "in 0.5 S 101 0 0\nin 0.6 S 150 0 0\nin 1.2 S 150 0 0\nuntil 2",
    "SYN of the handshake again": OPEN + "in 0.5 S 0 0 0\nin 0.6 S 0 0 0\nuntil 1",
    "zero-length probes: one answer in 500 ms":
        OPEN + "in 0.6 . 100 1 0\nin 0.8 . 100 1 0\nin 1.0 . 100 1 0\nin 1.2 . 100 1 0\nin 1.8 . 100 1 0\nuntil 2.5",
    "one-byte probes: always answered":
        OPEN + "in 0.6 . 100 1 1\nin 0.7 . 100 1 1\nin 0.8 . 100 1 1\nuntil 1.5",
    "probe below, reset and probe share a limit each":
        OPEN + "in 0.6 . 100 1 0\nin 0.7 R 102 0 0\nin 0.8 . 100 1 0\nuntil 1.5",
    "old data again": OPEN + "in 0.6 P. 1 1 100\nin 0.7 P. 1 1 100\nuntil 1.5",
    "partly old data": OPEN + "in 0.6 P. 51 1 100\nuntil 1.5",
    "data with a gap": OPEN + "in 0.6 P. 201 1 100\nin 0.8 P. 101 1 100\nuntil 1.5",
    "FIN with a gap": OPEN + "in 0.6 F. 201 1 0\nin 0.8 P. 101 1 100\nuntil 1.5",
    "data beyond the window": OPEN + "in 0.6 P. 300001 1 100\nin 0.7 P. 300001 1 100\nin 1.3 P. 300001 1 100\nuntil 2",
    "ACK of what was never sent": OPEN + "in 0.6 . 101 500 0\nin 0.7 P. 101 500 10\nuntil 1.5",
    "ACK that is too old": OPEN + "do 0.5 send 100\nin 0.55 . 101 101 0\nin 0.6 . 101 1 0\nuntil 1.5",
    "data without ACK": OPEN + "in 0.6 P 101 0 100\nuntil 1.5",
    "reset in CLOSE_WAIT": OPEN + "in 0.3 F. 101 1 0\nin 0.6 R 102 0 0\nuntil 1.5",
    "reset in FIN_WAIT_2": OPEN + "do 0.3 shutdown\nin 0.35 . 101 2 0\nin 0.6 R 101 0 0\nuntil 1.5",
    "reset in FIN_WAIT_2, an orphan": OPEN + "do 0.3 close\nin 0.35 . 101 2 0\nin 0.6 R 101 0 0\nin 0.8 . 101 2 0\nuntil 1.5",
    "data in FIN_WAIT_2, an orphan": OPEN + "do 0.3 close\nin 0.35 . 101 2 0\nin 0.6 P. 101 2 10\nuntil 1.5",
    "TIME_WAIT: FIN again, data, reset":
        OPEN + "do 0.3 close\nin 0.35 . 101 2 0\nin 0.4 F. 101 2 0\nin 0.6 F. 101 2 0\nin 1.3 P. 101 2 10\n"
               "in 1.4 R 102 0 0\nin 1.6 . 102 2 0\nuntil 2",
    "simultaneous close": OPEN + "do 0.3 close\nin 0.31 F. 101 1 0\nin 0.5 . 102 2 0\nin 0.7 . 101 2 0\nuntil 1.2",
    "reset in SYN_RECV": "in 0.0 S 0 0 0\nin 0.2 R 1 0 0\nin 0.4 . 1 1 0\nuntil 1.5",
    "reset off by one in SYN_RECV": "in 0.0 S 0 0 0\nin 0.2 R 2 0 0\nin 0.4 . 1 1 0\nuntil 1.5",
    "no such connection": "in 0.1 . 101 77 0\nin 0.2 R 101 0 0\nin 0.4 S. 0 5 0\nuntil 1",
    "three times the same ACK: fast retransmission":
        OPEN + "do 0.3 send 5000\nin 0.31 . 101 1 0\nin 0.32 . 101 1 0\nin 0.33 . 101 1 0\nin 0.34 . 101 1 0\nin 0.35 . 101 5001 0\nuntil 1",
    "a newer sequence number is a window update, not the same ACK":
        OPEN + "do 0.3 send 5000\nin 0.31 . 101 1 0\nin 0.32 . 101 1 0\nin 0.33 . 101 1 0\nin 0.34 . 101 5001 0\nuntil 1",
}
