/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/play/agent.h"

#include "tools/lab/play/agent_process.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int wait_ready(struct agent *agent)
{
    struct agent_report report;
    ssize_t len = recv(agent->fd, &report, sizeof(report), 0);

    if (len < (ssize_t)sizeof(report))
        return -EPIPE;
    return -report.app.error;
}

int agent_start(struct agent *agent, const struct agent_spec *spec)
{
    int pair[2], buffer = 1 << 20;
    pid_t lab = getpid();
    int r;

    *agent = (struct agent){.fd = -1};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    (void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
    agent->pid = fork();
    if (agent->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(pair[0]);
        if (getppid() != lab)
            _exit(1);
        setpgid(0, 0); /* what the terminal sends is for the lab */
        if (spec->program)
            agent_program(pair[1], spec);
        agent_process(pair[1], spec);
    }
    r = agent->pid < 0 ? -errno : 0;
    close(pair[1]);
    agent->fd = pair[0];
    if (r == 0)
        r = wait_ready(agent);
    if (r < 0)
        agent_end(agent);
    return r;
}

int agent_tell(struct agent *agent, const struct deed *deed)
{
    if (agent->pid <= 0)
        return 0;
    return send(agent->fd, deed, sizeof(*deed), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int agent_hear(struct agent *agent, struct agent_report *report)
{
    ssize_t len;

    if (agent->fd < 0)
        return -EPIPE;
    len = recv(agent->fd, report, sizeof(*report), MSG_DONTWAIT);
    if (len < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    return len == (ssize_t)sizeof(*report) ? 1 : -EPIPE;
}

void agent_kill(struct agent *agent)
{
    if (agent->pid <= 0)
        return;
    kill(-agent->pid, SIGKILL); /* with what it started */
    kill(agent->pid, SIGKILL);
    waitpid(agent->pid, NULL, 0);
    agent->pid = 0;
}

void agent_end(struct agent *agent)
{
    agent_kill(agent);
    if (agent->fd >= 0)
        close(agent->fd);
    agent->fd = -1;
}
