/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * CPU a packet of the queue's thread: the whole engine against a loop of the same shape that
 * accepts all. Both take turns, 2,000 packets each, in one process on one queue, so that the
 * machine's moods hit both alike; the kernel's share (receive, verdict, sending the packet on) is
 * in both figures. usage: bench_live FLOWS PACKETS     (root; makes a network namespace of its own)
 */

#include "middlebox/live/nfqueue.h"
#include "tests/bench/subject.h"
#include "tests/bench/traffic.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define QUEUE 7
#define TURN 2000 /* packets */
#define MOST_TURNS 100000
#define FILL_NS 15000000 /* enough for a turn at 150,000 packets/s */

static double thread_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Engine time: the subject's flows were opened a moment before the first call. */
static mtime_t engine_now(void)
{
    static mtime_t start;
    struct timespec t;
    mtime_t now;

    clock_gettime(CLOCK_MONOTONIC, &t);
    now = t.tv_sec * MTIME_SEC + t.tv_nsec;
    if (start == 0)
        start = now;
    return 2 * MTIME_SEC + now - start;
}

static void stay_on(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof(set), &set); /* without it the figures are only less steady */
}

static int run(const char *line)
{
    extern char **environ;
    char text[256], *argv[32], *save = NULL;
    int n = 0, status = 0;
    pid_t pid;

    snprintf(text, sizeof(text), "%s", line);
    for (char *word = strtok_r(text, " ", &save); word && n < 31; word = strtok_r(NULL, " ", &save))
        argv[n++] = word;
    argv[n] = NULL;
    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;

    if (fd >= 0)
        close(fd);
    return ok ? 0 : -1;
}

static int open_tun(const char *name)
{
    struct ifreq ifr = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

    snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
    if (fd >= 0 && ioctl(fd, TUNSETIFF, &ifr) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Packets written to one tun device come in there, are forwarded through the queue, and end in
 * another, which nobody reads: its short queue fills and throws them away. */
static int make_gateway(void)
{
    static const char *const lines[] = {
        "ip link set lo up",
        "ip link set in0 up",
        "ip route add 192.0.2.0/24 dev in0",
        "ip link set out0 up",
        "ip addr add 198.51.100.1/24 dev out0",
        "iptables -t mangle -A FORWARD -j NFQUEUE --queue-num 7",
    };
    int tun;

    if (unshare(CLONE_NEWNET) < 0)
        return -1;
    tun = open_tun("in0");
    if (tun < 0 || open_tun("out0") < 0) /* both live as long as the process */
        return -1;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (run(lines[i]) < 0) {
            fprintf(stderr, "bench_live: failed: %s\n", lines[i]);
            return -1;
        }
    if (write_file("/proc/sys/net/ipv4/ip_forward", "1") < 0)
        return -1;
    return tun;
}

static void generate(int tun, uint32_t flows)
{
    uint64_t seed = 88172645463325252u;
    uint8_t bytes[TRAFFIC_BYTES];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    stay_on(1);
    for (;;) {
        size_t len = traffic_packet(bytes, (uint32_t)(traffic_random(&seed) % flows), TRAFFIC_DATA);
        if (write(tun, bytes, len) < 0 && errno != ENOBUFS && errno != EAGAIN)
            _exit(1);
    }
}

struct turns {
    double ns[2]; /* by variant */
    double ratio[MOST_TURNS];
    size_t n;
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static unsigned judge_all(struct subject *s, struct nfqueue_batch *batch)
{
    mtime_t now = engine_now();
    unsigned dropped;

    for (unsigned i = 0; i < batch->n; i++) {
        batch->packet[i].time = now;
        packet_decode(&batch->packet[i]);
    }
    dropped = subject_judge(s, batch->packet, batch->n);
    for (unsigned i = 0; i < batch->n; i++)
        batch->drop[i] = s->judgements[i].verdict == VERDICT_DROP;
    return dropped;
}

/* Until the kernel's queue holds a turn: a program that waits for packets pays for its waking up,
 * the quicker one more often, and then the figures are about the generator. Sleeping costs no CPU
 * time. */
static void let_queue_fill(void)
{
    const struct timespec pause = {.tv_nsec = FILL_NS};

    nanosleep(&pause, NULL);
}

/* One turn of a variant; ns a packet, negative on failure. */
static double take_turn(struct nfqueue *queue, struct subject *s, bool full, unsigned *dropped)
{
    static struct nfqueue_batch batch;
    struct pollfd wait = {.fd = nfqueue_fd(queue), .events = POLLIN};
    double start;
    unsigned n = 0;

    let_queue_fill();
    start = thread_ns();

    while (n < TURN) {
        int r = nfqueue_receive(queue, &batch);
        if (r < 0 && r != -ENOBUFS)
            return -1;
        if (batch.n == 0) {
            if (poll(&wait, 1, 2000) <= 0)
                return -1;
            continue;
        }
        if (full)
            *dropped += judge_all(s, &batch);
        else
            memset(batch.drop, 0, batch.n);
        if (nfqueue_verdicts(queue, &batch) < 0)
            return -1;
        n += batch.n;
    }
    return (thread_ns() - start) / n;
}

static int measure(struct nfqueue *queue, struct subject *s, uint64_t packets, struct turns *t)
{
    uint64_t turns = packets / (2 * TURN);
    unsigned dropped = 0;

    if (turns > MOST_TURNS)
        turns = MOST_TURNS;
    for (uint64_t i = 0; i < turns + 5; i++) {
        double accept = take_turn(queue, s, false, &dropped);
        double full = take_turn(queue, s, true, &dropped);

        if (accept < 0 || full < 0)
            return -1;
        if (i < 5)
            continue; /* warm-up */
        t->ns[0] += accept;
        t->ns[1] += full;
        t->ratio[t->n++] = full / accept;
    }
    if (dropped) {
        fprintf(stderr, "bench_live: %u packets were dropped: not the path that was meant\n",
                dropped);
        return -1;
    }
    qsort(t->ratio, t->n, sizeof(double), by_value);
    return 0;
}

int main(int argc, char **argv)
{
    static struct subject s;
    static struct turns t;
    struct nfqueue *queue = NULL;
    uint32_t flows = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 64;
    uint64_t packets = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    int tun, r, result = 3;
    pid_t child = -1;

    if (flows == 0 || flows > TRAFFIC_MOST_FLOWS || packets < 2 * TURN) {
        fprintf(stderr, "usage: bench_live FLOWS PACKETS\n");
        return 2;
    }
    tun = make_gateway();
    if (tun < 0) {
        perror("bench_live: no gateway (needs root, /dev/net/tun, iptables with NFQUEUE)");
        return 3;
    }
    r = nfqueue_create(&queue, QUEUE);
    if (r < 0) {
        fprintf(stderr, "bench_live: %s\n", strerror(-r));
        return 3;
    }
    /* Before the table is filled: a fork would make every first write to it a copy, and cost it its
     * huge pages. */
    child = fork();
    if (child == 0)
        generate(tun, flows);
    r = subject_init(&s, flows);
    if (r < 0) {
        fprintf(stderr, "bench_live: %s\n", strerror(-r));
        goto out;
    }
    stay_on(0);
    if (child > 0 && measure(queue, &s, packets, &t) == 0 && t.n) {
        printf("accept_all_ns_per_packet flows=%u %.0f\n", flows, t.ns[0] / (double)t.n);
        printf("full_engine_ns_per_packet flows=%u %.0f\n", flows, t.ns[1] / (double)t.n);
        printf("cpu_ratio flows=%u %.3f (quartiles %.3f %.3f, %zu pairs of turns)\n", flows,
               t.ratio[t.n / 2], t.ratio[t.n / 4], t.ratio[t.n * 3 / 4], t.n);
        result = 0;
    }
out:
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    subject_finish(&s);
    nfqueue_destroy(queue);
    return result;
}
