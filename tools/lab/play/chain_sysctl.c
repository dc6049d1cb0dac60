/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/play/chain.h"

#include "tools/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct sysctl {
    const char *name; /* below /proc/sys/net/ipv4 */
    int64_t value;
    bool newer; /* kernels before 6.15 do not have it: then it must be the kernel's fixed value */
    int64_t fixed;
    const char *word; /* instead of value */
};

/* A child of ours inside the namespace: only there are its own sysctls seen. Names the first that
 * fails in its exit status. */
static int set_all(const struct space *space, const struct sysctl *sysctls, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char path[128], text[32];
        int len = sysctls[i].word
                      ? snprintf(text, sizeof(text), "%s\n", sysctls[i].word)
                      : snprintf(text, sizeof(text), "%lld\n", (long long)sysctls[i].value);
        int fd;

        snprintf(path, sizeof(path), "/proc/sys/net/ipv4/%s", sysctls[i].name);
        if (i == 0 && space_enter(space->path) < 0)
            return 1;
        fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 && sysctls[i].newer && sysctls[i].value == sysctls[i].fixed)
            continue;
        if (fd < 0 || write(fd, text, (size_t)len) < 0)
            return 2 + (int)i;
        close(fd);
    }
    return 0;
}

static int in_child(const struct space *space, const struct sysctl *sysctls, size_t n)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(set_all(space, sysctls, n));
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return DONE;
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) >= 2)
        return command_failed("lab", "%s: this kernel does not take net.ipv4.%s = %lld",
                              space->name, sysctls[WEXITSTATUS(status) - 2].name,
                              (long long)sysctls[WEXITSTATUS(status) - 2].value);
    return command_failed("lab", "%s: its sysctls cannot be set", space->name);
}

static int host_sysctls(const struct space *space, const struct scenario_host *host, unsigned speed)
{
    const struct system *s = &host->system;
    mtime_t second = MTIME_SEC * (mtime_t)speed;
    /* What an application asks for is, for real programs that cannot, what their system has. */
    const struct keepalive_times *k =
        host->keepalive == SOFTWARE_KEEPALIVE_ON ? &host->times : &s->keepalive;
    struct sysctl sysctls[] = {
        {"tcp_keepalive_time", k->idle / second, false, 0, NULL},
        {"tcp_keepalive_intvl", k->interval / second, false, 0, NULL},
        {"tcp_keepalive_probes", k->count, false, 0, NULL},
        {"tcp_syn_retries", s->syn_retries, false, 0, NULL},
        {"tcp_synack_retries", s->synack_retries, false, 0, NULL},
        {"tcp_retries2", s->retries, false, 0, NULL},
        {"tcp_orphan_retries", s->orphan_retries, false, 0, NULL},
        {"tcp_fin_timeout", s->fin_timeout / second, false, 0, NULL},
        {"tcp_timestamps", s->timestamps, false, 0, NULL},
        {"tcp_sack", s->sack, false, 0, NULL},
        {"tcp_window_scaling", s->window_scale, false, 0, NULL},
        {"tcp_early_retrans", s->tail_loss_probe ? 3 : 0, false, 0, NULL},
        {"tcp_rto_min_us", s->rto_min / 1000, true, 200000, NULL},
        {"tcp_rto_max_ms", s->rto_max / MTIME_MSEC, true, 120000, NULL},
        /* Nothing learned from an earlier connection, and no ECN in the flags. */
        {"tcp_no_metrics_save", 1, false, 0, NULL},
        {"tcp_ecn", 0, false, 0, NULL},
        /* The one that the simulator has; the host's default may be another. */
        {"tcp_congestion_control", 0, false, 0, "reno"},
    };

    return in_child(space, sysctls, sizeof(sysctls) / sizeof(sysctls[0]));
}

int chain_sysctls(const struct chain *chain, const struct scenario *scenario, unsigned speed)
{
    int r = host_sysctls(&chain->place[0], &scenario->host[FLOW_CLIENT], speed);

    return r != DONE
               ? r
               : host_sysctls(&chain->place[chain->n - 1], &scenario->host[FLOW_SERVER], speed);
}
