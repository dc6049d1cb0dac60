/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_SUMMARY_PRIVATE_H
#define IDLEWALL_SUMMARY_PRIVATE_H

#include "tools/replay/replay_summary.h"

#define SUMMARY_ACTIONS (ACTED_RATE_LIMITED + 1)

/* Counts that add up over disjoint captures and over shards. */
struct figures {
    uint64_t parts; /* runs */
    uint64_t flows, by_outcome[REPLAY_OUTCOMES], midstream;
    uint64_t packets, bytes;
    uint64_t entry_ms, observed_ms; /* the table's entries, and the time, both summed over time */
    uint64_t peak_sum;
    uint64_t opened, expired, accepted, dropped;
    struct capture_stats capture;
    uint64_t late_packets, acted[SUMMARY_ACTIONS]; /* acted: of the first late packets */
    uint64_t helped;                               /* broken that a keepalive would have kept */
    uint64_t too_slow;                             /* of them, those that had one */
};

/* Of the members of struct figures by their names in JSON: what is written is what is read. */
struct figure {
    const char *name;
    size_t offset;
};
extern const struct figure summary_figures[];
extern const size_t summary_figure_count;
static inline uint64_t *figure_at(struct figures *figures, size_t i)
{
    return (uint64_t *)(void *)((char *)figures + summary_figures[i].offset);
}
static inline uint64_t figure_of(const struct figures *figures, size_t i)
{
    return *(const uint64_t *)(const void *)((const char *)figures + summary_figures[i].offset);
}

struct server_key {
    uint8_t addr[16];
    uint16_t port;
    uint8_t family, proto; /* family 0: an empty slot */
};
struct server {
    struct server_key key;
    bool incomplete; /* was let go before, or might have been: its counts are at least these */
    uint64_t by_outcome[REPLAY_OUTCOMES], late_packets, helped;
    mtime_t longest; /* silence */
    mtime_t limit;   /* the shortest that a keepalive would have had to meet; 0: none */
};
/* Open addressing; at most SUMMARY_SERVERS in it. */
struct servers {
    struct server *slots;
    size_t n, room; /* room: 0 or a power of two */
    uint64_t let_go;
    uint64_t secret;
};
void servers_finish(struct servers *servers);
/* The server's place, made if need be; NULL without memory. Valid until the next call. */
struct server *servers_place(struct servers *servers, const struct server_key *key);
/* 0 or -ENOMEM. */
int servers_merge(struct servers *into, const struct servers *from);
/* By what they suffer, then by address; an array to be freed. NULL: none, or no memory. */
struct server *servers_sorted(const struct servers *servers);
uint64_t server_connections(const struct server *server);

struct worst {
    struct replay_flow flow; /* without its policy; limit: the one that broke it */
    char *capture;           /* owned; NULL: not known */
};

/* Broken connections that a keepalive would have kept, by what it would have had to meet. */
#define SUMMARY_LIMITS 1024 /* no policy comes near */
struct summary_limit {
    mtime_t limit;
    uint64_t helped, too_slow; /* as in struct figures */
};

struct summary {
    struct figures figures;
    uint64_t peak; /* of one part */
    mtime_t first, last;
    struct summary_limit *limits; /* ascending */
    size_t n_limits;
    char *policy;
    const char *const *captures;
    size_t n_captures;
    struct servers servers;
    struct worst worst[SUMMARY_WORST]; /* the worst first */
    size_t n_worst;
};
double summary_mean(const struct summary *summary);  /* entries */
int summary_decimals(const struct summary *summary); /* that are worth printing of it */
/* Keeps it if it is one of the worst; capture is copied. 0 or -ENOMEM. */
int summary_add_worst(struct summary *summary, const struct replay_flow *flow, const char *capture);
/* 0 or -ENOMEM. */
int summary_add_limit(struct summary *summary, mtime_t limit, uint64_t helped, uint64_t too_slow);
/* The shortest; 0: none. */
static inline mtime_t summary_limit(const struct summary *summary)
{
    return summary->n_limits > 0 ? summary->limits[0].limit : 0;
}
void replay_flow_members(FILE *to, const struct replay_flow *flow);
static inline mtime_t shorter_limit(mtime_t a, mtime_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* A keepalive whose probes reach the firewall in time although SUMMARY_LOST of them are lost. */
#define SUMMARY_LOST 2
#define SUMMARY_RTT MTIME_SEC
struct keepalive_setting {
    mtime_t idle, interval;
};
/* False if no whole seconds are short enough. */
bool keepalive_for(mtime_t limit, struct keepalive_setting *out);
/* The longest silence that the firewall sees with it. */
mtime_t keepalive_silence(const struct keepalive_setting *setting);

#endif
