# SPDX-License-Identifier: GPL-2.0-or-later
"""Six servers in the server's namespace as their packages configure them, real clients of them, and what
`idlewall align` printed written into their files."""
import concurrent.futures
import errno
import glob
import os
import re
import select
import shutil
import subprocess
import time

from lab import SERVER, eventually

SERVER = SERVER[4]
PG = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1:]


class Session:
    """A client program; question has a %s in it that comes back in the answer."""

    def __init__(self, lab, argv, question, hello=None, greeting=None):
        self.question, self.words = question, 0
        self.process = lab.keep_process(lab.client.popen(*argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                                         stderr=subprocess.STDOUT, env=dict(os.environ, LC_ALL="C")))
        if hello:
            self.say(hello, greeting)
        else:
            self.exchange()

    def say(self, text, until, seconds=30):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()
        end, got = time.monotonic() + seconds, ""
        while until not in got:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 65536).decode(errors="replace") if ready else ""
            assert piece, f"{self.process.args}: no {until!r} but {got!r}"
            got += piece

    def exchange(self):
        self.words += 1
        word = f"answer{self.words}"
        self.say(self.question.replace("%s", word), word)

    def writes(self, seconds):
        """Does the client end when it writes once more?"""
        self.process.stdin.write((self.question % "late").encode())
        self.process.stdin.flush()
        try:
            return self.process.wait(seconds) is not None
        except subprocess.TimeoutExpired:
            return False


def lines_of(told, kind):
    return [line[kind] for line in told if kind in line]


def append(path, lines):
    with open(path, "a") as to:
        to.write("".join(line + "\n" for line in lines))


class Postgresql:
    port = 5432
    settings = "conf.d/keepalive.conf"  # below the version's directory

    def __init__(self, lab):
        self.lab, self.data = lab, f"{lab.directory}/pg"
        as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        os.mkdir(self.data, 0o700)
        shutil.chown(self.data, "postgres", "postgres")
        subprocess.run([*as_postgres, f"{PG[0]}/initdb", "--no-sync", "-A", "trust", "-D", self.data], check=True,
                       stdout=subprocess.DEVNULL, cwd="/")
        os.makedirs(f"{self.data}/conf.d", 0o755)
        append(f"{self.data}/pg_hba.conf", ["host all all 0.0.0.0/0 trust"])
        append(f"{self.data}/postgresql.conf", ["include_dir 'conf.d'"])
        self.argv = [*as_postgres, f"{PG[0]}/postgres", "-D", self.data, "-h", SERVER, "-p", str(self.port),
                     "-c", f"unix_socket_directories={self.data}", "-c", "fsync=off"]

    def set(self, told):
        assert lines_of(told, "file")[0].startswith("/etc/postgresql/VERSION/main/" + self.settings), told
        append(f"{self.data}/{self.settings}", lines_of(told, "set"))

    def connect(self, keepalive):
        where = f"host={SERVER} port={self.port} user=postgres"
        if keepalive:
            names = ("idle", "interval", "count")  # of the server's end, for this session
            where += f" options='{' '.join(f'-c tcp_keepalives_{n}={v}' for n, v in zip(names, keepalive))}'"
        return Session(self.lab, ["psql", "-X", "-A", "-t", "-q", where], "select '%s';\n")


class Sshd:
    port = 22

    def __init__(self, lab):
        self.lab, self.where = lab, lab.directory
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{self.where}/{key}"], check=True)
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # sshd wants it, the package's service makes it
        os.mkdir(f"{self.where}/sshd_config.d")
        append(f"{self.where}/sshd_config", [
            f"Include {self.where}/sshd_config.d/*.conf", f"ListenAddress {SERVER}", f"HostKey {self.where}/host",
            "PidFile none", f"AuthorizedKeysFile {self.where}/user.pub", "StrictModes no", "UsePAM no"])
        self.argv = ["/usr/sbin/sshd", "-D", "-e", "-f", f"{self.where}/sshd_config"]

    def set(self, told):
        path = lines_of(told, "file")[0]
        assert os.path.dirname(path) == "/etc/ssh/sshd_config.d", told
        append(f"{self.where}/sshd_config.d/{os.path.basename(path)}", lines_of(told, "set"))

    def connect(self, keepalive):
        return Session(self.lab, ["ssh", "-F", "none", "-i", f"{self.where}/user", "-o", "BatchMode=yes",
                                  "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.where}/known",
                                  f"root@{SERVER}", "cat"], "%s\n")


class Redis:
    port = 6379

    def __init__(self, lab):
        self.lab, self.conf = lab, f"{lab.directory}/redis.conf"
        with open("/etc/redis/redis.conf") as shipped:  # Debian's own, but for where it is
            text = re.sub(r"^(bind|port|daemonize|pidfile|logfile|dir|supervised|save) .*$", "", shipped.read(), flags=re.M)
        append(self.conf, [text, f"bind {SERVER}", f"port {self.port}", "daemonize no", 'logfile ""',
                           f"dir {lab.directory}", 'save ""', "protected-mode no"])
        self.argv = ["redis-server", self.conf]

    def set(self, told):
        assert lines_of(told, "file") == ["/etc/redis/redis.conf"], told
        append(self.conf, lines_of(told, "set"))  # the last one counts

    def connect(self, keepalive):
        return Session(self.lab, ["redis-cli", "-h", SERVER], "echo %s\n")


class Dovecot:
    """Whoever waits in IDLE gets a line every two minutes, the first within them, at a time that hangs on name and
    address: only where that is wanted."""
    port = 993
    waits = False

    def __init__(self, lab):
        self.lab, self.where = lab, f"{lab.directory}/dovecot"
        os.mkdir(self.where, 0o711)
        os.mkdir(f"{self.where}/conf.d")
        os.mkdir(f"{self.where}/mail")
        shutil.chown(f"{self.where}/mail", "mail")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lab", "-days", "2",
                        "-keyout", f"{self.where}/key", "-out", f"{self.where}/cert"], check=True,
                       stderr=subprocess.DEVNULL)
        append(f"{self.where}/dovecot.conf", [
            f"base_dir = {self.where}/run", "log_path = /dev/stderr", "protocols = imap", f"listen = {SERVER}",
            "ssl = required", f"ssl_cert = <{self.where}/cert", f"ssl_key = <{self.where}/key",
            f"mail_location = maildir:{self.where}/mail/%u", "first_valid_uid = 1",
            "passdb {", "  driver = static", "  args = password=lab", "}",
            "userdb {", "  driver = static", f"  args = uid=mail gid=mail home={self.where}/mail/%u", "}",
            "service imap-login {", "  inet_listener imap {", "    port = 0", "  }", "}",
            f"!include {self.where}/conf.d/*.conf"])
        append(f"{self.where}/conf.d/10-none.conf", [])
        self.argv = ["/usr/sbin/dovecot", "-F", "-c", f"{self.where}/dovecot.conf"]

    def set(self, told):
        path = lines_of(told, "file")[0]
        assert os.path.dirname(path) == "/etc/dovecot/conf.d", told
        append(f"{self.where}/conf.d/{os.path.basename(path)}", lines_of(told, "set"))

    def connect(self, keepalive):
        argv = ["openssl", "s_client", "-quiet", "-no_ign_eof", "-connect", f"{SERVER}:{self.port}"]
        login = "a LOGIN lab lab\r\nb SELECT INBOX\r\n"
        if self.waits:
            return Session(self.lab, argv, "DONE\r\n%s NOOP\r\nd IDLE\r\n", login + "c IDLE\r\n", "+ idling")
        return Session(self.lab, argv, "%s NOOP\r\n", login, "b OK")


class Nginx:
    port = 80

    def __init__(self, lab):
        self.lab, self.conf = lab, f"{lab.directory}/nginx.conf"
        temporary = "".join(f"{kind}_temp_path {lab.directory}/nginx-{kind};\n"
                            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        append(self.conf, [
            "daemon off;", "worker_processes 1;", f"pid {lab.directory}/nginx.pid;", "error_log stderr;", "events { }",
            "http {", "access_log off;", temporary, "server {", f"listen {SERVER}:{self.port};",
            'location / { return 200 "$uri\\n"; }', "}", "}"])
        self.argv = ["/usr/sbin/nginx", "-c", self.conf]

    def set(self, told):
        assert lines_of(told, "file")[0].startswith("the listen directives under /etc/nginx"), told
        line = lines_of(told, "set")[0].replace("PORT", f"{SERVER}:{self.port}")
        with open(self.conf) as before:
            text, n = re.subn(r"^listen .*;$", line, before.read(), flags=re.M)
        assert n == 1 and line.startswith("listen "), line
        with open(self.conf, "w") as to:
            to.write(text)

    def connect(self, keepalive):
        return Session(self.lab, ["nc", SERVER, str(self.port)], "GET /%s HTTP/1.1\r\nHost: lab\r\n\r\n")


class Haproxy:
    port = 8080

    def __init__(self, lab):
        self.lab, self.conf = lab, f"{lab.directory}/haproxy.cfg"
        self.defaults = ["defaults", "mode http", "timeout connect 5000", "timeout client 50000", "timeout server 50000"]
        self.write([])  # times as Debian ships them

    def write(self, more):
        with open(self.conf, "w"):
            pass
        append(self.conf, self.defaults + more + [
            "frontend lab", f"bind {SERVER}:{self.port}",
            "http-request return status 200 content-type text/plain lf-string %[path]"])
        self.argv = ["haproxy", "-W", "-f", self.conf]

    def set(self, told):
        assert lines_of(told, "file")[0].startswith("/etc/haproxy/haproxy.cfg, in defaults"), told
        self.write(lines_of(told, "set"))

    def connect(self, keepalive):
        return Session(self.lab, ["nc", SERVER, str(self.port)], "GET /%s HTTP/1.1\r\nHost: lab\r\n\r\n")


SOFTWARE = {"postgresql": Postgresql, "sshd": Sshd, "redis": Redis, "dovecot": Dovecot, "nginx": Nginx,
            "haproxy": Haproxy}


class Host:
    """The server, with all of them on it."""

    def __init__(self, lab):
        self.lab = lab
        self.software = {name: kind(lab) for name, kind in SOFTWARE.items()}
        self.processes, self.sessions = [], []

    def start(self):
        self.processes = []
        for name, it in self.software.items():
            with open(f"{self.lab.directory}/{name}.log", "ab") as log:
                self.processes.append(self.lab.keep_process(self.lab.server.popen(
                    *it.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/")))
        for name, it, process in zip(self.software, self.software.values(), self.processes):
            eventually(f"{name} listens on {it.port}", lambda: self.listens(name, it, process), 60)

    def listens(self, name, it, process):
        if process.poll() is not None:
            with open(f"{self.lab.directory}/{name}.log", errors="replace") as lines:
                raise AssertionError(f"{name} ended with {process.returncode}: {lines.read()[-1500:]}")
        return self.lab.server.run("ss", "-Hltn", "sport", "=", f":{it.port}").stdout

    def stop(self):
        """All that runs there; the clients lose their sessions and end."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:  # PostgreSQL waits for its sessions
                pass
        for session in self.sessions:
            session.process.kill()
        for process in self.processes:
            process.wait(20)
        eventually("the server's ports are free", lambda: not self.lab.server.run("ss", "-Hltn").stdout, 20)

    def connect(self, keepalive=None):
        """A session of each; keepalive (idle, interval, count) is for PostgreSQL, where a session may set it."""
        with concurrent.futures.ThreadPoolExecutor(len(self.software)) as pool:
            made = list(pool.map(lambda it: it.connect(keepalive), self.software.values()))
        self.sessions += made
        return made

    def set(self, name, told):
        """Writes the lines of advice into the file that it names."""
        self.software[name].set(told)

    def postgresql_said(self, sight):
        """It logs what its socket told it; the others say nothing of it."""
        word = os.strerror(getattr(errno, sight))
        with open(f"{self.lab.directory}/postgresql.log", errors="replace") as lines:
            text = lines.read()
        assert word in text, f"it did not say {word!r}: {text[-2000:]}"
