/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/daemon.h"

#include "middlebox/record/put.h"
#include "tools/command.h"
#include "tools/lab/child.h"
#include "tools/policy_read.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY "idlewalld: ready"
#define STOPS_WITHIN (20 * MTIME_SEC)

/* Beside this program: in a build directory, in one directory, in bin and sbin; else from PATH. */
static const char *find(char *buf, size_t size)
{
    static const char *const places[] = {"../middlebox/live/idlewalld", "idlewalld",
                                         "../sbin/idlewalld"};
    const char *chosen = getenv("IDLEWALLD");
    char self[PATH_MAX];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    const char *directory;

    if (chosen && *chosen)
        return chosen;
    if (len > 0) {
        self[len] = '\0';
        directory = dirname(self);
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
            if (snprintf(buf, size, "%s/%s", directory, places[i]) < (int)size &&
                access(buf, X_OK) == 0)
                return buf;
    }
    return "idlewalld";
}

static void show_log(const struct daemon *daemon)
{
    FILE *log = fopen(daemon->log, "re");
    char line[1024];

    if (!log)
        return;
    while (fgets(line, sizeof(line), log))
        fprintf(stderr, "  %s%s", line, strchr(line, '\n') ? "" : "\n");
    fclose(log);
}

static bool is_ready(const struct daemon *daemon)
{
    FILE *log = fopen(daemon->log, "re");
    char line[1024];
    bool ready = false;

    while (log && !ready && fgets(line, sizeof(line), log))
        ready = strncmp(line, READY, strlen(READY)) == 0;
    if (log)
        fclose(log);
    return ready;
}

static int wait_ready(struct daemon *daemon)
{
    for (int i = 0; i < 500 && !is_ready(daemon); i++) {
        siginfo_t caught;
        int status;

        if (child_wait(daemon->pid, 20 * MTIME_MSEC, &status, &caught)) {
            daemon->pid = 0;
            command_failed("lab", "idlewalld did not start (exit status %d); it said:",
                           child_exit_status(status));
            show_log(daemon);
            return COULD_NOT;
        }
        if (caught.si_signo != 0)
            return 128 + caught.si_signo;
    }
    daemon->ready = is_ready(daemon);
    if (daemon->ready)
        return DONE;
    command_failed("lab", "idlewalld was not ready after 10 seconds; it said:");
    show_log(daemon);
    return COULD_NOT;
}

/* Nothing was open through a firewall that is new: nothing is to be adopted, and a late packet is
 * late from the first second on. */
static int make_policy(struct daemon *daemon)
{
    FILE *to;
    bool ok;

    if (daemon->policy)
        return DONE;
    snprintf(daemon->made_policy, sizeof(daemon->made_policy), "%s/%s.policy", daemon->directory,
             daemon->name);
    to = fopen(daemon->made_policy, "we");
    ok = to && fprintf(to, "adopt-at-start none\ndefault use %s\n", daemon->profile) > 0;
    if (to)
        ok = fclose(to) == 0 && ok;
    return ok ? DONE : command_failed("lab", "%s: %s", daemon->made_policy, strerror(errno));
}

/* A default that saves connections on a real gateway hides the lab's subject. A pipe is left alone:
 * it can be read only once. */
static void warn_of_adoption(const struct daemon *daemon)
{
    char duration[64];
    struct policy *policy;
    struct stat st;

    if (!daemon->policy || stat(daemon->policy, &st) < 0 || !S_ISREG(st.st_mode) ||
        policy_read(&policy, daemon->policy, NULL, NULL) < 0)
        return;
    if (policy->adopt_at_start > 0) {
        *put_duration(duration, policy->adopt_at_start) = '\0';
        fprintf(stderr,
                "idlewall lab: %s: late packets of the first %s are adopted, whatever on-late "
                "says; `adopt-at-start none` ends that\n",
                daemon->policy, duration);
    }
    policy_unref(policy);
}

int daemon_start(struct daemon *daemon)
{
    char path[PATH_MAX], speed[16];
    const char *program = find(path, sizeof(path));
    int r = make_policy(daemon);
    const char *policy = daemon->made_policy[0] ? daemon->made_policy : daemon->policy;
    char *argv[16] = {
        (char *)program,
        (char *)(policy ? "--policy" : "--profile"),
        (char *)(policy ? policy : daemon->profile),
        (char *)"--control",
        daemon->control,
        (char *)"--speed",
        speed,
    };
    struct child_spec spec = {
        .netns = daemon->space->path, .own_group = true, .no_input = true, .argv = argv};

    if (r != DONE)
        return r;
    snprintf(daemon->control, sizeof(daemon->control), "%s/%s", daemon->directory, daemon->name);
    snprintf(daemon->log, sizeof(daemon->log), "%s/%s.log", daemon->directory, daemon->name);
    warn_of_adoption(daemon);
    snprintf(speed, sizeof(speed), "%u", daemon->speed);
    if (daemon->record) {
        argv[7] = (char *)"--record";
        argv[8] = (char *)daemon->record;
    }
    spec.output = open(daemon->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (spec.output < 0)
        return command_failed("lab", "%s: %s", daemon->log, strerror(errno));
    daemon->pid = child_start(&spec);
    close(spec.output);
    if (daemon->pid < 0)
        return command_failed("lab", "idlewalld: %s", strerror((int)-daemon->pid));
    return wait_ready(daemon);
}

bool daemon_lost(struct daemon *daemon)
{
    int status;

    if (daemon->pid <= 0 || waitpid(daemon->pid, &status, WNOHANG) != daemon->pid)
        return false;
    daemon->pid = 0;
    command_failed("lab", "the firewall ended meanwhile (exit status %d); it said:",
                   child_exit_status(status));
    show_log(daemon);
    return true;
}

int daemon_stop(struct daemon *daemon)
{
    siginfo_t caught;
    int status;

    if (daemon->pid <= 0)
        return DONE;
    /* On a busy machine its rules may take long to go. */
    kill(daemon->pid, SIGTERM);
    if (child_wait(daemon->pid, STOPS_WITHIN, &status, &caught))
        daemon->pid = 0;
    else
        status = child_end(&daemon->pid, false);
    if (status == 0)
        return DONE;
    command_failed(
        "lab", "idlewalld did not end well (exit status %d); it said:", child_exit_status(status));
    show_log(daemon);
    return COULD_NOT;
}
