/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/profiles/play.h"

#include "tests/unit/wire.h"

#define START (1000 * MTIME_SEC)
/* An IP protocol without ports. */
#define ESP 50

/* Where the data of the scene end; a FIN is one more. */
enum { CLIENT_SEQ = 1011, SERVER_SEQ = 5021 };

const char *scene_name(enum scene scene)
{
    static const char *const names[SCENES] = {
        "a SYN",
        "a SYN and its answer",
        "an established connection",
        "one FIN",
        "one FIN, acknowledged",
        "both FINs",
        "both FINs, acknowledged",
        "a RST",
        "an established connection without data",
        "one UDP packet",
        "UDP without an answer",
        "UDP both ways",
        "an echo request",
        "an echo and its reply",
        "one packet of another protocol",
        "another protocol without an answer",
        "another protocol both ways",
    };
    return names[scene];
}

static struct judgement put(struct play *play, const struct wire *wire, mtime_t at)
{
    struct packet p = wire_packet(wire, at);
    struct judgement j = {0};

    play->out.judgements = &j;
    play->out.n_segments = play->out.n_events = 0;
    if (engine_packets(play->engine, &p, 1, &play->out) != 1)
        abort();
    play->out.judgements = NULL;
    return j;
}

static struct judgement tcp(struct play *play, unsigned side, uint8_t flags, uint32_t seq,
                            uint32_t ack, uint32_t len)
{
    struct wire w;

    wire_tcp(&w, 0, side, flags, seq, ack, 60000, len);
    return put(play, &w, play->silent);
}

static struct judgement plain(struct play *play, unsigned side, mtime_t at)
{
    struct wire w;

    if (play->scene <= SCENE_UDP_STREAM)
        wire_udp(&w, 0, side, 8);
    else if (play->scene <= SCENE_ICMP_REPLIED)
        wire_echo(&w, 0, side, side);
    else
        wire_ip(&w, 0, side, ESP, 16);
    return put(play, &w, at);
}

static void open_tcp(struct play *play)
{
    static const struct {
        enum scene from; /* sent by this scene and those that follow it */
        unsigned side;
        uint8_t flags;
        uint32_t seq, ack, len;
    } steps[] = {
        {SCENE_SYN_SENT, 0, TCP_SYN, 1000, 0, 0},
        {SCENE_SYN_RECV, 1, TCP_SYN | TCP_ACK, 5000, 1001, 0},
        {SCENE_ESTABLISHED, 0, TCP_ACK, 1001, 5001, 0},
        {SCENE_ESTABLISHED, 0, TCP_ACK, 1001, 5001, 10},
        {SCENE_ESTABLISHED, 1, TCP_ACK, 5001, 1011, 0},
        {SCENE_ESTABLISHED, 1, TCP_ACK, 5001, 1011, 20},
        {SCENE_ESTABLISHED, 0, TCP_ACK, CLIENT_SEQ, SERVER_SEQ, 0},
        {SCENE_FIN_WAIT, 0, TCP_FIN | TCP_ACK, CLIENT_SEQ, SERVER_SEQ, 0},
        {SCENE_CLOSE_WAIT, 1, TCP_ACK, SERVER_SEQ, CLIENT_SEQ + 1, 0},
        {SCENE_LAST_ACK, 1, TCP_FIN | TCP_ACK, SERVER_SEQ, CLIENT_SEQ + 1, 0},
        {SCENE_TIME_WAIT, 0, TCP_ACK, CLIENT_SEQ + 1, SERVER_SEQ + 1, 0},
    };
    enum scene upto = play->scene == SCENE_RESET ? SCENE_ESTABLISHED : play->scene;

    if (play->scene == SCENE_NO_DATA) {
        for (unsigned i = 0; i < 3; i++)
            tcp(play, steps[i].side, steps[i].flags, steps[i].seq, steps[i].ack, steps[i].len);
        return;
    }
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && steps[i].from <= upto; i++)
        tcp(play, steps[i].side, steps[i].flags, steps[i].seq, steps[i].ack, steps[i].len);
    if (play->scene == SCENE_RESET)
        tcp(play, 1, TCP_RST | TCP_ACK, SERVER_SEQ, CLIENT_SEQ, 0);
}

static void open_plain(struct play *play)
{
    plain(play, 0, play->silent);
    if (play->scene == SCENE_UDP_SINGLE || play->scene == SCENE_GENERIC_SINGLE)
        plain(play, 0, play->silent);
    if (play->scene == SCENE_UDP_STREAM) {
        plain(play, 1, play->silent + MTIME_SEC);
        play->silent += 3 * MTIME_SEC;
    }
    if (play->scene == SCENE_UDP_STREAM || play->scene == SCENE_ICMP_REPLIED ||
        play->scene == SCENE_GENERIC_REPLIED) {
        plain(play, 1, play->silent);
        plain(play, 0, play->silent);
    }
}

void play_open(struct play *play, struct policy *policy, enum scene scene)
{
    struct engine_config config = {.start = START, .linger = 5 * MTIME_SEC};

    memset(play, 0, sizeof(*play));
    play->scene = scene;
    play->silent = START;
    play->out = (struct outcome){
        .segments = play->segments, .max_segments = 64, .events = play->events, .max_events = 64};
    if (engine_create(&play->engine, &config, policy) < 0)
        abort();
    if (scene < SCENE_UDP_FIRST)
        open_tcp(play);
    else
        open_plain(play);
}

void play_close(struct play *play)
{
    play->engine = engine_destroy(play->engine);
}

struct judgement play_packet(struct play *play, unsigned side, enum play_packet what, mtime_t at)
{
    bool client_fin = play->scene >= SCENE_FIN_WAIT && play->scene <= SCENE_TIME_WAIT;
    bool server_fin = play->scene == SCENE_LAST_ACK || play->scene == SCENE_TIME_WAIT;
    uint32_t seq = SERVER_SEQ + server_fin, ack = CLIENT_SEQ + client_fin, swap;
    struct wire w;

    if (play->scene >= SCENE_UDP_FIRST)
        return plain(play, side, at);
    if (side == FLOW_CLIENT) {
        swap = seq;
        seq = ack;
        ack = swap;
    }
    wire_tcp(&w, 0, side, TCP_ACK, what == PLAY_PROBE ? seq - 1 : seq, ack, 60000,
             what == PLAY_DATA ? 10 : 0);
    return put(play, &w, at);
}

bool play_known(struct play *play, unsigned side, mtime_t at)
{
    struct wire w;

    /* The handshake's own next packet: an ACK would be as wrong as without a flow. */
    if (play->scene == SCENE_SYN_SENT || play->scene == SCENE_SYN_RECV) {
        wire_tcp(&w, 0, 1, TCP_SYN | TCP_ACK, 5000, 1001, 60000, 0);
        return put(play, &w, at).reason == REASON_FLOW;
    }
    if (play->scene == SCENE_NO_DATA) {
        wire_tcp(&w, 0, 1, TCP_ACK, 5001, 1001, 60000, 0);
        return put(play, &w, at).reason == REASON_FLOW;
    }
    return play_packet(play, side, PLAY_ACK, at).reason == REASON_FLOW;
}

bool play_lives(struct play *play, mtime_t at)
{
    struct engine_stats stats;

    play->out.n_segments = play->out.n_events = 0;
    if (engine_advance(play->engine, at, 100, &play->out))
        abort(); /* one flow is no more than the budget */
    engine_stats(play->engine, &stats);
    return stats.flows > 0;
}

unsigned play_sent(const struct play *play, enum segment_kind kind, unsigned side)
{
    uint8_t to[4];
    unsigned n = 0;

    wire_put32(to, side == FLOW_CLIENT ? 0xc0000200 : 0xc6336402);
    for (size_t i = 0; i < play->out.n_segments; i++)
        n += play->segments[i].kind == kind && memcmp(play->segments[i].data + 16, to, 4) == 0;
    return n;
}
