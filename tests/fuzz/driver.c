/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a fuzz target on files and directories given, on its own examples, and on random changes of
 * them. For more than the ordinary tests, leave this file out and let libFuzzer drive the same
 * target:
 *
 *     fuzz_packet --seconds 0 --write-corpus DIR
 *     clang -fsanitize=fuzzer,address,undefined ... tests/fuzz/fuzz_packet.c middlebox/engine/...
 * && ./a.out DIR
 */
#include "tests/fuzz/corpus.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HANG_SECONDS 20

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));
const char *__ubsan_default_options(void);
const char *__asan_default_options(void);

/* What runs now, for the handlers. */
static const uint8_t *volatile current;
static volatile size_t current_size;
static volatile uint64_t runs;
static char crash_path[256];

/* The undefined behaviour sanitizer only prints unless told, and then tells nobody but by SIGABRT.
 */
const char *__ubsan_default_options(void)
{
    return "halt_on_error=1:abort_on_error=1:print_stacktrace=1";
}

const char *__asan_default_options(void)
{
    return "abort_on_error=1:detect_stack_use_after_return=1";
}

static void say(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        _exit(3);
}

/* Only what a signal handler may call. */
static void save_input(void)
{
    const uint8_t *data = current;
    int fd;

    if (!data)
        return;
    current = NULL;
    fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0 && write(fd, data, current_size) == (ssize_t)current_size) {
        say("the input is in ");
        say(crash_path);
        say("\n");
    } else {
        say("the input could not be written\n");
    }
    if (fd >= 0)
        close(fd);
}

static void on_fatal(int signal_number)
{
    save_input();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void on_alarm(int signal_number)
{
    static uint64_t seen;

    (void)signal_number;
    if (current && seen == runs) {
        say("this input takes too long\n");
        abort();
    }
    seen = runs;
    alarm(HANG_SECONDS);
}

static void catch_crashes(void)
{
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};

    signal(SIGABRT, on_fatal);
    signal(SIGALRM, on_alarm);
    alarm(HANG_SECONDS);
    if (__sanitizer_set_death_callback) {
        __sanitizer_set_death_callback(save_input);
        return; /* it reports these better than we could */
    }
    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
        signal(fatal[i], on_fatal);
}

/* In a block of its own size, so that the sanitizer sees every byte read too much. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size ? size : 1);

    if (!exact)
        abort();
    memcpy(exact, data, size);
    current_size = size;
    current = exact;
    LLVMFuzzerTestOneInput(exact, size);
    current = NULL;
    runs++;
    free(exact);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void run_changed(const struct corpus *corpus, uint64_t seed, double seconds,
                        uint64_t max_runs)
{
    static uint8_t data[CORPUS_INPUT_MAX];
    struct mutator mutator = {.state = seed, .corpus = corpus};
    double end = seconds_now() + seconds;

    for (uint64_t i = 0; i < max_runs; i++) {
        if (i % 64 == 0 && seconds_now() >= end)
            return;
        run(data, mutate(&mutator, data));
    }
}

static int usage(const char *name)
{
    fprintf(stderr,
            "usage: %s [--seconds N] [--runs N] [--seed N] [--crash FILE] [--write-corpus DIR] "
            "[FILE|DIR]...\n",
            name);
    return 2;
}

static const struct option options[] = {
    {"seconds", required_argument, NULL, 's'},      {"runs", required_argument, NULL, 'n'},
    {"seed", required_argument, NULL, 'r'},         {"crash", required_argument, NULL, 'c'},
    {"write-corpus", required_argument, NULL, 'w'}, {0},
};

int main(int argc, char **argv)
{
    uint64_t seed = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid(), max_runs = UINT64_MAX;
    const char *name = strrchr(argv[0], '/') ? strrchr(argv[0], '/') + 1 : argv[0];
    const char *crash = NULL, *write_to = NULL;
    struct corpus *corpus = NULL;
    double seconds = 3;
    int opt, r;

    while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (opt == 's')
            seconds = strtod(optarg, NULL);
        else if (opt == 'n')
            max_runs = strtoull(optarg, NULL, 10);
        else if (opt == 'r')
            seed = strtoull(optarg, NULL, 10);
        else if (opt == 'c')
            crash = optarg;
        else if (opt == 'w')
            write_to = optarg;
        else
            return usage(name);
    }
    snprintf(crash_path, sizeof(crash_path), "%s%s-%" PRIu64, crash ? crash : "crash-",
             crash ? "" : name, seed);
    if (crash)
        snprintf(crash_path, sizeof(crash_path), "%s", crash);

    r = corpus_load(&corpus, argv + optind, (size_t)(argc - optind));
    if (r == 0 && write_to)
        r = corpus_write(corpus, write_to);
    if (r < 0) {
        fprintf(stderr, "%s: corpus: %s\n", name, strerror(-r));
        corpus_destroy(corpus);
        return 3;
    }
    printf("%s: --seed %" PRIu64 ", %zu examples\n", name, seed, corpus->n);
    fflush(stdout);
    catch_crashes();
    for (size_t i = 0; i < corpus->n; i++)
        run(corpus->inputs[i].data, corpus->inputs[i].size);
    run_changed(corpus, seed, seconds, max_runs);
    printf("%s: %" PRIu64 " inputs\n", name, runs);
    corpus_destroy(corpus);
    return 0;
}
