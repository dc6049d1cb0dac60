/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/play/prompt.h"

#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Round robin, and the least of it: those of other stories have their turn, and so has whatever
 * else on this machine asks for real time. */
static void set(pid_t thread, bool on)
{
    struct sched_param how = {.sched_priority = on ? 1 : 0};

    (void)sched_setscheduler(thread, on ? SCHED_RR : SCHED_OTHER, &how);
}

static void children(pid_t pid, pid_t thread)
{
    char path[64];
    FILE *from;
    int child;

    /* Missing without CONFIG_PROC_CHILDREN. */
    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)thread);
    from = fopen(path, "re");
    if (!from)
        return;
    while (fscanf(from, "%d", &child) == 1)
        prompt_tree(child);
    fclose(from);
}

static void threads(pid_t pid, bool on, bool tree)
{
    const struct dirent *entry;
    char path[64];
    DIR *all;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    all = opendir(path);
    if (!all)
        return;
    while ((entry = readdir(all)))
        if (entry->d_name[0] != '.') {
            pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

            set(thread, on);
            if (tree)
                children(pid, thread);
        }
    closedir(all);
}

void prompt_self(bool on)
{
    threads(getpid(), on, false);
}

void prompt_tree(pid_t pid)
{
    if (pid > 0)
        threads(pid, true, true);
}
