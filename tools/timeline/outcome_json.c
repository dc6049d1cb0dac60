/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The schema is documented in idlewall-scenario(5). */
#include "tools/timeline/json_out.h"
#include "tools/timeline/outcome.h"
#include "tools/timeline/written.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* More connections than these are only counted. */
#define SHOWN 1000

static void put_side(FILE *to, const char *name, const struct outcome_side *side)
{
    json_out_name(to, name);
    fprintf(to, "{\"state\":");
    json_out_string(to, side->state == SOCKET_GONE ? NULL : socket_state_name(side->state));
    json_out_seconds(to, "noticed_s", side->noticed);
    json_out_text(to, "error", side->error ? errno_name(side->error) : NULL);
    json_out_bool(to, "eof", side->eof);
    json_out_bool(to, "closed", side->closed);
    json_out_bool(to, "gave_up", side->gave_up);
    json_out_bool(to, "believes", side->believes);
    json_out_bool(to, "crashed", side->crashed);
    json_out_number(to, "probes", side->probes);
    json_out_number(to, "retransmits", side->retransmits);
    fputc('}', to);
}

static void put_forgotten(FILE *to, const struct timeline *timeline,
                          const struct outcome_connection *o)
{
    bool idle = o->forgotten_by >= 0 && o->forgotten_after > 0;

    json_out_text(to, "forgotten_by",
                  o->forgotten_by < 0
                      ? NULL
                      : scenario_place_name(timeline->scenario, (unsigned)o->forgotten_by));
    json_out_seconds(to, "forgotten_s", o->forgotten_at);
    json_out_text(to, "timeout_name", idle ? policy_timeout_name(o->forgotten_timeout) : NULL);
    json_out_seconds(to, "timeout_s", idle ? o->forgotten_after : MTIME_NEVER);
    json_out_seconds(to, "late_s", o->late_at);
    json_out_text(to, "late_action", o->late ? event_action_name(o->late_action) : NULL);
}

static void put_connection(FILE *to, const struct timeline *timeline,
                           const struct outcome_connection *o)
{
    fprintf(to, "{\"connection\":%u", o->connection);
    json_out_bool(to, "broken", o->broken);
    put_forgotten(to, timeline, o);
    json_out_seconds(to, "longest_idle_s", o->longest_idle);
    put_side(to, "client", &o->side[FLOW_CLIENT]);
    put_side(to, "server", &o->side[FLOW_SERVER]);
    fputc('}', to);
}

/* In one line, as the paragraph for people. */
static int put_text(FILE *to, const struct timeline *timeline)
{
    char *text = NULL;
    size_t len = 0;
    FILE *paragraph = open_memstream(&text, &len);
    int r;

    if (!paragraph)
        return -ENOMEM;
    r = story_outcome_text(paragraph, timeline, UINT32_MAX);
    if (fclose(paragraph) != 0)
        r = -ENOMEM;
    if (r == 0) {
        text[strcspn(text, "\n")] = '\0';
        json_out_text(to, "text", text);
    }
    free(text);
    return r;
}

int story_outcome_json(FILE *to, const struct timeline *timeline)
{
    struct outcome_connection *all = NULL;
    uint32_t n = 0, broken = 0, believes[2] = {0};
    int r = story_outcomes(timeline, &all, &n);

    if (r < 0)
        return r;
    for (uint32_t i = 0; i < n; i++) {
        broken += all[i].broken;
        believes[FLOW_CLIENT] += all[i].side[FLOW_CLIENT].believes;
        believes[FLOW_SERVER] += all[i].side[FLOW_SERVER].believes;
    }
    json_out_begin(to, "outcome");
    json_out_number(to, "connections", n);
    json_out_number(to, "broken", broken);
    json_out_number(to, "client_believes", believes[FLOW_CLIENT]);
    json_out_number(to, "server_believes", believes[FLOW_SERVER]);
    r = put_text(to, timeline);
    json_out_name(to, "outcomes");
    fputc('[', to);
    for (uint32_t i = 0; i < n && i < SHOWN; i++) {
        if (i > 0)
            fputc(',', to);
        put_connection(to, timeline, &all[i]);
    }
    fputc(']', to);
    json_out_end(to);
    free(all);
    if (r < 0)
        return r;
    return written_status(to);
}
