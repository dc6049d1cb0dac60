/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef IDLEWALL_PLAY_H
#define IDLEWALL_PLAY_H

/* One engine under one profile, and packets that bring a flow into a state and leave it there. */

#include "middlebox/engine/engine.h"

/* What was seen of a flow when it fell silent. */
enum scene {
    SCENE_SYN_SENT,
    SCENE_SYN_RECV,
    SCENE_ESTABLISHED, /* data both ways, all acknowledged */
    SCENE_FIN_WAIT,    /* the client's FIN */
    SCENE_CLOSE_WAIT,  /* and its acknowledgement */
    SCENE_LAST_ACK,    /* and the server's FIN */
    SCENE_TIME_WAIT,   /* and its acknowledgement */
    SCENE_RESET,       /* established, then the server's RST */
    SCENE_NO_DATA,     /* the handshake, and nothing else */
    SCENE_UDP_FIRST,   /* one packet */
    SCENE_UDP_SINGLE,  /* two of them, no answer */
    SCENE_UDP_STREAM,  /* answered, and older than 2 s (Linux) */
    SCENE_ICMP_FIRST,
    SCENE_ICMP_REPLIED,
    SCENE_GENERIC_FIRST,
    SCENE_GENERIC_SINGLE,
    SCENE_GENERIC_REPLIED,
};
#define SCENES (SCENE_GENERIC_REPLIED + 1)
const char *scene_name(enum scene scene);

struct play {
    struct engine *engine;
    enum scene scene;
    mtime_t silent; /* the last packet's time */
    struct outcome out;
    struct segment segments[64];
    struct event events[64];
};

/* Aborts where memory is short: this is a test. */
void play_open(struct play *play, struct policy *policy, enum scene scene);
void play_close(struct play *play);
/* A packet of the flow, as an end would send it now. Is the flow known? */
bool play_known(struct play *play, unsigned side, mtime_t at);
enum play_packet { PLAY_ACK, PLAY_PROBE, PLAY_DATA };
struct judgement play_packet(struct play *play, unsigned side, enum play_packet what, mtime_t at);
/* Does the flow outlive this moment? What the engine sends meanwhile is in play->segments. */
bool play_lives(struct play *play, mtime_t at);
/* How many segments of that kind went to that side since the last packet or moment. */
unsigned play_sent(const struct play *play, enum segment_kind kind, unsigned side);

#endif
