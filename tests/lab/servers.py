# SPDX-License-Identifier: GPL-2.0-or-later
"""The unmodified servers and clients that people leave idle: OpenSSH, PostgreSQL, Redis."""
import glob
import os
import select
import shutil
import subprocess
import threading
import time

SERVER = "198.51.100.2"
initdb_lock = threading.Lock()


class Session:
    """A client program that answers a line with a line; its output, errors too, comes back as text."""

    def __init__(self, lab, argv, question, env=None):
        self.question = question
        self.words = 0
        self.text = ""
        self.process = lab.keep_process(lab.client.popen(
            *argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(os.environ, LC_ALL="C", **(env or {}))))

    def ask(self):
        """Sends the next question; returns the word that its answer will hold."""
        self.words += 1
        word = f"answer{self.words}"
        self.process.stdin.write((self.question % word).encode() + b"\n")
        self.process.stdin.flush()
        return word

    def read(self, seconds, until=None):
        """What the session prints in that time, or until the text has a word in it, or ends."""
        end, got = time.monotonic() + seconds, ""
        while until is None or until not in got:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            if not ready:
                break
            piece = os.read(self.process.stdout.fileno(), 65536).decode(errors="replace")
            if not piece:
                break
            got += piece
        self.text += got
        return got

    def exchange(self, seconds=20):
        word = self.ask()
        got = self.read(seconds, word)
        assert word in got, f"no {word} but {got!r}"

    def ended(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None


def ssh(lab, keepalive=None):
    where = lab.directory
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{where}/{key}"], check=True)
    shutil.copy(f"{where}/user.pub", f"{where}/authorized")
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # sshd wants it, the package's service makes it
    with open(f"{where}/sshd_config", "w") as to:
        to.write(f"ListenAddress {SERVER}\nPort 2222\nHostKey {where}/host\nPidFile none\n"
                 f"AuthorizedKeysFile {where}/authorized\nStrictModes no\nUsePAM no\n"
                 "PermitRootLogin prohibit-password\n")
    if keepalive:
        # sshd has TCPKeepAlive on, with the system's times. Its own ClientAliveInterval 5 would not do: OpenSSH 9.2
        # was seen to let 10 s pass before the second message.
        lab.server.sysctl("net.ipv4.tcp_keepalive_time", keepalive)
        lab.server.sysctl("net.ipv4.tcp_keepalive_intvl", 2)
    lab.start_server(["/usr/sbin/sshd", "-D", "-e", "-f", f"{where}/sshd_config"], 2222)
    return Session(lab, ["ssh", "-F", "none", "-p", "2222", "-i", f"{where}/user", "-o", "BatchMode=yes",
                         "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={where}/known",
                         f"root@{SERVER}", "cat"], "%s")


def psql(lab, keepalive=None):
    programs = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
    as_postgres = ["runuser", "-u", "postgres", "--"]
    template, data = lab.shared("pgdata"), f"{lab.directory}/pg"
    with initdb_lock:
        if not os.path.exists(template):
            os.mkdir(template, 0o700)
            shutil.chown(template, "postgres", "postgres")
            subprocess.run([*as_postgres, f"{programs}/initdb", "--no-sync", "-A", "trust", "-D", template],
                           check=True, stdout=subprocess.DEVNULL, cwd="/")
    subprocess.run(["cp", "-a", template, data], check=True)
    settings = ["-c", f"unix_socket_directories={data}", "-c", "fsync=off", "-c", "autovacuum=off"]
    with open(f"{data}/pg_hba.conf", "w") as to:
        to.write("host all all 0.0.0.0/0 trust\n")
    if keepalive:
        settings += ["-c", f"tcp_keepalives_idle={keepalive}", "-c", "tcp_keepalives_interval=2"]
    lab.start_server([*as_postgres, f"{programs}/postgres", "-D", data, "-h", SERVER, "-p", "5433", *settings],
                     5433, seconds=40)
    return Session(lab, ["psql", "-X", "-A", "-t", "-q", "-h", SERVER, "-p", "5433", "-U", "postgres"],
                   "select '%s';")


def redis(lab, keepalive=None):
    argv = ["redis-server", "--bind", SERVER, "--port", "6380", "--save", "", "--dir", lab.directory,
            "--protected-mode", "no"]
    if keepalive:
        argv += ["--tcp-keepalive", str(keepalive)]
    lab.start_server(argv, 6380)
    return Session(lab, ["redis-cli", "-h", SERVER, "-p", "6380"], "echo %s")


SOFTWARE = {"ssh": (ssh, 2222), "psql": (psql, 5433), "redis-cli": (redis, 6380)}
