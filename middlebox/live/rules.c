/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/rules.h"
#include "middlebox/live/command.h"
#include "middlebox/live/nfqueue_proc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct iptables {
    const char *list, *restore;
};
static const struct iptables iptables[2] = {
    {"iptables", "iptables-restore"},
    {"ip6tables", "ip6tables-restore"},
};

__attribute__((format(printf, 2, 3))) static void sayf(rules_say_fn say, const char *format, ...)
{
    char message[512];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    message[strcspn(message, "\n")] = '\0';
    say(message);
}

/* The tables that matter here: a kernel without IPv6 has no ip6tables either. */
static unsigned families(void)
{
    return access("/proc/net/if_inet6", F_OK) == 0 ? 2 : 1;
}

/* Runs argv and frees what it says unless out is given. A failure is said when say is given. */
static int run(const char *const argv[], const char *input, size_t len, struct command_output *out,
               rules_say_fn say)
{
    struct command_output mine;
    int r = command_run(&mine, argv, input, len);

    if (r == 0 && mine.status != 0) {
        if (say)
            sayf(say, "%s: %s", argv[0], mine.err[0] ? mine.err : "failed");
        if (say && strstr(mine.err, "NFQUEUE"))
            say("this kernel has no queue for packets: it needs CONFIG_NETFILTER_XT_TARGET_NFQUEUE "
                "(module xt_NFQUEUE), or for nft CONFIG_NFT_QUEUE");
        r = -EIO;
    } else if (r < 0 && say) {
        sayf(say, "%s: %s", argv[0], r == -ENOENT ? "not installed" : strerror(-r));
    }
    if (r < 0 || !out)
        command_output_finish(&mine);
    else
        *out = mine;
    return r;
}

static int iptables_listing(const struct iptables *tables, struct command_output *out,
                            rules_say_fn say)
{
    const char *const argv[] = {tables->list, "-w", "10", "-t", "mangle", "-S", NULL};

    return run(argv, NULL, 0, out, say);
}

static int iptables_restore(const struct iptables *tables, const char *text, size_t len,
                            rules_say_fn say)
{
    const char *const argv[] = {tables->restore, "-w", "10", "--noflush", NULL};

    return run(argv, text, len, NULL, say);
}

static int iptables_remove(const struct iptables *tables, uint16_t queue, const char *listing,
                           rules_say_fn say)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    bool any;
    int r = 0;

    if (!to)
        return -ENOMEM;
    any = rules_iptables_remove(to, queue, listing);
    if (fclose(to) != 0)
        r = -ENOMEM;
    if (r == 0 && any)
        r = iptables_restore(tables, text, len, say);
    free(text);
    return r;
}

/* Rules of other daemons whose queue nobody listens to any more. */
static void iptables_sweep(const struct iptables *tables, uint16_t own, const char *listing,
                           rules_say_fn say)
{
    size_t at = 0;
    uint16_t queue;
    bool fail_open;

    while (rules_iptables_find(listing, &at, &queue, &fail_open)) {
        if (queue == own || nfqueue_is_bound(queue))
            continue;
        if (fail_open)
            iptables_remove(tables, queue, listing, say);
        else
            sayf(say,
                 "%s: a dead idlewalld with `fail closed` left rules on queue %u, which keep "
                 "traffic "
                 "closed; start it again on that queue to take them over",
                 tables->list, queue);
    }
}

static int iptables_install(const struct iptables *tables, const struct rules_plan *plan,
                            rules_say_fn say)
{
    struct command_output listing;
    char *text = NULL;
    size_t len;
    FILE *to;
    int r = iptables_listing(tables, &listing, say);

    if (r < 0)
        return r;
    iptables_sweep(tables, plan->queue_first, listing.out, say);
    to = open_memstream(&text, &len);
    r = to ? 0 : -ENOMEM;
    if (to) {
        rules_iptables_install(to, plan, listing.out);
        if (fclose(to) != 0)
            r = -ENOMEM;
    }
    if (r == 0)
        r = iptables_restore(tables, text, len, say);
    free(text);
    command_output_finish(&listing);
    return r;
}

static int nft_run(const char *text, size_t len, rules_say_fn say)
{
    const char *const argv[] = {"nft", "-f", "-", NULL};

    return run(argv, text, len, NULL, say);
}

static int nft_install(const struct rules_plan *plan, rules_say_fn say)
{
    char *text = NULL;
    size_t len;
    FILE *to = open_memstream(&text, &len);
    int r;

    if (!to)
        return -ENOMEM;
    rules_nft_install(to, plan);
    r = fclose(to) == 0 ? nft_run(text, len, say) : -ENOMEM;
    free(text);
    return r;
}

static bool nft_has_table(uint16_t queue)
{
    char name[RULES_NAME_MAX];
    const char *const argv[] = {"nft", "list", "table", "inet", name, NULL};

    rules_name(name, queue);
    return run(argv, NULL, 0, NULL, NULL) == 0;
}

static int nft_remove(uint16_t queue, rules_say_fn say)
{
    char text[64];
    FILE *to;

    if (!nft_has_table(queue))
        return 0;
    to = fmemopen(text, sizeof(text), "w");
    if (!to)
        return -ENOMEM;
    rules_nft_remove(to, queue);
    fclose(to);
    return nft_run(text, strlen(text), say);
}

static int iptables_remove_all(uint16_t queue, rules_say_fn say)
{
    int result = 0;

    for (unsigned i = 0; i < families(); i++) {
        struct command_output listing;
        int r = iptables_listing(&iptables[i], &listing, say);

        if (r == 0) {
            r = iptables_remove(&iptables[i], queue, listing.out, say);
            command_output_finish(&listing);
        }
        if (r < 0)
            result = r;
    }
    return result;
}

int rules_install(const struct rules_plan *plan, enum rules_backend *backend, rules_say_fn say)
{
    int r;

    if (*backend == RULES_NFT)
        return nft_install(plan, say);
    /* The only sure way to learn whether the kernel has nft's queue is to ask it to. */
    if (*backend == RULES_NONE && nft_install(plan, NULL) == 0) {
        /* A predecessor may have used the other way. */
        iptables_remove_all(plan->queue_first, NULL);
        *backend = RULES_NFT;
        return 0;
    }
    for (unsigned i = 0; i < families(); i++) {
        r = iptables_install(&iptables[i], plan, say);
        if (r < 0) {
            if (*backend == RULES_NONE)
                iptables_remove_all(plan->queue_first, NULL);
            return r;
        }
    }
    if (*backend == RULES_NONE)
        nft_remove(plan->queue_first, NULL);
    *backend = RULES_IPTABLES;
    return 0;
}

int rules_remove(uint16_t queue, enum rules_backend backend, rules_say_fn say)
{
    switch (backend) {
    case RULES_NFT:
        return nft_remove(queue, say);
    case RULES_IPTABLES:
        return iptables_remove_all(queue, say);
    case RULES_NONE:
        break;
    }
    return 0;
}
