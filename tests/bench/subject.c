/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bench/subject.h"

#include "policy/policy_parse.h"
#include "tests/bench/traffic.h"

#include <errno.h>
#include <string.h>

unsigned subject_judge(struct subject *s, const struct packet *packets, unsigned n)
{
    unsigned dropped = 0;

    for (unsigned done = 0; done < n;) {
        s->out.n_segments = s->out.n_events = 0;
        done += (unsigned)engine_packets(s->engine, packets + done, n - done, &s->out);
    }
    for (unsigned i = 0; i < n; i++)
        dropped += s->judgements[i].verdict == VERDICT_DROP;
    return dropped;
}

static void open_flow(struct subject *s, uint32_t flow)
{
    uint8_t bytes[3][TRAFFIC_BYTES];
    struct packet packets[3];

    memset(packets, 0, sizeof(packets));
    for (unsigned i = 0; i < 3; i++) {
        packets[i].data = bytes[i];
        packets[i].caplen = packets[i].len =
            (uint32_t)traffic_packet(bytes[i], flow, (enum traffic_step)i);
        packets[i].time = MTIME_SEC;
        packet_decode(&packets[i]);
    }
    subject_judge(s, packets, 3);
}

int subject_init(struct subject *s, uint32_t flows)
{
    struct engine_config config = {.max_flows = 2 * flows + 1024, .start = MTIME_SEC};
    struct policy *policy;
    struct engine_stats stats;
    int r = policy_from_profile(&policy, "aws-nat-gateway");

    if (r < 0)
        return r;
    memset(s, 0, sizeof(*s));
    s->out = (struct outcome){.judgements = s->judgements,
                              .segments = s->segments,
                              .max_segments = SUBJECT_BATCH,
                              .events = s->events,
                              .max_events = SUBJECT_BATCH};
    memcpy(config.hash_secret, "a known secret..", 16); /* the same work in every run */
    r = engine_create(&s->engine, &config, policy);
    policy_unref(policy);
    if (r < 0)
        return r;
    for (uint32_t i = 0; i < flows; i++)
        open_flow(s, i);
    engine_stats(s->engine, &stats);
    return stats.by_state[FLOW_ESTABLISHED] == flows ? 0 : -EPROTO;
}

void subject_finish(struct subject *s)
{
    s->engine = engine_destroy(s->engine);
}

double subject_bytes_a_flow(const struct subject *s)
{
    struct engine_stats stats;

    engine_stats(s->engine, &stats);
    return stats.flows ? (double)stats.memory / stats.flows : 0;
}
