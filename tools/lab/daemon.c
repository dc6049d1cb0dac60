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

static void show_log(const struct lab *lab)
{
    FILE *log = fopen(lab->log, "re");
    char line[1024];

    if (!log)
        return;
    while (fgets(line, sizeof(line), log))
        fprintf(stderr, "  %s%s", line, strchr(line, '\n') ? "" : "\n");
    fclose(log);
}

static bool is_ready(const struct lab *lab)
{
    FILE *log = fopen(lab->log, "re");
    char line[1024];
    bool ready = false;

    while (log && !ready && fgets(line, sizeof(line), log))
        ready = strncmp(line, READY, strlen(READY)) == 0;
    if (log)
        fclose(log);
    return ready;
}

static int wait_ready(struct lab *lab)
{
    for (int i = 0; i < 500 && !is_ready(lab); i++) {
        siginfo_t caught;
        int status;

        if (child_wait(lab->daemon, 20 * MTIME_MSEC, &status, &caught)) {
            lab->daemon = 0;
            command_failed("lab", "idlewalld did not start (exit status %d); it said:",
                           child_exit_status(status));
            show_log(lab);
            return COULD_NOT;
        }
        if (caught.si_signo != 0)
            return 128 + caught.si_signo;
    }
    lab->daemon_ready = is_ready(lab);
    if (lab->daemon_ready)
        return DONE;
    command_failed("lab", "idlewalld was not ready after 10 seconds; it said:");
    show_log(lab);
    return COULD_NOT;
}

/* Nothing was open through a firewall that is new: nothing is to be adopted, and a late packet is
 * late from the first second on. */
static int make_policy(struct lab *lab)
{
    FILE *to;
    bool ok;

    if (lab->policy)
        return DONE;
    snprintf(lab->made_policy, sizeof(lab->made_policy), "%s/policy", lab->directory);
    to = fopen(lab->made_policy, "we");
    ok = to && fprintf(to, "adopt-at-start none\ndefault use %s\n", lab->profile) > 0;
    if (to)
        ok = fclose(to) == 0 && ok;
    return ok ? DONE : command_failed("lab", "%s: %s", lab->made_policy, strerror(errno));
}

/* A default that saves connections on a real gateway hides the lab's subject. A pipe is left alone:
 * it can be read only once. */
static void warn_of_adoption(const struct lab *lab)
{
    char duration[64];
    struct policy *policy;
    struct stat st;

    if (!lab->policy || stat(lab->policy, &st) < 0 || !S_ISREG(st.st_mode) ||
        policy_read(&policy, lab->policy, NULL, NULL) < 0)
        return;
    if (policy->adopt_at_start > 0) {
        *put_duration(duration, policy->adopt_at_start) = '\0';
        fprintf(stderr,
                "idlewall lab: %s: late packets of the first %s are adopted, whatever on-late "
                "says; `adopt-at-start none` ends that\n",
                lab->policy, duration);
    }
    policy_unref(policy);
}

int daemon_start(struct lab *lab)
{
    char path[PATH_MAX], speed[16];
    const char *program = find(path, sizeof(path));
    int r = make_policy(lab);
    const char *policy = lab->made_policy[0] ? lab->made_policy : lab->policy;
    char *argv[16] = {
        (char *)program,
        (char *)(policy ? "--policy" : "--profile"),
        (char *)(policy ? policy : lab->profile),
        (char *)"--control",
        lab->control,
        (char *)"--speed",
        speed,
    };
    struct child_spec spec = {
        .netns = lab->firewall.path, .own_group = true, .no_input = true, .argv = argv};

    if (r != DONE)
        return r;
    warn_of_adoption(lab);
    snprintf(speed, sizeof(speed), "%u", lab->speed);
    if (lab->record) {
        argv[7] = (char *)"--record";
        argv[8] = (char *)lab->record;
    }
    spec.output = open(lab->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (spec.output < 0)
        return command_failed("lab", "%s: %s", lab->log, strerror(errno));
    lab->daemon = child_start(&spec);
    close(spec.output);
    if (lab->daemon < 0)
        return command_failed("lab", "idlewalld: %s", strerror((int)-lab->daemon));
    return wait_ready(lab);
}

bool daemon_lost(struct lab *lab)
{
    int status;

    if (lab->daemon <= 0 || waitpid(lab->daemon, &status, WNOHANG) != lab->daemon)
        return false;
    lab->daemon = 0;
    command_failed("lab", "the firewall ended meanwhile (exit status %d); it said:",
                   child_exit_status(status));
    show_log(lab);
    return true;
}

int daemon_stop(struct lab *lab)
{
    int status;

    if (lab->daemon <= 0)
        return DONE;
    status = child_end(&lab->daemon, false);
    if (status == 0)
        return DONE;
    command_failed(
        "lab", "idlewalld did not end well (exit status %d); it said:", child_exit_status(status));
    show_log(lab);
    return COULD_NOT;
}
