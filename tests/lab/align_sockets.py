#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What `idlewall align` knows of sockets, against sockets whose settings are known, and against ss and netstat."""
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time

from lab import SERVER, close_hard, equal, eventually, read, say
from tap import each, main, test

SHOW = os.path.join(os.environ.get("IDLEWALL_BUILD", "build"), "tests", "lab", "align_sockets_show")
NOBODY = 65534
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
SLACK = 1.1  # ss and netstat ran just before or after


def show(lab, *argv, space=None, before=(), **options):
    done = (space or lab.server).run(*before, program(lab), *argv, **options)
    equal(done.stderr, "")
    return json.loads(done.stdout)


def program(lab):
    """Others may not go into the build directory."""
    copy = f"{lab.directory}/align_sockets_show"
    if not os.path.exists(copy):
        shutil.copy(SHOW, copy)
    return copy


def ends(sock):
    """Both names of a socket that is still open: [local, peer]."""
    return [[name[0].removeprefix("::ffff:"), name[1]] for name in (sock.getsockname(), sock.getpeername())]


def find(shown, sock):
    """Of a socket, or of what ends() said of it."""
    here, there = sock if isinstance(sock, list) else ends(sock)
    found = [s for s in shown["sockets"] if (s["local"], s["peer"]) == (here, there)]
    equal(len(found), 1, f"{here} {there} in {shown}")
    return found[0]


def keepalive(sock, idle, interval, count):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, idle)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, interval)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, count)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def figures(seen):
    return (seen["keepalive"], seen["figures"], seen["idle"], seen["interval"], seen["count"], seen["user_timeout"])


def drop(lab, on=True):
    for family in 4, 6:
        lab.firewall.iptables("-A" if on else "-D", "FORWARD", "-j", "DROP", family=family)


@each("live: what was set is what is read, and reading does not disturb:", 4, 6)
def live(lab, family):
    client, server = lab.connect(family=family)
    plain = lab.connect(port=5001, family=family)[1]
    keepalive(server, 61, 7, 11)
    server.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 12345)
    keepalive(client, 32767, 32767, 127)
    with open("/proc/thread-self/comm") as comm:
        name = comm.read().strip()
    for again in range(20):
        shown = show(lab)
        seen = find(shown, server)
        equal(figures(seen), ("on", "read", [61, 61], [7, 7], 11, 12.345))
        equal((seen["state"], seen["uid"], seen["pid"]), ("ESTABLISHED", 0, os.getpid()))
        equal((seen["process"], seen["inode"]), (os.path.basename(name), os.fstat(server.fileno()).st_ino))
        assert 0 < seen["rtt"] < 1, seen
        # What was just said is not acknowledged yet.
        assert (seen["timer"] == "keepalive" and 50 < seen["left"] <= 61) or (again and seen["timer"] == "on"), seen
        say(client, server, b"still")
        say(server, client, b"here")
    equal(figures(find(show(lab), plain))[:2], ("off", "read"))
    seen = find(show(lab, space=lab.client), client)
    equal(figures(seen), ("on", "read", [32767, 32767], [32767, 32767], 127, 0))
    # The owner's last close() is the connection's end, also right after a look.
    server.close()
    equal(read(client), "EOF")


@test("live: who listens is the server, also for both families at once; the other end is the client")
def listened(lab):
    with lab.server:
        listener = lab.keep(socket.create_server(("::", 5002), family=socket.AF_INET6, dualstack_ipv6=True))
    client = lab.client_socket()
    client.connect((SERVER[4], 5002))
    server = lab.keep(listener.accept()[0])
    equal([find(show(lab), server)[key] for key in ("server", "guessed")], [True, False])
    equal(find(show(lab, space=lab.client), client)["server"], False)
    # From text of the listening host; from text that does not say it.
    text = lab.server.run("ss", "-tanoie").stdout
    equal([find(show(lab, "text", input=text), server)[key] for key in ("server", "guessed")], [True, False])
    text = lab.server.run("ss", "-tnoie").stdout
    equal([find(show(lab, "text", input=text), server)[key] for key in ("server", "guessed")], [True, True])
    # Closed since: nobody can say so any more, and it is not guessed.
    listener.close()
    equal(find(show(lab), server)["server"], False)


BE_SYSTEMD = """
import ctypes, sys
ctypes.CDLL(None).prctl(15, b"systemd")  # PR_SET_NAME
print("named", flush=True)
sys.stdin.read()
"""


@test("live: what came through a systemd socket unit")
def systemd(lab):
    listener = lab.listen()
    # The unit's listening socket: systemd keeps it, the service has it, too.
    holder = lab.keep_process(lab.server.popen("/usr/bin/python3", "-c", BE_SYSTEMD, pass_fds=[listener.fileno()],
                                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    equal(holder.stdout.readline(), "named\n")
    client = lab.client_socket()
    client.connect((SERVER[4], 5000))
    server = lab.keep(listener.accept()[0])
    seen = find(show(lab), server)
    equal((seen["systemd"], seen["pid"]), (True, os.getpid()))
    holder.communicate("")
    equal(find(show(lab), server)["systemd"], False)


@test("live, of another user: the timers, not the figures; what is missing is said")
def unprivileged(lab):
    client, server = lab.connect()
    off = lab.connect(port=5001)[1]
    keepalive(server, 61, 7, 11)
    lab.server.sysctl("net.ipv4.tcp_keepalive_time", 900)
    lab.server.sysctl("net.ipv4.tcp_keepalive_intvl", 30)
    lab.server.sysctl("net.ipv4.tcp_keepalive_probes", 5)
    equal(show(lab)["partial"], False)
    shown = show(lab, before=AS_NOBODY)
    equal(shown["partial"], True)
    seen = find(shown, server)
    equal(figures(seen), ("on", "default", [900, 900], [30, 30], 5, 0))
    equal((seen["pid"], seen["process"], seen["uid"]), (0, "", 0))
    equal(figures(find(shown, off))[:2], ("off", "unknown"))
    # What is seen contradicts the defaults.
    lab.server.sysctl("net.ipv4.tcp_keepalive_time", 40)
    seen = find(show(lab, before=AS_NOBODY), server)
    equal((seen["figures"], seen["idle"][1], seen["count"]), ("inferred", None, 0))
    assert 55 <= seen["idle"][0] <= 61, seen


HOLD = """
import socket, sys
end = socket.create_connection((sys.argv[1], 5000))
end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77)
end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
print("connected", flush=True)
sys.stdin.read()
"""


@test("live, of one's own: figures without root")
def own(lab):
    listener = lab.listen()
    child = lab.keep_process(lab.client.popen(*AS_NOBODY, "/usr/bin/python3", "-c", HOLD, SERVER[4],
                                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    equal(child.stdout.readline(), "connected\n")
    server, peer = listener.accept()
    lab.keep(server)
    shown = show(lab, space=lab.client, before=AS_NOBODY)
    seen = [s for s in shown["sockets"] if s["local"] == list(peer)]
    equal([figures(s)[:3] for s in seen], [("on", "read", [77, 77])])
    equal((seen[0]["pid"], seen[0]["uid"], shown["partial"]), (child.pid, NOBODY, False))


def hard_states(lab):
    """One connection in each of the states that last: {state: (local, peer)} of the server's side."""
    pairs = {port: lab.connect(port=port) for port in range(5010, 5016)}
    client, server = pairs[5010]
    client.shutdown(socket.SHUT_WR)  # CLOSE_WAIT
    client, server = pairs[5011]
    server.shutdown(socket.SHUT_WR)  # FIN_WAIT_2, held
    client, server = pairs[5012]
    keepalive(server, 500, 50, 5)
    server.setblocking(False)
    try:
        while True:
            server.send(bytes(65536))  # zero window
    except BlockingIOError:
        pass
    client, server = pairs[5013]
    keepalive(server, 600, 60, 6)
    client, server = pairs[5014]
    orphan = ends(server)
    server.close()  # FIN_WAIT_2, nobody's
    client, server = pairs[5015]
    keepalive(server, 700, 70, 7)
    eventually("the window is shut", lambda: ":5012" in "".join(s.local for s in lab.server.ss() if s.timer and
                                                              s.timer.startswith("persist")), 15)
    drop(lab)
    server.send(b"into the void")  # a retransmission is pending
    return pairs, orphan


@test("live: every state and timer; what hides keepalive from others does not from its owner")
def states(lab):
    pairs, orphan = hard_states(lab)
    for before in (), AS_NOBODY:
        shown = show(lab, before=before)
        seen = {port: find(shown, orphan if port == 5014 else server) for port, (client, server) in pairs.items()}
        known = [figures(seen[port])[:2] for port in sorted(seen)]
        equal([seen[port]["state"] for port in sorted(seen)],
              ["CLOSE_WAIT", "FIN_WAIT_2", "ESTABLISHED", "ESTABLISHED", "FIN_WAIT_2", "ESTABLISHED"])
        equal([seen[port]["timer"] for port in (5010, 5011, 5012, 5013, 5015)],
              ["off", "off", "persist", "keepalive", "on"])
        assert seen[5012]["send_queue"] > 1000 and seen[5015]["send_queue"] == 13, [s["send_queue"] for s in seen.values()]
        if before:
            equal(known, [("off", "unknown"), ("off", "unknown"), ("unknown", "unknown"), ("on", "default"),
                          ("unknown", "unknown"), ("unknown", "unknown")])
        else:
            equal(known, [("off", "read"), ("off", "read"), ("on", "read"), ("on", "read"), ("unknown", "unknown"),
                          ("on", "read")])
    drop(lab, on=False)


def near(a, b, slack=SLACK):
    return a == b or (a is not None and b is not None and abs(a - b) <= slack)


def coarse(left):
    """What print_ms_timer() of ss drops."""
    return 60 if left >= 600 else SLACK + 1 if left >= 10 else SLACK


SAME = "local", "peer", "state", "timer", "retransmits", "probes", "send_queue", "receive_queue", "server"


def compare(text, live, keys, slack=lambda left: SLACK):
    equal(len(text["sockets"]), len(live["sockets"]))
    for there in live["sockets"]:
        here = [s for s in text["sockets"] if (s["local"], s["peer"]) == (there["local"], there["peer"])]
        equal(len(here), 1, there)
        for key in (*SAME, *keys):
            equal(here[0][key], there[key], key)
        assert near(here[0]["left"], there["left"], slack(there["left"])), (here, there)
        if there["figures"] == "read" and here[0]["keepalive"] != "unknown":
            equal(here[0]["keepalive"], there["keepalive"])
            assert here[0]["idle"][0] <= there["idle"][0], (here, there)


def at_rest(lab, *looks):
    """The looks, of a moment in which nothing changed, and time little: with the same looks before and after."""
    for _ in range(40):
        started = time.monotonic()
        before = show(lab)
        texts = [lab.server.run(*look).stdout for look in looks]
        after = show(lab)
        quick = time.monotonic() - started < SLACK - 0.1
        same = [[s[key] for key in SAME] for s in before["sockets"]] == [[s[key] for key in SAME] for s in after["sockets"]]
        if quick and same:
            return before, texts
    raise AssertionError("it never rests")


@test("text of ss and netstat of the same moment says what live sockets say")
def same_moment(lab):
    for port in 5020, 5021:
        client, server = lab.connect(port=port, family=6)
        keepalive(server, 9 + 700 * (port - 5020), 5, 3)
    lab.listen(5030)  # else text guesses who is the server
    pairs, _ = hard_states(lab)
    live, (ss, ss_line, netstat, netstat_user) = at_rest(
        lab, ["ss", "-tanoiep"], ["ss", "-HOtanoiep"], ["netstat", "-Wtanpo"], ["netstat", "-Wtanpoe"])
    for output in ss, ss_line:
        text = show(lab, "text", input=output)
        equal((text["bad"], text["assumed"]), (0, False))
        compare(text, live, ("inode", "uid", "pid", "process"), coarse)
        for here in text["sockets"]:
            there = [s for s in live["sockets"] if (s["local"], s["peer"]) == (here["local"], here["peer"])][0]
            for key in "sent", "received", "rtt":
                assert near(here[key], there[key]), (key, here, there)
    text = show(lab, "text", input=netstat)
    equal(text["bad"], 0)
    compare(text, live, ("pid",))
    compare(show(lab, "text", input=netstat_user), live, ("pid", "inode"))
    # All of it pasted together is read as well; a line of it that is broken is named, and only that.
    broken = [line.replace(SERVER[4], "198.51.100.") for line in ss.splitlines() if SERVER[4] in line][-1]
    together = "\r\n".join(["on db1:", *ss.splitlines(), "and:", *netstat.splitlines(),
                            broken, ""])
    text = show(lab, "text", input=together)
    equal(text["bad"], 3)
    equal(len(text["sockets"]), 2 * len(live["sockets"]))
    for client, server in pairs.values():
        if server.fileno() >= 0:
            close_hard(server)
    drop(lab, on=False)


@test("watched, without rights: countdowns narrow to what was set, and deny the defaults")
def watched(lab):
    quiet = lab.connect()
    busy = lab.connect(port=5001)
    dying = lab.connect(port=5002)
    keepalive(quiet[1], 5, 2, 9)
    keepalive(busy[1], 4, 1, 9)
    keepalive(dying[1], 3, 2, 20)
    lab.firewall.iptables("-A", "FORWARD", "-p", "tcp", "--sport", "5002", "-j", "DROP")
    stop = threading.Event()

    def talk():
        while not stop.wait(0.7):
            say(busy[0], busy[1], b"x")

    talker = threading.Thread(target=talk)
    talker.start()
    try:
        shown = show(lab, "live", "0.25", "48", before=AS_NOBODY)
    finally:
        stop.set()
        talker.join()
    for (client, server), idle, interval in (quiet, 5, 2), (busy, 4, 1), (dying, 3, 2):
        seen = find(shown, server)
        equal((seen["keepalive"], seen["figures"]), ("on", "inferred"))
        assert seen["idle"][0] <= idle <= seen["idle"][1] <= idle + 1.5, (idle, seen)
        assert seen["interval"][0] <= interval <= (seen["interval"][1] or interval), (interval, seen)
    equal(find(shown, quiet[1])["idle"], [5, 5])
    equal(find(shown, dying[1])["interval"], [2, 2])


sys.exit(main())
