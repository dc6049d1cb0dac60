/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/rules_text.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

void rules_name(char name[static RULES_NAME_MAX], uint16_t queue)
{
    snprintf(name, RULES_NAME_MAX, "idlewall_%u", queue);
}

static const char *proto_name(uint8_t proto)
{
    return proto == IPPROTO_TCP ? "tcp" : "udp";
}

/* The line that starts at text, without its end; *next is where the next one starts. */
static size_t line_at(const char *text, const char **next)
{
    size_t len = strcspn(text, "\n");

    *next = text[len] ? text + len + 1 : text + len;
    return len;
}

static bool line_ends_with(const char *line, size_t len, const char *end)
{
    size_t n = strlen(end);

    return len >= n && memcmp(line + len - n, end, n) == 0;
}

/* A jump to our chain, whichever chain it is in: nobody else has business there. */
static bool is_jump(const char *line, size_t len, const char *name)
{
    char jump[RULES_NAME_MAX + 8];

    snprintf(jump, sizeof(jump), " -j %s", name);
    return len > 3 && memcmp(line, "-A ", 3) == 0 && line_ends_with(line, len, jump);
}

static bool is_chain(const char *line, size_t len, const char *name)
{
    return len == strlen(name) + 3 && memcmp(line, "-N ", 3) == 0 &&
           memcmp(line + 3, name, len - 3) == 0;
}

/* The very line that was listed, as a deletion. */
static void delete_jumps(FILE *to, const char *name, const char *listing)
{
    const char *line = listing, *next;

    for (; *line; line = next) {
        size_t len = line_at(line, &next);

        if (is_jump(line, len, name))
            fprintf(to, "-D %.*s\n", (int)len - 3, line + 3);
    }
}

static void iptables_queue(FILE *to, const struct rules_plan *plan)
{
    if (plan->queue_first == plan->queue_last)
        fprintf(to, " -j NFQUEUE --queue-num %u", plan->queue_first);
    else
        fprintf(to, " -j NFQUEUE --queue-balance %u:%u", plan->queue_first, plan->queue_last);
    fputs(plan->fail_open ? " --queue-bypass\n" : "\n", to);
}

/* Appended, not inserted: an accepted packet leaves mangle FORWARD at the queue, so rules behind
 * ours (clamping of the MSS, say) would never see it. */
static void iptables_jump(FILE *to, const struct rules_plan *plan, const char *chain,
                          const char *match, const char *name)
{
    fprintf(to, "-A %s%s -m comment --comment idlewall:%u -j %s\n", chain, match, plan->queue_first,
            name);
}

void rules_iptables_install(FILE *to, const struct rules_plan *plan, const char *listing)
{
    char name[RULES_NAME_MAX];

    rules_name(name, plan->queue_first);
    fprintf(to, "*mangle\n:%s - [0:0]\n", name); /* creates or empties it */
    delete_jumps(to, name, listing);
    fprintf(to, "-A %s -m mark --mark 0x%x/0x%x -j RETURN\n", name, RULES_MARK, RULES_MARK);
    for (size_t i = 0; i < plan->n_scope; i++) {
        const struct rules_scope *s = &plan->scope[i];

        for (unsigned side = 0; side < 2; side++) {
            fprintf(to, "-A %s -p %s --%cport %u:%u", name, proto_name(s->proto), side ? 's' : 'd',
                    s->low, s->high);
            iptables_queue(to, plan);
        }
    }
    if (plan->n_scope == 0) {
        fprintf(to, "-A %s", name);
        iptables_queue(to, plan);
    }
    if (plan->hook == RULES_FORWARD) {
        iptables_jump(to, plan, "FORWARD", "", name);
    } else {
        /* What this machine says to itself would come by twice. */
        iptables_jump(to, plan, "INPUT", " ! -i lo", name);
        iptables_jump(to, plan, "OUTPUT", "", name);
    }
    fputs("COMMIT\n", to);
}

bool rules_iptables_remove(FILE *to, uint16_t queue, const char *listing)
{
    char name[RULES_NAME_MAX];
    const char *line = listing, *next;
    bool found = false;

    rules_name(name, queue);
    for (; *line && !found; line = next) {
        size_t len = line_at(line, &next);

        found = is_chain(line, len, name);
    }
    if (!found)
        return false;
    fputs("*mangle\n", to);
    delete_jumps(to, name, listing);
    fprintf(to, "-F %s\n-X %s\nCOMMIT\n", name, name);
    return true;
}

static bool chain_bypasses(const char *listing, const char *name)
{
    char rule[RULES_NAME_MAX + 8];
    const char *line = listing, *next;

    snprintf(rule, sizeof(rule), "-A %s ", name);
    for (; *line; line = next) {
        size_t len = line_at(line, &next);

        if (len > strlen(rule) && memcmp(line, rule, strlen(rule)) == 0 &&
            line_ends_with(line, len, "--queue-bypass"))
            return true;
    }
    return false;
}

bool rules_iptables_find(const char *listing, size_t *at, uint16_t *queue, bool *fail_open)
{
    const char *line = listing + *at, *next;

    for (; *line; line = next) {
        char name[RULES_NAME_MAX];
        size_t len = line_at(line, &next);
        unsigned number;

        if (sscanf(line, "-N idlewall_%5u", &number) != 1 || number > UINT16_MAX)
            continue;
        rules_name(name, (uint16_t)number);
        if (!is_chain(line, len, name))
            continue;
        *queue = (uint16_t)number;
        *fail_open = chain_bypasses(listing, name);
        *at = (size_t)(next - listing);
        return true;
    }
    *at = (size_t)(line - listing);
    return false;
}

/* The older spelling, which every nft understands. */
static void nft_queue(FILE *to, const struct rules_plan *plan)
{
    if (plan->queue_first == plan->queue_last)
        fprintf(to, "queue num %u", plan->queue_first);
    else
        fprintf(to, "queue num %u-%u", plan->queue_first, plan->queue_last);
    fputs(plan->fail_open ? " bypass\n" : "\n", to);
}

static void nft_chain(FILE *to, const struct rules_plan *plan, const char *hook, const char *skip)
{
    fprintf(to, " chain %s {\n  type filter hook %s priority -150; policy accept;\n", hook, hook);
    fprintf(to, "  meta mark & 0x%x == 0x%x return\n%s", RULES_MARK, RULES_MARK, skip);
    for (size_t i = 0; i < plan->n_scope; i++) {
        const struct rules_scope *s = &plan->scope[i];

        for (unsigned side = 0; side < 2; side++) {
            fprintf(to, "  %s %cport %u-%u ", proto_name(s->proto), side ? 's' : 'd', s->low,
                    s->high);
            nft_queue(to, plan);
        }
    }
    if (plan->n_scope == 0) {
        fputs("  ", to);
        nft_queue(to, plan);
    }
    fputs(" }\n", to);
}

void rules_nft_install(FILE *to, const struct rules_plan *plan)
{
    char name[RULES_NAME_MAX];

    rules_name(name, plan->queue_first);
    /* To add what may be there and then delete it never fails: nft's idiom for "replace". */
    fprintf(to, "add table inet %s\ndelete table inet %s\ntable inet %s {\n", name, name, name);
    if (plan->hook == RULES_FORWARD) {
        nft_chain(to, plan, "forward", "");
    } else {
        nft_chain(to, plan, "input", "  iifname \"lo\" return\n");
        nft_chain(to, plan, "output", "");
    }
    fputs("}\n", to);
}

void rules_nft_remove(FILE *to, uint16_t queue)
{
    char name[RULES_NAME_MAX];

    rules_name(name, queue);
    fprintf(to, "delete table inet %s\n", name);
}

static bool parse_port(const char **text, uint16_t *port)
{
    char *end;
    unsigned long v;

    if (**text < '0' || **text > '9')
        return false;
    v = strtoul(*text, &end, 10);
    *text = end;
    *port = (uint16_t)v;
    return v >= 1 && v <= UINT16_MAX;
}

int rules_scope_parse(struct rules_plan *plan, const char *text, const char **why)
{
    plan->n_scope = 0;
    for (;; text++) {
        struct rules_scope *s = &plan->scope[plan->n_scope];

        if (plan->n_scope == RULES_SCOPES) {
            *why = "more than 64 entries";
            return -EINVAL;
        }
        if (strncmp(text, "tcp/", 4) != 0 && strncmp(text, "udp/", 4) != 0) {
            *why = "each entry is tcp/PORT or udp/PORT, or a range of ports as tcp/1000-1010";
            return -EINVAL;
        }
        s->proto = text[0] == 't' ? IPPROTO_TCP : IPPROTO_UDP;
        text += 4;
        if (!parse_port(&text, &s->low)) {
            *why = "a port is a number from 1 to 65535";
            return -EINVAL;
        }
        s->high = s->low;
        if (*text == '-') {
            text++;
            if (!parse_port(&text, &s->high) || s->high < s->low) {
                *why = "a range of ports goes up, from 1 to 65535";
                return -EINVAL;
            }
        }
        plan->n_scope++;
        if (*text == '\0')
            return 0;
        if (*text != ',') {
            *why = "entries are separated by commas";
            return -EINVAL;
        }
    }
}
