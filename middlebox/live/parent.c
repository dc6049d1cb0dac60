/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/parent.h"
#include "middlebox/live/link.h"
#include "middlebox/live/listener.h"
#include "middlebox/live/policy_file.h"
#include "middlebox/live/rules.h"
#include "middlebox/live/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORKER_PATIENCE 5000 /* ms that the worker has to end by itself */

struct parent {
    const struct options *options;
    struct rules_plan plan;
    enum rules_backend backend;
    pid_t worker;
    int link, listener, record, metrics, signals;
    bool listening; /* the socket's file is ours to remove */
    bool ready, stopping;
};

static void say(const char *message)
{
    fprintf(stderr, "idlewalld: %s\n", message);
}

static int complain(const char *what, int r)
{
    fprintf(stderr, "idlewalld: %s: %s\n", what, strerror(-r));
    return 3;
}

static void send_policy(struct parent *parent, bool asked)
{
    struct link_message message = {.kind = LINK_POLICY, .flag = asked};
    int text = policy_file_open(parent->options->policy);

    if (text < 0)
        snprintf(message.why, sizeof(message.why), "%s", strerror(-text));
    link_send(parent->link, &message, text);
    if (text >= 0)
        close(text);
}

static int open_files(struct parent *parent)
{
    const struct options *o = parent->options;

    parent->listener = listener_open(o->control);
    if (parent->listener == -EADDRINUSE) {
        fprintf(stderr,
                "idlewalld: %s: another idlewalld answers here; give --control another path\n",
                o->control);
        return 3;
    }
    if (parent->listener < 0)
        return complain(o->control, parent->listener);
    parent->listening = true;
    if (o->record) {
        parent->record = open(o->record, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
        if (parent->record < 0)
            return complain(o->record, -errno);
    }
    if (o->metrics) {
        parent->metrics = metrics_listen(&o->metrics_address);
        if (parent->metrics < 0)
            return complain(o->metrics, parent->metrics);
    }
    return 0;
}

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The worker keeps the signals blocked: the parent tells it when to end, by closing the link. */
static int start_worker(struct parent *parent)
{
    struct worker_inheritance inherited;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return complain("socketpair", -errno);
    parent->link = pair[0];
    if (parent->options->policy) {
        int text = policy_file_open(parent->options->policy);
        const struct link_message message = {.kind = LINK_POLICY};

        if (text < 0) {
            close(pair[1]);
            return complain(parent->options->policy, text);
        }
        link_send(parent->link, &message, text);
        close(text);
    }
    parent->worker = fork();
    if (parent->worker == 0) {
        inherited = (struct worker_inheritance){.link = pair[1],
                                                .listener = parent->listener,
                                                .record = parent->record,
                                                .metrics = parent->metrics};
        close(pair[0]);
        close(parent->signals);
        exit(worker_run(parent->options, &inherited));
    }
    close(pair[1]);
    if (parent->worker < 0)
        return complain("fork", -errno);
    close(parent->listener);
    parent->listener = -1;
    if (parent->record >= 0)
        close(parent->record);
    parent->record = -1;
    if (parent->metrics >= 0)
        close(parent->metrics);
    parent->metrics = -1;
    return 0;
}

/* 0 or an exit status. */
static int install(struct parent *parent, bool fail_closed)
{
    const bool before = parent->plan.fail_open;

    parent->plan.fail_open = !fail_closed;
    if (!parent->options->rules || rules_install(&parent->plan, &parent->backend, say) == 0)
        return 0;
    parent->plan.fail_open = before;
    return 3;
}

static int hear_worker(struct parent *parent)
{
    struct link_message message;
    int passed;

    if (link_receive(parent->link, &message, &passed) <= 0)
        return -1; /* its end: SIGCHLD tells the rest */
    if (passed >= 0)
        close(passed);
    switch ((enum link_kind)message.kind) {
    case LINK_READY:
        if (install(parent, message.flag) != 0)
            return 3;
        if (parent->options->rules)
            rules_say_bypassed(&parent->plan, say);
        parent->ready = true;
        say("ready");
        return 0;
    case LINK_FAIL:
        /* The old rules stay if this fails, and it has been said. */
        install(parent, message.flag);
        return 0;
    case LINK_ASK:
        send_policy(parent, true);
        return 0;
    case LINK_POLICY:
        break;
    }
    return 0;
}

/* The rules go first: from then on traffic passes beside us, and nothing is lost in the queue. */
static int stop(struct parent *parent)
{
    int status = 0;

    if (parent->backend != RULES_NONE &&
        rules_remove(parent->plan.queue_first, parent->backend, say) < 0)
        status = 3;
    parent->backend = RULES_NONE;
    if (parent->link >= 0)
        close(parent->link);
    parent->link = -1;
    if (parent->worker > 0) {
        const struct timespec patience = {.tv_sec = WORKER_PATIENCE / 1000};
        sigset_t child;
        int wstatus;

        sigemptyset(&child);
        sigaddset(&child, SIGCHLD);
        while (waitpid(parent->worker, &wstatus, WNOHANG) == 0) {
            if (sigtimedwait(&child, NULL, &patience) < 0 && errno == EAGAIN)
                kill(parent->worker, SIGKILL);
        }
        parent->worker = 0;
    }
    return status;
}

/* The worker ended although nobody asked it to. */
static int bury(struct parent *parent, int wstatus)
{
    parent->worker = 0;
    if (!parent->ready)
        return WIFEXITED(wstatus) && WEXITSTATUS(wstatus) ? WEXITSTATUS(wstatus) : 3;
    if (WIFSIGNALED(wstatus))
        fprintf(stderr, "idlewalld: the worker was ended by signal %d (%s)\n", WTERMSIG(wstatus),
                strsignal(WTERMSIG(wstatus)));
    else
        fprintf(stderr, "idlewalld: the worker ended with status %d\n", WEXITSTATUS(wstatus));
    if (parent->backend != RULES_NONE && !parent->plan.fail_open) {
        say("`fail closed`: the rules stay, no traffic passes until idlewalld is started again");
        parent->backend = RULES_NONE;
    }
    return 3;
}

/* -1: go on; else the exit status. */
static int hear_signals(struct parent *parent)
{
    struct signalfd_siginfo info;
    int wstatus;

    while (read(parent->signals, &info, sizeof(info)) == sizeof(info)) {
        switch (info.ssi_signo) {
        case SIGTERM:
        case SIGINT:
            return 0;
        case SIGHUP:
            if (!parent->options->policy)
                say("SIGHUP: there is no policy file to read again: started with --profile");
            else if (parent->ready)
                send_policy(parent, false);
            break;
        case SIGCHLD:
            if (waitpid(parent->worker, &wstatus, WNOHANG) == parent->worker)
                return bury(parent, wstatus);
            break;
        }
    }
    return -1;
}

static int supervise(struct parent *parent)
{
    struct pollfd fds[2] = {{.fd = parent->signals, .events = POLLIN},
                            {.fd = parent->link, .events = POLLIN}};

    for (;;) {
        int status;

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return 3;
        status = hear_signals(parent);
        if (status >= 0)
            return status;
        if (fds[1].revents) {
            status = hear_worker(parent);
            if (status > 0)
                return status;
            if (status < 0)
                fds[1].fd = -1;
        }
    }
}

int parent_run(const struct options *options)
{
    struct parent parent = {.options = options,
                            .plan = options->plan,
                            .link = -1,
                            .listener = -1,
                            .record = -1,
                            .metrics = -1};
    int status, stopped;

    signal(SIGPIPE, SIG_IGN); /* whoever reads our standard error may go before us */
    parent.signals = open_signals();
    if (parent.signals < 0)
        return complain("signals", parent.signals);
    status = open_files(&parent);
    if (status == 0)
        status = start_worker(&parent);
    if (status == 0)
        status = supervise(&parent);
    stopped = stop(&parent);
    if (parent.listening)
        unlink(options->control);
    if (parent.listener >= 0)
        close(parent.listener);
    if (parent.record >= 0)
        close(parent.record);
    if (parent.metrics >= 0)
        close(parent.metrics);
    close(parent.signals);
    return status ? status : stopped;
}
