/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/child.h"

#include "tools/lab/space.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static sigset_t taken;   /* what ends the lab, and SIGCHLD */
static sigset_t endings; /* without SIGCHLD */
static sigset_t before;

void child_init(void)
{
    sigemptyset(&endings);
    sigaddset(&endings, SIGINT);
    sigaddset(&endings, SIGTERM);
    sigaddset(&endings, SIGHUP);
    taken = endings;
    sigaddset(&taken, SIGCHLD);
    sigprocmask(SIG_BLOCK, &taken, &before);
}

static void set_files(const struct child_spec *spec)
{
    if (spec->no_input) {
        int null = open("/dev/null", O_RDONLY);

        if (null >= 0)
            dup2(null, STDIN_FILENO);
    }
    if (spec->output >= 0) {
        dup2(spec->output, STDOUT_FILENO);
        dup2(spec->output, STDERR_FILENO);
    } else if (spec->to_stderr) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
    }
    if (spec->no_errors) {
        int null = open("/dev/null", O_WRONLY);

        if (null >= 0)
            dup2(null, STDERR_FILENO);
    }
}

static _Noreturn void become(const struct child_spec *spec, pid_t lab)
{
    int error;

    prctl(PR_SET_PDEATHSIG, spec->own_group ? SIGTERM : SIGKILL);
    if (getppid() != lab)
        _exit(127);
    if (spec->own_group)
        setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    set_files(spec);
    if (spec->netns && (error = space_enter(spec->netns)) < 0) {
        fprintf(stderr, "idlewall lab: %s: %s\n", spec->netns, strerror(-error));
        _exit(127);
    }
    sigprocmask(SIG_SETMASK, &before, NULL);
    execvp(spec->argv[0], spec->argv);
    error = errno;
    fprintf(stderr, "idlewall lab: %s: %s\n", spec->argv[0], strerror(error));
    _exit(error == ENOENT ? 127 : 126);
}

pid_t child_start(const struct child_spec *spec)
{
    pid_t lab = getpid();
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0)
        become(spec, lab);
    if (pid > 0 && spec->own_group)
        setpgid(pid, pid); /* here too, so that the group is there when we want to end it */
    return pid < 0 ? -errno : pid;
}

static mtime_t monotonic(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * MTIME_SEC + now.tv_nsec;
}

bool child_wait(pid_t pid, mtime_t timeout, int *status, siginfo_t *caught)
{
    mtime_t until = mtime_add(monotonic(), timeout);

    caught->si_signo = 0;
    for (;;) {
        struct timespec wait = {.tv_nsec = 50 * MTIME_MSEC};
        pid_t ended = waitpid(pid, status, WNOHANG);
        mtime_t now = monotonic();

        if (ended == pid || (ended < 0 && errno == ECHILD))
            return true;
        if (now >= until)
            return false;
        if (until - now < wait.tv_nsec)
            wait.tv_nsec = until - now;
        if (sigtimedwait(&taken, caught, &wait) > 0 && caught->si_signo != SIGCHLD)
            return false;
        caught->si_signo = 0;
    }
}

bool child_interrupted(siginfo_t *caught)
{
    return sigtimedwait(&endings, caught, &(struct timespec){0}) > 0;
}

int child_end(pid_t *pid, bool group)
{
    pid_t target = group ? -*pid : *pid;
    mtime_t until = monotonic() + 2 * MTIME_SEC;
    int status = 0;

    if (*pid <= 0)
        return 0;
    kill(target, SIGTERM);
    while (waitpid(*pid, &status, WNOHANG) == 0) {
        if (monotonic() >= until)
            kill(target, SIGKILL);
        nanosleep(&(struct timespec){.tv_nsec = 5 * MTIME_MSEC}, NULL);
    }
    if (group)
        kill(target, SIGKILL); /* what its leader left behind */
    *pid = 0;
    return status;
}

int child_run(const struct child_spec *spec)
{
    pid_t pid = child_start(spec);
    int status;

    if (pid < 0)
        return (int)pid;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return child_exit_status(status);
}

int child_exit_status(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
