# SPDX-License-Identifier: GPL-2.0-or-later
"""An idlewalld in a namespace, and what one can ask it: by the idlewall command, and by its socket."""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("IDLEWALL_BUILD", os.path.join(ROOT, "build"))
DAEMON = os.path.join(BUILD, "middlebox/live/idlewalld")
TOOL = os.path.join(BUILD, "tools/idlewall")
SANITIZER = re.compile(r"AddressSanitizer|LeakSanitizer|runtime error:|Assertion .* failed")


class Answer:
    """What the control socket answered: status, data, messages; status None when it broke off."""

    def __init__(self):
        self.status, self.data, self.messages = None, b"", []

    def objects(self):
        return [json.loads(line) for line in self.data.splitlines() if line]


class Gateway:
    """idlewalld with a policy text, or options={"profile": NAME}; extra are further arguments."""

    def __init__(self, space, directory, policy=None, profile=None, speed=1, extra=(), name="gw"):
        self.space = space
        self.policy_path = os.path.join(directory, name + ".policy")
        self.control = os.path.join(directory, name + ".control")
        self.log_path = os.path.join(directory, name + ".log")
        argv = [DAEMON, "--control", self.control]
        if profile:
            argv += ["--profile", profile]
        else:
            self.write_policy(policy)
            argv += ["--policy", self.policy_path]
        if speed != 1:
            argv += ["--speed", str(speed)]
        # ASan keeps freed memory aside; the tests look for growth.
        env = dict(os.environ, UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1",
                   ASAN_OPTIONS="quarantine_size_mb=0:thread_local_quarantine_size_kb=0")
        self.log_start = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        with open(self.log_path, "ab") as log:
            self.process = space.popen(*argv, *extra, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
        self.argv = argv + list(extra)

    def write_policy(self, text):
        if "adopt-at-start" not in text:
            text = "adopt-at-start none\n" + text  # or the first minutes would take in every late packet
        with open(self.policy_path + ".new", "w") as to:
            to.write(text)
        os.rename(self.policy_path + ".new", self.policy_path)

    def wait_ready(self, seconds=20):
        end = time.monotonic() + seconds
        while not re.search(r"^idlewalld: ready", self.log(), re.M):
            if self.process.poll() is not None:
                raise AssertionError(f"idlewalld ended with {self.process.returncode} before it was ready")
            if time.monotonic() > end:
                raise AssertionError("idlewalld did not become ready")
            time.sleep(0.01)
        return self

    def log(self):
        with open(self.log_path, errors="replace") as lines:
            lines.seek(self.log_start)
            return lines.read()

    def tool(self, command, *argv, check=True, **options):
        """`idlewall COMMAND ...` on this daemon."""
        done = subprocess.run([TOOL, command, "--control", self.control, *argv], capture_output=True, text=True,
                              timeout=60, **options)
        if SANITIZER.search(done.stderr):
            raise AssertionError(f"idlewall {command}: {done.stderr}")
        if check and done.returncode != 0:
            raise AssertionError(f"idlewall {command} {argv}: status {done.returncode}\n{done.stderr}{done.stdout}")
        return done

    def tool_start(self, command, *argv):
        return subprocess.Popen([TOOL, command, "--control", self.control, *argv], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def flows(self, *argv):
        return [json.loads(line) for line in self.tool("list", "-o", "json", *argv).stdout.splitlines()]

    def flow(self, *argv):
        found = self.flows(*argv)
        assert len(found) == 1, f"one flow expected: {found}"
        return found[0]

    def status(self):
        return json.loads(self.tool("status", "-o", "json").stdout)

    def ask(self, request, seconds=10):
        """A request straight to the control socket, without the cost of a new process."""
        answer = Answer()
        with self.open_control(seconds) as sock:
            sock.send(request if isinstance(request, bytes) else json.dumps(request).encode())
            while answer.status is None:
                message = sock.recv(1 << 20)
                if not message:
                    break
                if message[:1] == b"D":
                    answer.data += message[1:]
                elif message[:1] == b"M":
                    answer.messages.append(message[1:].decode())
                else:
                    answer.status = message[1]
        return answer

    def open_control(self, seconds=10):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.settimeout(seconds)
        try:
            sock.connect(self.control)
        except OSError:
            sock.close()
            raise
        return sock

    def rules(self):
        """Whatever the daemon put into the packet filter of its namespace."""
        text = ""
        for command in (["iptables-save"], ["ip6tables-save"], ["nft", "list", "ruleset"]):
            if shutil.which(command[0]):  # the demo does without nft
                text += self.space.run(*command).stdout
        return [line for line in text.splitlines() if re.search(r"idlewall[_:]\d|NFQUEUE|\bqueue\b", line)]

    def processes(self):
        """The daemon's processes: the parent first, then its worker."""
        found = [self.process.pid]
        for pid in found:
            with open(f"/proc/{pid}/task/{pid}/children") as children:
                found += [int(p) for p in children.read().split()]
        return found

    def reload(self):
        return self.tool("reload", check=False)

    def stop(self, number=signal.SIGTERM):
        """Ends it as an operator would; it must end cleanly and leave no rules."""
        if self.process.returncode is None:
            self.process.send_signal(number)
            status = self.process.wait(20)
            assert status == 0, f"idlewalld ended with {status}"
            assert not self.rules(), f"rules left: {self.rules()}"
            assert not os.path.exists(self.control), "the control socket is left"
        assert not SANITIZER.search(self.log()), "a sanitizer complained"

    def destroy(self):
        if self.process.returncode is None:
            for pid in reversed(self.processes()):
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait(20)
