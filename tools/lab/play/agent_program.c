/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An agent that is a real program: it is started, told lines, and ended; what it sees it keeps for
 * itself, but for its connection and its end. */
#include "tools/lab/play/agent_process.h"

#include "tools/lab/programs/program.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_WITHIN (60 * MTIME_SEC) /* of wall time: initdb takes its time */
#define CONNECTED_WITHIN (30 * MTIME_SEC)
#define PROGRAMS 64
#define LINE 1024
enum { TCP_SHOWN_ESTABLISHED = 1, TCP_SHOWN_LISTEN = 10 }; /* include/net/tcp_states.h */

struct running {
    pid_t pid; /* 0: has ended */
    int ended; /* a pidfd; -1 */
    int input; /* its standard input; -1 */
    uint16_t client_port;
    mtime_t connect_at; /* MTIME_NEVER: is connected */
    mtime_t give_up_at;
};

struct runner {
    int control;
    const struct agent_spec *spec;
    struct running running[PROGRAMS];
    size_t n;
    char line[LINE]; /* what a client is told for `send` */
};

static void set_number(const char *name, long long value)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", value);
    setenv(name, text, 1);
}

static void set_environment(const struct agent_spec *spec)
{
    static const char *const words[] = {[SOFTWARE_KEEPALIVE_UNSET] = "unset",
                                        [SOFTWARE_KEEPALIVE_OFF] = "off",
                                        [SOFTWARE_KEEPALIVE_ON] = "on"};
    const struct scenario_host *host = spec->host;
    mtime_t second = MTIME_SEC * (mtime_t)spec->speed;

    setenv("LC_ALL", "C", 1);
    setenv("LAB_DIR", spec->directory, 1);
    setenv("LAB_SERVER", spec->server, 1);
    set_number("LAB_PORT", spec->port);
    /* A client that asks for nothing has none, whatever its library would do. */
    setenv("LAB_KEEPALIVE",
           words[spec->side == FLOW_CLIENT && host->keepalive == SOFTWARE_KEEPALIVE_UNSET
                     ? SOFTWARE_KEEPALIVE_OFF
                     : host->keepalive],
           1);
    set_number("LAB_IDLE", host->times.idle / second);
    set_number("LAB_INTERVAL", host->times.interval / second);
    set_number("LAB_COUNT", host->times.count);
    set_number("LAB_USER_TIMEOUT_MS", host->user_timeout / MTIME_MSEC / (mtime_t)spec->speed);
    if (host->behaviour.heartbeat > 0)
        set_number("LAB_HEARTBEAT", host->behaviour.heartbeat / second);
}

/* As a systemd socket unit does it (sd_listen_fds(3)); accepted sockets inherit keepalive. */
static void hand_over(int listener)
{
    if (listener == 3)
        fcntl(3, F_SETFD, 0); /* dup2() would leave it to be closed */
    else
        dup2(listener, 3);
    set_number("LISTEN_PID", getpid());
    setenv("LISTEN_FDS", "1", 1);
}

static _Noreturn void become(const struct runner *runner, const char *what, int input, int output,
                             int listener)
{
    const struct program *script = runner->spec->program;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    dup2(input, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    if (strcmp(what, "line") != 0)
        dup2(output, STDERR_FILENO);
    if (listener >= 0)
        hand_over(listener);
    execl("/bin/sh", "sh", "-c", script->text, script->name, what, (char *)NULL);
    _exit(127);
}

static int open_log(const struct agent_spec *spec)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s.log", spec->directory, flow_side_name(spec->side));
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static struct running *start(struct runner *runner, const char *what, int listener)
{
    struct running *running = &runner->running[runner->n];
    int ends[2], log;

    if (runner->n == PROGRAMS || pipe2(ends, O_CLOEXEC) < 0)
        return NULL;
    log = open_log(runner->spec);
    *running = (struct running){
        .pid = fork(), .input = ends[1], .connect_at = MTIME_NEVER, .give_up_at = MTIME_NEVER};
    if (running->pid == 0)
        become(runner, what, ends[0], log, listener);
    close(ends[0]);
    if (log >= 0)
        close(log);
    if (running->pid < 0) {
        close(ends[1]);
        return NULL;
    }
    running->ended = (int)syscall(SYS_pidfd_open, running->pid, 0);
    runner->n++;
    return running;
}

/* What `line` prints. */
static void read_line(struct runner *runner)
{
    int ends[2], status;
    ssize_t len;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return;
    pid = fork();
    if (pid == 0)
        become(runner, "line", STDIN_FILENO, ends[1], -1);
    close(ends[1]);
    len = pid < 0 ? 0 : read(ends[0], runner->line, sizeof(runner->line) - 1);
    runner->line[len > 0 ? len : 0] = '\0';
    close(ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
}

/* The newest socket towards the server that nobody has claimed; 0: none. Or, with listening, one
 * that listens on its port. */
static uint16_t look(const struct runner *runner, bool listening)
{
    static const char *const files[] = {"/proc/self/net/tcp", "/proc/self/net/tcp6"};
    uint16_t found = 0;

    for (size_t f = 0; f < 2; f++) {
        FILE *file = fopen(files[f], "re");
        char line[512];

        while (file && fgets(line, sizeof(line), file)) {
            unsigned local, remote, state;
            bool known = false;

            if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x", &local, &remote, &state) != 3)
                continue;
            for (size_t i = 0; i < runner->n; i++)
                known = known || runner->running[i].client_port == local;
            if (listening
                    ? state == TCP_SHOWN_LISTEN && local == runner->spec->port
                    : remote == runner->spec->port && state == TCP_SHOWN_ESTABLISHED && !known)
                found = (uint16_t)local;
        }
        if (file)
            fclose(file);
    }
    return found;
}

static void tell(const struct runner *runner, const struct running *running, mtime_t when,
                 struct timeline_app app)
{
    struct agent_report report = {
        .wall_ns = when, .client_port = running ? running->client_port : 0, .app = app};

    if (send(runner->control, &report, sizeof(report), MSG_NOSIGNAL) < 0)
        _exit(0);
}

static void connect_one(struct runner *runner)
{
    mtime_t now = agent_now();
    struct running *running = start(runner, "client", -1);

    if (!running)
        return;
    running->connect_at = now;
    running->give_up_at = now + CONNECTED_WITHIN;
}

static void look_for_connections(struct runner *runner)
{
    for (size_t i = 0; i < runner->n; i++) {
        struct running *running = &runner->running[i];
        mtime_t since = running->connect_at;
        uint16_t port;

        if (since == MTIME_NEVER || (port = look(runner, false)) == 0)
            continue;
        running->client_port = port;
        running->connect_at = MTIME_NEVER;
        tell(runner, running, since,
             (struct timeline_app){.act = APP_CONNECT, .call = CALL_CONNECT});
        tell(runner, running, agent_now(), (struct timeline_app){.act = APP_CONNECTED});
    }
}

static void say(struct runner *runner, struct running *running)
{
    mtime_t when = agent_now();
    ssize_t len =
        running->input < 0 ? -1 : write(running->input, runner->line, strlen(runner->line));

    if (len > 0)
        tell(runner, running, when, (struct timeline_app){.act = APP_SEND, .bytes = (uint32_t)len});
}

static void heed(struct runner *runner, const struct deed *deed)
{
    struct running *latest = runner->n > 0 ? &runner->running[runner->n - 1] : NULL;

    if (deed->verb == DEED_CONNECT) {
        connect_one(runner);
    } else if (deed->verb == DEED_SEND && latest && runner->spec->side == FLOW_CLIENT) {
        say(runner, latest);
    } else if (deed->verb == DEED_CLOSE && latest && latest->input >= 0) {
        tell(runner, latest, agent_now(), (struct timeline_app){.act = APP_CLOSE});
        close(latest->input);
        latest->input = -1;
    }
}

static void over(struct runner *runner, struct running *running)
{
    int status = 0;

    waitpid(running->pid, &status, 0);
    close(running->ended);
    running->ended = -1;
    running->pid = 0;
    tell(runner, running, agent_now(),
         (struct timeline_app){.act = APP_EXITED,
                               .bytes = WIFEXITED(status) ? (uint32_t)WEXITSTATUS(status)
                                                          : 128 + (uint32_t)WTERMSIG(status)});
}

static void step(struct runner *runner)
{
    struct pollfd fds[PROGRAMS + 1] = {{.fd = runner->control, .events = POLLIN}};
    bool connecting = false;
    struct deed deed;
    ssize_t len;

    for (size_t i = 0; i < runner->n; i++) {
        fds[i + 1] = (struct pollfd){.fd = runner->running[i].ended, .events = POLLIN};
        connecting = connecting || (runner->running[i].connect_at != MTIME_NEVER &&
                                    runner->running[i].give_up_at > agent_now());
    }
    if (poll(fds, runner->n + 1, connecting ? 5 : -1) < 0 && errno != EINTR)
        _exit(1);
    look_for_connections(runner);
    for (size_t i = 0; i < runner->n; i++)
        if (runner->running[i].ended >= 0 && fds[i + 1].revents)
            over(runner, &runner->running[i]);
    if (!fds[0].revents)
        return;
    len = recv(runner->control, &deed, sizeof(deed), MSG_DONTWAIT);
    if (len == 0 || (len < 0 && errno != EAGAIN))
        _exit(0);
    if (len == (ssize_t)sizeof(deed))
        heed(runner, &deed);
}

/* Its own listening socket, with the keepalive that accepted ones inherit, for a program that can
 * take one. */
static int listener_for(const struct runner *runner)
{
    struct agent_self self = {.spec = runner->spec,
                              .wishes = {runner->spec->host->keepalive, runner->spec->host->times,
                                         runner->spec->host->user_timeout}};
    struct agent_socket socket = {0};

    if (!strstr(runner->spec->program->text, "systemd.socket(5)"))
        return -1;
    socket.fd = agent_listen(&self);
    if (socket.fd >= 0) {
        int flags = fcntl(socket.fd, F_GETFL);

        agent_wish(&self, &socket);
        fcntl(socket.fd, F_SETFL, flags & ~O_NONBLOCK);
    }
    return socket.fd;
}

static int start_server(struct runner *runner)
{
    int listener = listener_for(runner);
    mtime_t until = agent_now() + READY_WITHIN;
    struct running *server = start(runner, "server", listener);
    struct pollfd ended = {.fd = server ? server->ended : -1, .events = POLLIN};

    if (!server)
        return -EAGAIN;
    /* A socket that was handed over listens before its program is there to accept. */
    if (listener >= 0)
        poll(&ended, 1, 1500);
    while (!look(runner, true)) {
        if (poll(&ended, 1, 20) > 0)
            return -ECHILD;
        if (agent_now() > until)
            return -ETIMEDOUT;
    }
    if (listener >= 0)
        close(listener);
    return poll(&ended, 1, 0) > 0 ? -ECHILD : 0;
}

_Noreturn void agent_program(int control, const struct agent_spec *spec)
{
    static struct runner runner;
    int r = space_enter(spec->space->path);

    signal(SIGPIPE, SIG_IGN);
    runner = (struct runner){.control = control, .spec = spec};
    set_environment(spec);
    if (r == 0 && spec->side == FLOW_SERVER)
        r = start_server(&runner);
    else if (r == 0)
        read_line(&runner);
    tell(&runner, NULL, agent_now(), (struct timeline_app){.error = -r});
    if (r < 0)
        _exit(1);
    for (;;)
        step(&runner);
}
