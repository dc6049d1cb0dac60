#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The same client, server and silence behind four firewalls at once. Started by tools/demo.

Every word about an outcome comes from a socket, from ss, or from the daemon's table and events.
"""
import concurrent.futures
import json
import os
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests", "lab"))
sys.dont_write_bytecode = True

import gateway  # noqa: E402
from demo_view import Screen, duration  # noqa: E402
from lab import Lab, errno_of, eventually  # noqa: E402
from netns import Run  # noqa: E402

SPEED = 60
KEEPALIVE = 2  # seconds of the socket; times SPEED: two minutes of the story
LANES = (("azure-load-balancer", None), ("azure-load-balancer-tcpreset", None), ("aws-nat-gateway", None),
         ("azure-load-balancer", KEEPALIVE))
KEEPALIVE_INTERVAL = 30  # seconds, of what is recommended
PORT = 5432


class End:
    """One end of a connection: a thread blocked in read(), and what came of it."""

    def __init__(self, space, condition, sock, echo):
        self.space, self.condition, self.sock, self.echo = space, condition, sock, echo
        self.words, self.error, self.error_at = [], None, None
        sock.settimeout(None)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while True:
            try:
                data = self.sock.recv(4096)
                # A delayed ACK of 40 ms would be 2.4 s of the story.
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            except OSError as e:
                self.error, self.error_at = errno_of(e), time.monotonic()
                return
            if not data:
                self.error, self.error_at = "end of file", time.monotonic()
                return
            self.words.append((time.monotonic(), data.decode()))
            if self.echo and data.startswith(b"?"):
                self.write("you said " + data.decode()[1:])

    def write(self, word):
        """None, or the error that write() gave."""
        try:
            self.sock.sendall(word.encode())
            return None
        except OSError as e:
            return errno_of(e)

    def heard(self, since):
        return [w for w in self.words if w[0] >= since]

    def ss(self):
        """(state or "no socket", times that something was sent again)."""
        socks = self.space.ss(*self.condition)
        if not socks:
            return "no socket", 0
        timer = (socks[0].timer or "").split(",")
        return socks[0].state, int(timer[2]) if timer[0] == "on" else 0


class Lane:
    """One firewall, with a client and a server of its own."""

    def __init__(self, run, profile, keepalive):
        self.keepalive = keepalive
        self.name = profile + (f" + keepalive" if keepalive else "")
        self.lab = Lab(run)
        # 5432 is where servers listen: a late packet from there is the server's, on whichever side it stands.
        self.gateway = self.lab.gateway(f"server-ports {PORT}\ndefault use {profile}\n", speed=SPEED)
        self.flow, self.limit, self.refills, self.born, self.heard_at = None, None, 0, None, 0
        self.expired, self.late = None, []
        self.asked_at = self.ask_error = self.told_at = self.tell_error = None
        self.listening = self.gateway.tool_start("events", "-o", "json")
        threading.Thread(target=self.read_events, daemon=True).start()
        eventually("idlewall events listens", lambda: self.gateway.status()["clients"] >= 2)

    def read_events(self):
        for line in self.listening.stdout:
            event = json.loads(line)
            if event.get("kind") == "new":
                self.born = event["t_s"]
            elif event.get("kind") == "expired":
                self.expired = event
            elif event.get("kind") == "late":
                self.late.append(event)

    def hello(self):
        client, server = self.lab.connect(PORT, hello=False)
        if self.keepalive:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, self.keepalive)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
        self.server = End(self.lab.server, ("sport", "=", f":{PORT}"), server, echo=True)
        self.client = End(self.lab.client, ("dport", "=", f":{PORT}"), client, echo=False)
        started = time.monotonic()
        self.client.write("?hello")
        while not self.client.words:
            if time.monotonic() > started + 3 or self.client.error:
                raise RuntimeError(f"no hello through {self.name}: {self.client.error}")
            time.sleep(0.001)
        self.start = self.client.words[0][0]
        self.round_trip = self.start - started

    def look(self):
        """Asks the daemon's table."""
        found = self.gateway.flows(f"tcp port {PORT}")
        self.flow = found[0] if found else None
        if not self.flow:
            return
        self.limit = self.flow["timeout_s"]
        heard_at = self.flow["age_s"] - self.flow["idle_s"]  # the last packet, in the flow's own time
        if heard_at > self.heard_at + SPEED / 2:
            self.refills += 1
        self.heard_at = heard_at

    def forgotten_after(self):
        """Idle time at which the firewall forgot the flow, by its own event."""
        return self.expired["t_s"] - self.born - self.heard_at

    def story(self, moment):
        return (moment - self.start) * SPEED

    def ask(self):
        self.asked_at = time.monotonic()
        self.ask_error = self.client.write("?are you there")

    def tell(self):
        self.told_at = time.monotonic()
        self.tell_error = self.server.write("news from the server")

    def end(self):
        self.listening.terminate()
        self.gateway.stop()
        self.lab.close()


def countdown(screen, lane):
    """A line of the table while everybody is silent."""
    if lane.flow:
        refilled = f" refilled {lane.refills}x" if lane.refills else ""
        return (screen.name(lane.name) + screen.bar(lane.flow["remaining_s"] / lane.limit) +
                f" {duration(lane.flow['remaining_s']):>11}" + screen.good(refilled))
    if not lane.expired:
        return screen.name(lane.name) + screen.dim("gone from the table")
    gone = f"gone after {duration(lane.forgotten_after())}; "
    client, server = lane.client, lane.server
    if client.error and client.error == server.error:
        return screen.name(lane.name) + screen.bad(f"{gone}both read() {client.error}")
    if client.error or server.error:
        return screen.name(lane.name) + screen.bad(f"{gone}read() {client.error or 'waits'} / {server.error or 'waits'}")
    if lane.states == ("ESTAB", "ESTAB"):
        return screen.name(lane.name) + screen.warn(gone) + "ss: both still ESTAB"
    return screen.name(lane.name) + screen.warn(gone) + "ss: " + " / ".join(lane.states)


def silence(screen, lanes):
    """Until every firewall has forgotten, but where a keepalive keeps the entry."""
    start, quiet_since = time.monotonic(), None
    with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
        while True:
            list(pool.map(Lane.look, lanes))
            for lane in lanes:
                if lane.expired and not lane.flow:
                    lane.states = (lane.client.ss()[0], lane.server.ss()[0])
            now = time.monotonic()
            past = now - lanes[0].start
            screen.draw([screen.title(f"{duration(past * SPEED)} of silence ({past:.0f} s here)",
                                      "forgotten in (idlewall list)")] + [countdown(screen, lane) for lane in lanes])
            if quiet_since is None and all(lane.expired or lane.refills for lane in lanes):
                quiet_since = now
            if quiet_since and now > quiet_since + 0.6:
                break
            if now > start + 15:
                raise RuntimeError("some firewall did not forget: " + ", ".join(l.name for l in lanes if l.flow))
            time.sleep(0.05)
    screen.keep()


def answer(screen, end, other, since, error):
    """What came of a write at `end` at the moment `since`."""
    heard = end.heard(since) if not end.echo else other.heard(since)
    if error or end.error:
        if end.error and end.error_at < since:
            return screen.bad(f"{error}: reset {duration((since - end.error_at) * SPEED)} ago")
        when = f" after {(end.error_at - since) * 1000:.1f} ms" if end.error else ""
        return screen.bad(f"{end.error or error}{when}") + f", {'server' if other.echo else 'client'} {other.ss()[0]}"
    if heard:
        return screen.good(f"{'answered' if not end.echo else 'arrived'} in {(heard[0][0] - since) * 1000:.1f} ms")
    state, again = end.ss()
    return screen.warn(f"no answer, sent {again + 1} times by now") + f", {state}"


def watch(screen, lanes, title, row, seconds):
    end = time.monotonic() + seconds
    while True:
        screen.draw([screen.title(title, "")] + [screen.name(lane.name) + row(lane) for lane in lanes], moves=False)
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    screen.keep()


def late_words(lane):
    """What the firewall says of the packets that came too late."""
    event = next((e for e in lane.late if e["remembered"]), None)
    if not event:
        return None
    acts = [{e["action"] for e in lane.late if e["side"] == side} for side in ("client", "server")]
    return f"{duration(event['late_by_s'])} late: " + " / ".join(" and ".join(sorted(a)) or "nothing came" for a in acts)


def everybody_writes(screen, lanes):
    at = duration((time.monotonic() - lanes[0].start) * SPEED)
    for lane in lanes:
        lane.ask()
    watch(screen, lanes, f"after {at} every client writes a line",
          lambda lane: answer(screen, lane.client, lane.server, lane.asked_at, lane.ask_error), 6.6)
    for lane in lanes:
        lane.tell()
    watch(screen, lanes, "then every server writes a line",
          lambda lane: answer(screen, lane.server, lane.client, lane.told_at, lane.tell_error), 2)
    rows = [(lane, late_words(lane)) for lane in lanes]
    if any(words for _, words in rows):
        screen.line(screen.title("idlewall events", "what they did to the client's / the server's packets"))
        for lane, words in rows:
            screen.line(screen.name(lane.name) + (words or screen.dim("none was late")))
        screen.line()


def keepalive_below(limit):
    """Keepalives come up to an eighth late, and one of them may get lost: (idle + interval) * 9/8 < limit."""
    return int((limit - 1) * 8 / 9 - KEEPALIVE_INTERVAL) // 30 * 30


def advice(lane):
    if lane.flow and lane.refills:
        return f"nothing: {duration(lane.keepalive * SPEED)} is below {duration(lane.limit)}"
    return f"keepalive every {duration(keepalive_below(lane.limit))}"


def conclusion(lane):
    """(the client saw, the server believes, when, what would fix it)."""
    client, server = lane.client, lane.server
    state, again = server.ss()
    believes = {"ESTAB": "connected", "no socket": "gone"}.get(state, state)
    if server.error:
        believes = f"gone ({server.error})"
    elif again:
        believes += f", sent {again + 1}x in vain"
    answers = client.heard(lane.asked_at)
    if client.error:
        saw = f"{client.error} in {'read()' if client.error_at < lane.asked_at else 'answer to its write'}"
        when = f"at {duration(lane.story(client.error_at))}"
    elif answers:
        saw, when = "the answer", f"at {duration(lane.story(answers[0][0]))}"
    else:
        saw, when = f"silence, {client.ss()[1]} retries", "still waiting"
    return saw, believes, when, advice(lane)


def tell(run, screen):
    screen.line(screen.strong("The same client, the same server, the same silence. Only the firewall differs."))
    screen.note(f"Real sockets and packets in {3 * len(LANES)} network namespaces; the firewalls' time runs {SPEED} times as fast.")
    screen.line()
    with concurrent.futures.ThreadPoolExecutor(len(LANES)) as pool:
        lanes = list(pool.map(lambda lane: Lane(run, *lane), LANES))
        list(pool.map(Lane.hello, lanes))
        list(pool.map(Lane.look, lanes))
    screen.line(screen.title("0 s: everybody says hello", ""))
    for lane in lanes:
        screen.line(screen.name(lane.name) + screen.good("hello, answered") +
                    f" in {lane.round_trip * 1000:.1f} ms; limit {duration(lane.limit)}" +
                    (f", keepalive {duration(lane.keepalive * SPEED)}" if lane.keepalive else ""))
    screen.line()
    silence(screen, lanes)
    everybody_writes(screen, lanes)
    screen.table(("firewall", "the client saw", "the server believes", "when", "what would fix it"),
                 [(lane.name, *conclusion(lane)) for lane in lanes])
    screen.line()
    idle = min(keepalive_below(lane.limit) for lane in lanes)
    screen.note(f"Keepalive on Linux: SO_KEEPALIVE, TCP_KEEPIDLE {idle}, TCP_KEEPINTVL {KEEPALIVE_INTERVAL}. One may come an "
                "eighth late, one may get lost: both are counted in. Retransmissions are the kernel's own and do not run "
                "faster.")
    for lane in lanes:
        lane.end()


def could_not(why):
    print(f"demo: {why.rstrip()}", file=sys.stderr)
    sys.exit(3)


def enter_user_namespace():
    """Without root, a user namespace in which we are root. Returns in there, or explains."""
    if os.geteuid() == 0:
        if "--inner" in sys.argv:
            # `ip netns` keeps its names in /run, iptables its lock.
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        return
    test = ["unshare", "--user", "--map-root-user", "--net", "--mount"]
    if subprocess.run([*test, "true"], capture_output=True).returncode != 0:
        could_not("this needs root, or unprivileged user namespaces, which this machine does not allow\n"
                  "      (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone,\n"
                  "      kernel.apparmor_restrict_unprivileged_userns). Try: sudo tools/demo")
    os.execvp("unshare", [*test, sys.executable, os.path.abspath(__file__), "--inner"])


def check_kernel(run):
    try:
        space = run.namespace("probe")
    except (subprocess.CalledProcessError, OSError):
        could_not("cannot make network namespaces here (a container without CAP_SYS_ADMIN?).\n"
                  "      Needed: CONFIG_NET_NS and veth, and root or unprivileged user namespaces.")
    tried = space.run("iptables", "-t", "mangle", "-A", "FORWARD", "-j", "NFQUEUE", "--queue-num", "1", check=False)
    if tried.returncode != 0:
        could_not("this kernel cannot queue packets to programs (NFQUEUE).\n"
                  "      Needed: CONFIG_NETFILTER_NETLINK_QUEUE and CONFIG_NETFILTER_XT_TARGET_NFQUEUE\n"
                  f"      (as modules: modprobe xt_NFQUEUE nfnetlink_queue). iptables said:\n{tried.stderr}")
    space.delete()


def main():
    enter_user_namespace()
    screen = Screen()
    started = time.monotonic()

    def stopped(run):
        screen.stop()
        screen.line(f"\nStopped. Namespaces left: {len(run.left())}")

    run = Run("demo", interrupted=stopped)
    try:
        check_kernel(run)
        tell(run, screen)
    except Exception as e:
        screen.stop()
        run.cleanup()
        could_not(str(e))
    run.cleanup()
    screen.line(f"{time.monotonic() - started:.0f} s, namespaces left: {len(run.left())}")
    tool = os.path.relpath(gateway.TOOL)
    screen.line(f"Next: {screen.strong(f'{tool} lab --profile aws-nat-gateway --speed 60 --shell')}")


if __name__ == "__main__":
    main()
