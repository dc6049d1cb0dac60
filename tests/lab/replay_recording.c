/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * replay_recording RECORDING [POLICY]: puts what idlewalld --record wrote through the engine again,
 * under the recorded policy or another one. Twice: the engine never told to expire anything between
 * packets, and told before each. Status 0 when every verdict and reason is the recorded one, 1 when
 * not, 3 when the file cannot be read.
 */

#include "middlebox/live/request.h"
#include "middlebox/live/ruleset.h"
#include "middlebox/record/recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROOM 64

struct replay {
    const char *policy_path; /* or NULL */
    bool advance;
    struct recording_config config;
    struct engine *engine;
    struct ruleset *ruleset;
    struct outcome out;
    struct segment segments[ROOM];
    struct event events[ROOM];
    unsigned long packets, differ, commands;
    bool gap;
};

static unsigned classify(void *arg, const struct policy *policy, const struct flow *flow)
{
    const struct replay *r = arg;

    (void)policy;
    return ruleset_classify(r->ruleset, flow);
}

static void say(void *arg, const char *message)
{
    (void)arg;
    fprintf(stderr, "%s\n", message);
}

static int make_ruleset(struct replay *r, const char *text, size_t len, struct ruleset **out)
{
    struct policy *policy;
    int error = policy_parse(&policy, "policy", text, len, say, NULL);

    return error < 0 ? error : ruleset_create(out, policy, say, r);
}

static int make_ruleset_of_file(struct replay *r, struct ruleset **out)
{
    FILE *from = fopen(r->policy_path, "r");
    char *text = malloc(POLICY_TEXT_MAX);
    int error = -ENOENT;

    if (from && text)
        error = make_ruleset(r, text, fread(text, 1, POLICY_TEXT_MAX, from), out);
    free(text);
    if (from)
        fclose(from);
    return error;
}

static int take_policy(struct replay *r, const struct recording_item *item)
{
    struct engine_config config = {
        .start = r->config.start, .linger = r->config.linger, .classify = classify, .arg = r};
    struct ruleset *ruleset;
    int error;

    if (r->engine && r->policy_path)
        return 0;
    error = r->policy_path ? make_ruleset_of_file(r, &ruleset)
                           : make_ruleset(r, item->text, item->len, &ruleset);
    if (error < 0)
        return error;
    if (r->engine)
        error = engine_set_policy(r->engine, ruleset->policy);
    else
        error = engine_create(&r->engine, &config, ruleset->policy);
    ruleset_unref(r->ruleset);
    r->ruleset = ruleset;
    return error;
}

static void drain(struct replay *r)
{
    r->out.n_segments = r->out.n_events = 0;
}

static int take_packet(struct replay *r, struct recording_item *item)
{
    struct judgement got;

    packet_decode(&item->packet);
    while (r->advance && engine_advance(r->engine, item->time, 1000, &r->out))
        drain(r);
    drain(r);
    r->out.judgements = &got;
    if (engine_packets(r->engine, &item->packet, 1, &r->out) != 1)
        return -EPROTO;
    drain(r);
    r->packets++;
    if (got.verdict == item->judgement.verdict && got.reason == item->judgement.reason)
        return 0;
    if (r->differ++ < 10)
        printf("packet %lu at %.9f s: recorded %s, %s; now %s, %s\n", r->packets,
               mtime_seconds(item->time), item->judgement.verdict ? "drop" : "accept",
               reason_name(item->judgement.reason), got.verdict ? "drop" : "accept",
               reason_name(got.reason));
    return 0;
}

struct match {
    const struct request *request;
    mtime_t now;
};

static bool match(void *arg, const struct flow *flow)
{
    const struct match *m = arg;

    return request_matches(m->request, m->now, flow);
}

static int take_command(struct replay *r, const struct recording_item *item)
{
    struct request request;
    struct match m = {.request = &request, .now = item->time};
    char why[256];
    int error = request_parse(&request, item->text, item->len, why, sizeof(why));

    if (error < 0)
        return error;
    struct engine_command command = {.verb = request_verb(&request),
                                     .side_given = request.has_from,
                                     .side = request.from,
                                     .match = match,
                                     .arg = &m};
    while (engine_command(r->engine, item->time, &command, &r->out))
        drain(r);
    drain(r);
    r->commands++;
    request_finish(&request);
    return 0;
}

static int take(struct replay *r, struct recording_item *item)
{
    if (item->kind == RECORDING_CONFIG) {
        r->config = item->config;
        return 0;
    }
    if (item->kind == RECORDING_POLICY)
        return take_policy(r, item);
    if (!r->engine)
        return -EINVAL;
    if (item->kind == RECORDING_PACKET)
        return take_packet(r, item);
    if (item->kind == RECORDING_COMMAND)
        return take_command(r, item);
    printf("from here on not replayable: %.*s\n", (int)item->len, item->text);
    r->gap = true;
    return 0;
}

static int replay(const char *path, const char *policy_path, bool advance)
{
    static struct replay r;
    struct recording_reader *reader = NULL;
    struct recording_item item;
    FILE *from = fopen(path, "r");
    int error = -ENOENT;

    r = (struct replay){.policy_path = policy_path, .advance = advance};
    r.out = (struct outcome){
        .segments = r.segments, .max_segments = ROOM, .events = r.events, .max_events = ROOM};
    if (from)
        error = recording_reader_create(&reader, from);
    if (error == 0) {
        while (!r.gap && (error = recording_next(reader, &item)) == 1) {
            error = take(&r, &item);
            if (error < 0)
                break;
        }
    }
    if (r.engine && engine_check(r.engine)) {
        printf("engine: %s\n", engine_check(r.engine));
        error = -EPROTO;
    }
    printf("%lu packets, %lu commands, %lu verdicts differ (%s)\n", r.packets, r.commands, r.differ,
           advance ? "expired in time" : "expired only on sight");
    if (error < 0)
        fprintf(stderr, "%s: %s\n", path, strerror(-error));
    engine_destroy(r.engine);
    ruleset_unref(r.ruleset);
    recording_reader_destroy(reader);
    if (from)
        fclose(from);
    return error < 0 ? 3 : r.differ > 0;
}

int main(int argc, char *argv[])
{
    const char *policy = argc > 2 ? argv[2] : NULL;
    int first, second;

    if (argc < 2)
        return 2;
    first = replay(argv[1], policy, false);
    second = replay(argv[1], policy, true);
    return first > second ? first : second;
}
