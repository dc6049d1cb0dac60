/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/scenario/host_setting.h"
#include "tools/scenario/scenario_printer.h"

#include <string.h>

#define LABEL 96

struct printed {
    FILE *to;
    const struct scenario *scenario;
    const struct scenario_host *host;
    char label[LABEL]; /* "server keepalive" */
};

/* "server keepalive idle"; in buf. */
static const char *part(const struct printed *p, const char *word, char buf[LABEL + 16])
{
    snprintf(buf, LABEL + 16, "%s %s", p->label, word);
    return buf;
}

static uint64_t field(const struct scenario_host *host, const struct host_setting *setting)
{
    const char *from = (const char *)host + setting->offset;
    uint8_t one;
    uint16_t two;
    uint32_t four;
    uint64_t eight;

    switch (setting->size) {
    case 1:
        memcpy(&one, from, 1);
        return one;
    case 2:
        memcpy(&two, from, 2);
        return two;
    case 4:
        memcpy(&four, from, 4);
        return four;
    default:
        memcpy(&eight, from, 8);
        return eight;
    }
}

static void print_figure(const struct printed *p, const char *word, uint64_t value)
{
    char label[LABEL + 16];

    fprintf(p->to, " %s", word);
    print_number(p->to, p->scenario, part(p, word, label), value);
}

static void print_keepalive(const struct printed *p)
{
    const struct scenario_host *host = p->host;

    fputs(" keepalive", p->to);
    print_value(p->to, p->scenario, p->label,
                host->keepalive == SOFTWARE_KEEPALIVE_ON ? "on" : "off");
    if (host->set & HOST_SET_IDLE)
        print_figure(p, "idle", (uint64_t)(host->times.idle / MTIME_SEC));
    if (host->set & HOST_SET_INTERVAL)
        print_figure(p, "interval", (uint64_t)(host->times.interval / MTIME_SEC));
    if (host->set & HOST_SET_COUNT)
        print_figure(p, "count", host->times.count);
}

/* What of them was set is not known: all that can be said, and what is a preset's can stay out. */
static void print_system_keepalive(const struct printed *p)
{
    const struct keepalive_times *times = &p->host->system.keepalive;

    fputs(" tcp-keepalive", p->to);
    if (times->idle >= MTIME_SEC && times->idle % MTIME_SEC == 0)
        print_figure(p, "idle", (uint64_t)(times->idle / MTIME_SEC));
    if (times->interval >= MTIME_SEC && times->interval % MTIME_SEC == 0)
        print_figure(p, "interval", (uint64_t)(times->interval / MTIME_SEC));
    if (times->count > 0)
        print_figure(p, "count", times->count);
}

static void print_heartbeat(const struct printed *p)
{
    const struct scenario_host *host = p->host;
    char label[LABEL + 16];

    fputs(" heartbeat", p->to);
    print_duration(p->to, p->scenario, p->label, host->behaviour.heartbeat);
    if (host->set & HOST_SET_HEARTBEAT_BYTES)
        print_figure(p, "bytes", host->behaviour.heartbeat_bytes);
    if (host->set & HOST_SET_HEARTBEAT_TIMEOUT) {
        fputs(" timeout", p->to);
        print_duration(p->to, p->scenario, part(p, "timeout", label),
                       host->behaviour.heartbeat_timeout);
    }
}

static void print_answer(const struct printed *p)
{
    char label[LABEL + 16];

    fputs(" answer", p->to);
    print_number(p->to, p->scenario, p->label, p->host->behaviour.answer_bytes);
    if (p->host->behaviour.answer_after > 0 ||
        print_is_axis(p->scenario, part(p, "after", label))) {
        fputs(" after", p->to);
        print_duration(p->to, p->scenario, part(p, "after", label),
                       p->host->behaviour.answer_after);
    }
}

static bool is_set(const struct scenario_host *host, const struct host_setting *setting)
{
    switch (setting->kind) {
    case HOST_KEEPALIVE:
        return host->set & HOST_SET_KEEPALIVE;
    case HOST_APP:
        return host->software != NULL;
    case HOST_HEARTBEAT:
        return host->set & HOST_SET_HEARTBEAT;
    case HOST_ANSWER:
        return host->set & HOST_SET_ANSWER;
    case HOST_DURATION:
    case HOST_DURATION_NEVER:
    case HOST_NUMBER:
    case HOST_SWITCH:
    case HOST_FLAG:
    case HOST_SYSTEM_KEEPALIVE:
        break;
    }
    return host->set & UINT64_C(1) << (setting - host_settings);
}

static void print_setting(const struct printed *p, const struct host_setting *setting)
{
    switch (setting->kind) {
    case HOST_DURATION:
    case HOST_DURATION_NEVER:
        fprintf(p->to, " %s", setting->name);
        print_duration(p->to, p->scenario, p->label, (mtime_t)field(p->host, setting));
        break;
    case HOST_NUMBER:
        fprintf(p->to, " %s", setting->name);
        print_number(p->to, p->scenario, p->label, field(p->host, setting));
        break;
    case HOST_SWITCH:
        fprintf(p->to, " %s", setting->name);
        print_value(p->to, p->scenario, p->label, field(p->host, setting) ? "on" : "off");
        break;
    case HOST_FLAG:
        fprintf(p->to, " %s", setting->name);
        break;
    case HOST_KEEPALIVE:
        print_keepalive(p);
        break;
    case HOST_SYSTEM_KEEPALIVE:
        print_system_keepalive(p);
        break;
    case HOST_APP:
        fputs(" app", p->to);
        print_value(p->to, p->scenario, p->label, p->host->software->name);
        break;
    case HOST_HEARTBEAT:
        print_heartbeat(p);
        break;
    case HOST_ANSWER:
        print_answer(p);
        break;
    }
}

void print_host(FILE *to, const struct scenario *scenario, enum flow_side side)
{
    struct printed p = {.to = to, .scenario = scenario, .host = &scenario->host[side]};

    fputs(flow_side_name(side), to);
    snprintf(p.label, sizeof(p.label), "%s system", flow_side_name(side));
    print_value(to, scenario, p.label, p.host->system.name);
    for (size_t i = 0; i < host_setting_count; i++) {
        if (!is_set(p.host, &host_settings[i]))
            continue;
        snprintf(p.label, sizeof(p.label), "%s %s", flow_side_name(side), host_settings[i].name);
        print_setting(&p, &host_settings[i]);
    }
    putc('\n', to);
}
