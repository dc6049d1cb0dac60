/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "policy/filter.h"
#include "policy/policy_parse.h"
#include "tools/align/align.h"
#include "tools/command.h"
#include "tools/policy_read.h"
#include "tools/progress.h"
#include "tools/request.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void align_init(struct align *align)
{
    *align = (struct align){.arrivals = -1};
    table_init(&align->table);
}

void align_finish(struct align *align)
{
    filter_destroy(align->filter);
    policy_unref(align->own);
    path_finish(&align->path);
    table_finish(&align->table);
    socket_table_finish(&align->sockets);
    socket_table_finish(&align->peers);
}

int align_filter(struct align *align, int argc, char **argv)
{
    char *text = NULL, why[512];
    size_t size;
    FILE *to = open_memstream(&text, &size);
    int r = to ? 0 : -ENOMEM;

    for (int i = 0; to && i < argc; i++)
        fprintf(to, "%s%s", i > 0 ? " " : "", argv[i]);
    if (to && fclose(to) != 0)
        r = -ENOMEM;
    if (r == 0 && argc > 0)
        r = filter_compile(&align->filter, text, why, sizeof(why));
    free(text);
    if (r == -EINVAL)
        return command_misused("align", "%s", why);
    return r < 0 ? command_failed("align", "%s", strerror(-r)) : DONE;
}

static void show_fault(void *arg, const char *message)
{
    (void)arg;
    fprintf(stderr, "%s\n", message);
}

static int read_policy(struct align *align, const char *path, policy_fault_fn report)
{
    int r = policy_read(&align->own, path, report, NULL);

    if (r == -EINVAL)
        return WRONG_USE;
    return r < 0 ? command_failed("align", "%s: %s", path, strerror(-r)) : DONE;
}

/* Which lines of a text were of no use; the rest is used. */
static void name_bad(const char *what, const unsigned *lines, size_t n)
{
    if (n == 0)
        return;
    fprintf(stderr, "idlewall align: %s: could not read line%s", what, n == 1 ? "" : "s");
    for (size_t i = 0; i < n && i < 20; i++)
        fprintf(stderr, "%s%u", i > 0 ? ", " : " ", lines[i]);
    if (n > 20)
        fprintf(stderr, " and %zu more", n - 20);
    fputs("; the rest is used\n", stderr);
}

/* The answer to one request, whole or not at all. */
static int ask(struct align *align, const char *control, const char *command)
{
    char name[] = "align", *argv[] = {name, NULL};
    struct request request;
    FILE *file;
    int fd = memfd_create("idlewall-align", MFD_CLOEXEC);
    int status, r;

    if (fd < 0)
        return command_failed("align", "%s", strerror(errno));
    request_init(&request, argv);
    if (control)
        request.control = control;
    request.output = fd;
    status = request_text(&request, "command", command);
    if (status == DONE)
        status = request_text(&request, "output", "json");
    if (status == DONE)
        status = request_run(&request);
    else
        request_drop(&request);
    if (status != DONE) {
        close(fd);
        return status;
    }
    file = fdopen(fd, "r");
    rewind(file);
    r = table_read(&align->table, file);
    fclose(file);
    return r < 0 ? command_failed("align", "%s", strerror(-r)) : DONE;
}

static int read_running(struct align *align, const char *control)
{
    int status = ask(align, control, "status");

    return status == DONE ? ask(align, control, "list") : status;
}

static int read_exported(struct align *align, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");
    int r = file ? table_read(&align->table, file) : -errno;

    if (file && !standard)
        fclose(file);
    if (r < 0)
        return command_failed("align", "%s: %s", path, strerror(-r));
    name_bad(path, align->table.bad_lines, align->table.n_bad);
    if (align->table.n == 0 && align->table.n_bad > 0)
        return command_misused("align", "%s: no line of it is a flow of `idlewall list -o json`",
                               path);
    return DONE;
}

static int read_table(struct align *align)
{
    const char *from = align->table_from;
    struct stat st;
    int status, r;

    align->has_table = true;
    if (!from || (strcmp(from, "-") != 0 && stat(from, &st) == 0 && S_ISSOCK(st.st_mode)))
        status = read_running(align, from);
    else
        status = read_exported(align, from);
    if (status != DONE)
        return status;
    /* Its own policy, if we may read it, says what its profiles do. */
    if (!align->own && align->table.policy && access(align->table.policy, R_OK) == 0)
        policy_read(&align->own, align->table.policy, NULL, NULL);
    r = table_complete(&align->table, align->own);
    return r < 0 ? command_failed("align", "%s", strerror(-r)) : DONE;
}

static int read_text(FILE *file, char **text, size_t *size)
{
    char piece[65536];
    FILE *to = open_memstream(text, size);
    size_t n;

    if (!to)
        return -ENOMEM;
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
        fwrite(piece, 1, n, to);
    if (fclose(to) != 0)
        return -ENOMEM;
    return ferror(file) ? -EIO : 0;
}

static int read_sockets(struct socket_table *table, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");
    char *text = NULL;
    size_t size = 0;
    int r = file ? read_text(file, &text, &size) : -errno;

    if (file && !standard)
        fclose(file);
    if (r == 0) {
        r = socket_table_text(table, text, size);
        name_bad(path, table->bad_lines, table->n_bad);
        if (r == -EINVAL) {
            free(text);
            return command_misused("align", "%s: no line of it is a socket of ss or netstat", path);
        }
    }
    free(text);
    if (r == 0 && table->timers_assumed)
        fprintf(stderr,
                "idlewall align: %s: no timer in it; taken for `ss -o`, keepalive off everywhere\n",
                path);
    return r < 0 ? command_failed("align", "%s: %s", path, strerror(-r)) : DONE;
}

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

static mtime_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * MTIME_SEC + now.tv_nsec;
}

/* An interrupt ends the watching, not the answer. */
static int watch(struct align *align)
{
    struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};
    mtime_t start = clock_now(), last = start, pause = align->watch / 300;
    struct progress progress;
    int r = 0;

    sigaction(SIGINT, &action, NULL);
    if (pause < MTIME_SEC)
        pause = align->watch < MTIME_SEC ? align->watch : MTIME_SEC;
    progress_init(&progress, "watching");
    while (r == 0 && !stopped && last - start < align->watch) {
        struct timespec t = {pause / MTIME_SEC, pause % MTIME_SEC};
        struct socket_table later = {0};
        mtime_t now;

        nanosleep(&t, NULL);
        now = clock_now();
        r = socket_table_live(&later);
        if (r == 0)
            r = socket_table_narrow(&align->sockets, &later, now - last);
        socket_table_finish(&later);
        last = now;
        progress_show(&progress, (double)(last - start) / (double)align->watch);
    }
    progress_finish(&progress);
    return r;
}

static int read_live(struct align *align)
{
    int r = socket_table_live(&align->sockets);

    if (r == 0 && align->watch > 0)
        r = watch(align);
    if (r < 0)
        return command_failed("align", "this host's sockets: %s", strerror(-r));
    if (align->sockets.partial)
        fputs("idlewall align: not root: of other users' sockets neither process nor keepalive's "
              "figures are seen\n",
              stderr);
    return DONE;
}

int align_read(struct align *align)
{
    char why[512] = "";
    const struct template *templates;
    size_t n;
    int status = DONE, r = templates_load(&templates, &n, why, sizeof(why));

    if (r < 0)
        return command_failed("align", "advice %s", why);
    if (align->policy_from)
        status = read_policy(align, align->policy_from, show_fault);
    if (status == DONE && align->path_text) {
        r = path_parse(&align->path, align->path_text, align->own, why, sizeof(why));
        if (r == -EINVAL)
            return command_misused("align", "--path: %s", why);
        if (r < 0)
            return command_failed("align", "%s", strerror(-r));
    }
    if (align->plan || status != DONE)
        return status;
    if (align->table_from || !align->path_text)
        status = read_table(align);
    if (status == DONE && align->peers_from)
        status = read_sockets(&align->peers, align->peers_from);
    if (status == DONE)
        status = align->sockets_from ? read_sockets(&align->sockets, align->sockets_from)
                                     : read_live(align);
    return status;
}
