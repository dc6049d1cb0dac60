/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Debian leaves the sbin directories out of an ordinary user's PATH, and a namespace of his own is
 * enough to run us. */
#define COMMAND_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define NOT_FOUND 127

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return lseek(fd, 0, SEEK_SET) < 0 ? -errno : 0;
}

static int read_all(int fd, char **text, size_t *len)
{
    struct stat st;
    char *buf;

    if (fstat(fd, &st) < 0)
        return -errno;
    buf = calloc(1, (size_t)st.st_size + 1);
    if (!buf)
        return -ENOMEM;
    *len = 0;
    while (*len < (size_t)st.st_size) {
        ssize_t n = pread(fd, buf + *len, (size_t)st.st_size - *len, (off_t)*len);

        if (n <= 0)
            break;
        *len += (size_t)n;
    }
    *text = buf;
    return 0;
}

static _Noreturn void become(const char *const argv[], int in, int out, int err)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(NOT_FOUND);
    if (clearenv() != 0 || setenv("PATH", COMMAND_PATH, 1) < 0 || setenv("LC_ALL", "C", 1) < 0)
        _exit(NOT_FOUND);
    execvp(argv[0], (char *const *)(size_t)argv);
    _exit(NOT_FOUND);
}

int command_run(struct command_output *output, const char *const argv[], const char *input,
                size_t input_len)
{
    /* Memory files instead of pipes: nobody waits for anybody, however much is said. */
    int in = memfd_create("in", MFD_CLOEXEC);
    int out = memfd_create("out", MFD_CLOEXEC);
    int err = memfd_create("err", MFD_CLOEXEC);
    size_t err_len;
    int status, r;
    pid_t pid;

    *output = (struct command_output){0};
    if (in < 0 || out < 0 || err < 0) {
        r = -errno;
        goto out;
    }
    r = write_all(in, input ? input : "", input_len);
    if (r < 0)
        goto out;
    pid = fork();
    if (pid == 0)
        become(argv, in, out, err);
    r = pid < 0 ? -errno : 0;
    if (r < 0)
        goto out;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) {
            r = -errno;
            goto out;
        }
    }
    output->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (output->status == NOT_FOUND) {
        r = -ENOENT;
        goto out;
    }
    r = read_all(out, &output->out, &output->out_len);
    if (r == 0)
        r = read_all(err, &output->err, &err_len);
    if (r < 0)
        command_output_finish(output);
out:
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    if (err >= 0)
        close(err);
    return r;
}

void command_output_finish(struct command_output *output)
{
    free(output->out);
    free(output->err);
    *output = (struct command_output){0};
}
