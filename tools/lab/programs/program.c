/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/programs/program.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const struct program *program_find(const char *name)
{
    for (size_t i = 0; i < program_count; i++)
        if (strcmp(program[i].name, name) == 0)
            return &program[i];
    return NULL;
}

int program_installed(const struct program *wanted, char *missing, size_t size)
{
    int pipe_ends[2], status = -1;
    ssize_t len;
    pid_t pid;

    *missing = '\0';
    if (pipe(pipe_ends) < 0)
        return -errno;
    pid = fork();
    if (pid == 0) {
        dup2(pipe_ends[1], STDOUT_FILENO);
        close(pipe_ends[0]);
        execl("/bin/sh", "sh", "-c", wanted->text, wanted->name, "package", (char *)NULL);
        _exit(127);
    }
    close(pipe_ends[1]);
    len = pid < 0 ? 0 : read(pipe_ends[0], missing, size - 1);
    missing[len > 0 ? len : 0] = '\0';
    missing[strcspn(missing, "\n")] = '\0';
    close(pipe_ends[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid < 0 ? -EAGAIN : WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
