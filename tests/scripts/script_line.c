/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line of a script, done. */
#include "tests/scripts/script.h"

#include "policy/duration.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool script_fault(struct script *s, const char *format, ...)
{
    va_list args;
    int n;

    if (s->fault[0])
        return false;
    n = snprintf(s->fault, sizeof(s->fault), "%s:%u: ", s->file, s->line);
    va_start(args, format);
    vsnprintf(s->fault + n, sizeof(s->fault) - (size_t)n, format, args);
    va_end(args);
    return false;
}

/* A duration, 0, never, or a sum as 100s-1ns. */
bool script_time(struct script *s, const char *word, mtime_t *out)
{
    char sign = '+';

    *out = 0;
    for (const char *at = word; sign;) {
        size_t n = strcspn(at, "+-");
        const char *why = "";
        char piece[64];
        mtime_t t = 0;

        snprintf(piece, sizeof(piece), "%.*s", (int)n, at);
        if (strcmp(piece, "0") != 0 && duration_parse(piece, &t, &why) < 0)
            return script_fault(s, "\"%s\" is no time: %s", word, why);
        *out += sign == '-' ? -t : t;
        sign = at[n];
        at += n + 1;
    }
    return true;
}

bool script_start(struct script *s)
{
    struct engine_config config = {
        .hash_secret = {1, 2, 3},
        .start = s->origin,
        .linger = s->linger,
        .wants = EVENT_BIT(EVENT_NEW) | EVENT_BIT(EVENT_UPDATE) | EVENT_BIT(EVENT_EXPIRED) |
                 EVENT_BIT(EVENT_LATE) | EVENT_BIT(EVENT_ENDED),
        .classify = script_classify,
        .arg = s,
    };
    struct policy *policy;

    if (s->engine)
        return true;
    policy = script_policy_make(s);
    if (!policy)
        return false;
    s->out.segments = s->segments;
    s->out.max_segments = SCRIPT_SEGMENTS;
    s->out.events = s->events;
    s->out.max_events = SCRIPT_EVENTS;
    if (engine_create(&s->engine, &config, policy) < 0)
        return script_fault(s, "no engine could be made");
    return true;
}

void script_finish(struct script *s)
{
    s->engine = engine_destroy(s->engine);
    script_policies_free(s);
}

static const char *const reasons[REASONS] = {
    [REASON_FLOW] = "flow",           [REASON_NEW] = "new",
    [REASON_NO_FLOW] = "no-flow",     [REASON_ADOPTED] = "adopted",
    [REASON_LATE] = "late",           [REASON_INVALID] = "invalid",
    [REASON_BLOCKED] = "blocked",     [REASON_RULE] = "rule",
    [REASON_FULL] = "full",           [REASON_DEAD] = "dead",
    [REASON_FRAGMENT] = "fragment",   [REASON_FRAGMENT_LOST] = "fragment-lost",
    [REASON_TRUNCATED] = "truncated", [REASON_MALFORMED] = "malformed",
    [REASON_CHECKSUM] = "checksum",   [REASON_PROBE] = "probe",
};

/* `client S 0:0(0) -> accept new` */
static bool send_packet(struct script *s, char **words, unsigned n)
{
    struct script_packet bytes;
    struct judgement judgement;
    struct script_flow *flow;
    struct packet p;
    unsigned side, arrow = 0;
    bool accept;

    while (arrow < n && strcmp(words[arrow], "->") != 0)
        arrow++;
    if (arrow + 3 != n)
        return script_fault(s, "... -> accept|drop REASON");
    flow = script_end(s, words[0], &side);
    if (!flow || !script_packet(s, flow, side, words + 1, arrow - 1, &bytes))
        return false;
    p = (struct packet){
        .time = s->origin + s->now,
        .data = bytes.data,
        .caplen = bytes.caplen,
        .len = bytes.len,
        .mark = bytes.mark,
        .checksum_ready = !bytes.checksum_unready,
    };
    packet_decode(&p);
    s->out.judgements = &judgement;
    if (engine_packets(s->engine, &p, 1, &s->out) != 1)
        return script_fault(s, "the packet was not consumed");
    accept = strcmp(words[arrow + 1], "accept") == 0;
    if (!accept && strcmp(words[arrow + 1], "drop") != 0)
        return script_fault(s, "\"%s\" is neither accept nor drop", words[arrow + 1]);
    if ((judgement.verdict == VERDICT_ACCEPT) != accept ||
        strcmp(reasons[judgement.reason], words[arrow + 2]) != 0)
        return script_fault(s, "the engine says: %s %s", judgement.verdict ? "drop" : "accept",
                            reasons[judgement.reason]);
    return true;
}

/* `advance [budget N] [-> done|more|waits]`; without a budget: until nothing is due. */
static bool advance(struct script *s, char **words, unsigned n)
{
    uint32_t budget = UINT32_MAX;
    const char *want = "done";
    unsigned i = 1;
    mtime_t next;
    bool more, waits;

    if (i + 1 < n && strcmp(words[i], "budget") == 0) {
        if (!script_number(s, words[i + 1], &budget))
            return false;
        i += 2;
    }
    if (i + 1 < n && strcmp(words[i], "->") == 0)
        want = words[i + 1];
    more = engine_advance(s->engine, s->origin + s->now, budget, &s->out);
    waits = !more && engine_next_deadline(s->engine, &next) && next > s->origin + s->now &&
            s->engine && strcmp(want, "waits") == 0;
    if (strcmp(want, "more") == 0 ? !more : more)
        return script_fault(s, "engine_advance() says there is %s", more ? "more" : "no more");
    if (strcmp(want, "waits") == 0 && !waits)
        return script_fault(s, "it does not wait");
    return true;
}

struct matching {
    const struct script_flow *flow; /* NULL: all */
};

static bool match(void *arg, const struct flow *shown)
{
    const struct matching *m = arg;

    return !m->flow || script_flow_matches(m->flow, shown);
}

/* `kill@a -> matched 1`, `block from client -> matched 1`, `kill all -> matched 3 waits` */
static bool command(struct script *s, enum engine_verb verb, const char *flow, char **words,
                    unsigned n)
{
    struct matching m = {0};
    struct engine_command c = {.verb = verb, .match = match, .arg = &m};
    bool all = n > 1 && strcmp(words[1], "all") == 0, waits = false;
    unsigned i = all ? 2 : 1;
    uint32_t want;

    if (!all && !(m.flow = script_flow_find(s, flow)))
        return false;
    if (i + 1 < n && strcmp(words[i], "from") == 0) {
        c.side_given = true;
        c.side = words[i + 1][0] == 's' ? FLOW_SERVER : FLOW_CLIENT;
        i += 2;
    }
    if (i + 3 > n || strcmp(words[i + 1], "matched") != 0 || !script_number(s, words[i + 2], &want))
        return script_fault(s, "VERB [all] [from SIDE] -> matched NUMBER [waits]");
    for (uint64_t before = UINT64_MAX;
         engine_command(s->engine, s->origin + s->now, &c, &s->out);) {
        waits = c.cursor == before;
        if (waits)
            break;
        before = c.cursor;
    }
    if (c.matched != want || waits != (i + 3 < n))
        return script_fault(s, "matched %llu%s", (unsigned long long)c.matched,
                            waits ? ", and waits" : "");
    return true;
}

static bool reload(struct script *s)
{
    struct policy *policy = script_policy_make(s);

    if (!policy)
        return false;
    if (engine_set_policy(s->engine, policy) < 0)
        return script_fault(s, "the engine refuses the policy");
    return true;
}

static bool define_flow(struct script *s, char **words, unsigned n)
{
    struct script_flow *f = &s->flows[s->n_flows];
    uint32_t v;

    if (n != 7 || s->n_flows == SCRIPT_FLOWS || strlen(words[1]) >= sizeof(f->name))
        return script_fault(s, "flow NAME PROTO CLIENT PORT SERVER PORT");
    *f = (struct script_flow){.isn = {1000, 5000}};
    strcpy(f->name, words[1]);
    f->family = strchr(words[3], ':') ? 6 : 4;
    if (strcmp(words[2], "tcp") == 0)
        f->proto = IPPROTO_TCP;
    else if (strcmp(words[2], "udp") == 0)
        f->proto = IPPROTO_UDP;
    else if (strcmp(words[2], "icmp") == 0)
        f->proto = f->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
    else if (script_number(s, words[2], &v))
        f->proto = (uint8_t)v;
    for (unsigned side = 0; side < 2; side++) {
        if (inet_pton(f->family == 4 ? AF_INET : AF_INET6, words[3 + 2 * side], f->addr[side]) != 1)
            return script_fault(s, "\"%s\" is no address", words[3 + 2 * side]);
        if (!script_number(s, words[4 + 2 * side], &v))
            return false;
        f->port[side] = (uint16_t)v;
    }
    s->n_flows++;
    return !s->fault[0];
}

static bool set_isn(struct script *s, char **words, unsigned n)
{
    struct script_flow *flow;
    unsigned side;

    if (n != 3 || !(flow = script_end(s, words[1], &side)))
        return script_fault(s, "isn SIDE NUMBER");
    return script_number(s, words[2], &flow->isn[side]);
}

/* Before the engine exists, and between events of one that does (then `reload` follows). */
static bool setting(struct script *s, char **words, unsigned n, const char *line, bool *was)
{
    *was = true;
    if (strcmp(words[0], "set") == 0)
        return script_policy_set(s, words + 1, n - 1, false);
    if (strcmp(words[0], "global") == 0)
        return script_policy_set(s, words + 1, n - 1, true);
    if (strcmp(words[0], "rule") == 0)
        return script_policy_rule(s, line);
    if (strcmp(words[0], "flow") == 0)
        return define_flow(s, words, n);
    if (strcmp(words[0], "isn") == 0)
        return set_isn(s, words, n);
    if (strcmp(words[0], "linger") == 0)
        return n == 2 && script_time(s, words[1], &s->linger);
    *was = false;
    return true;
}

static bool act(struct script *s, char **words, unsigned n)
{
    static const struct {
        const char *name;
        enum engine_verb verb;
    } verbs[] = {{"expire", ENGINE_EXPIRE},
                 {"forget", ENGINE_FORGET},
                 {"kill", ENGINE_KILL},
                 {"block", ENGINE_BLOCK},
                 {"unblock", ENGINE_UNBLOCK}};
    char *at = strchr(words[0], '@');
    char head[32];
    const char *flow = at ? at + 1 : "a";

    snprintf(head, sizeof(head), "%.*s", at ? (int)(at - words[0]) : 31, words[0]);
    if (strcmp(head, "state") == 0)
        return script_expect_state(s, flow, words + 1, n - 1);
    if (strcmp(head, "gone") == 0)
        return script_expect_gone(s, flow);
    if (strcmp(head, "=>") == 0)
        return script_expect_segment(s, words + 1, n - 1);
    if (strcmp(head, "event") == 0)
        return script_expect_event(s, words + 1, n - 1);
    if (strcmp(head, "count") == 0)
        return script_expect_count(s, words + 1, n - 1);

    if (!script_settled(s))
        return false;
    if (strcmp(head, "client") == 0 || strcmp(head, "server") == 0)
        return send_packet(s, words, n);
    if (strcmp(head, "advance") == 0)
        return advance(s, words, n);
    if (strcmp(head, "reload") == 0)
        return reload(s);
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(head, verbs[i].name) == 0)
            return command(s, verbs[i].verb, flow, words, n);
    return script_fault(s, "\"%s\" is nothing a script can do", words[0]);
}

/* In place; quoted words lose their quotes. */
static unsigned split(char *line, char **words)
{
    unsigned n = 0;

    while (n < SCRIPT_WORDS) {
        line += strspn(line, " \t\n");
        if (!*line || *line == '#')
            break;
        if (*line == '"') {
            words[n++] = ++line;
            line += strcspn(line, "\"");
        } else {
            words[n++] = line;
            line += strcspn(line, " \t\n");
        }
        if (*line)
            *line++ = '\0';
    }
    return n;
}

bool script_line(struct script *s, char *line)
{
    char copy[1024], *words[SCRIPT_WORDS];
    unsigned n, i = 0;
    mtime_t time;
    bool was_setting;

    snprintf(copy, sizeof(copy), "%s", line);
    n = split(copy, words);
    if (n == 0)
        return true;
    if (!setting(s, words, n, line, &was_setting) || was_setting)
        return !s->fault[0];
    if (!script_start(s))
        return false;
    if (strcmp(words[0], "at") == 0 && n > 1) {
        if (!script_time(s, words[1], &time))
            return false;
        if (time < s->now)
            return script_fault(s, "time does not run backwards");
        s->now = time;
        i = 2;
    } else if (words[0][0] == '+') {
        if (!script_time(s, words[0] + 1, &time))
            return false;
        s->now += time;
        i = 1;
    }
    return (i == n || act(s, words + i, n - i)) && script_sane(s);
}
