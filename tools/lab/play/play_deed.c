/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/play/play_private.h"

#include "tools/command.h"
#include "tools/lab/child.h"

static enum flow_side side_of(const struct deed *deed)
{
    return deed->place == SCENARIO_CLIENT ? FLOW_CLIENT : FLOW_SERVER;
}

/* `idlewall VERB [--from SIDE]`, to that place's firewall. That no flow matches is no failure: the
 * story says what follows from it. */
static int tell_firewall(struct play *play, const struct deed *deed, const char *verb,
                         const char *from)
{
    char *argv[] = {play->self,          (char *)verb,
                    (char *)"--control", play->daemon[deed->place - 1].control,
                    (char *)"tcp",       (char *)(from ? "--from" : NULL),
                    (char *)from,        NULL};
    struct child_spec spec = {
        .output = -1, .to_stderr = true, .own_group = true, .no_input = true, .argv = argv};
    int r = child_run(&spec);

    return r == 0 || r == NO ? DONE : command_failed("lab", "%s failed", verb);
}

static bool at_firewall(const struct play *play, const struct deed *deed)
{
    return deed->place != SCENARIO_CLIENT && deed->place != scenario_server(play->scenario);
}

static int block(struct play *play, const struct deed *deed, bool on)
{
    int r = DONE;

    if (at_firewall(play, deed))
        return tell_firewall(play, deed, on ? "block" : "unblock",
                             deed->side_given ? flow_side_name(deed->side) : NULL);
    for (unsigned side = 0; r == DONE && side < 2; side++)
        if (!deed->side_given || deed->side == side)
            r = chain_block(&play->chain, deed->place, (enum flow_side)side, on);
    return r;
}

/* Silence first, so that nobody hears what its kernel says for a process that ends. */
static int crash(struct play *play, const struct deed *deed)
{
    int r = chain_quiet(&play->chain, deed->place, true);

    agent_kill(&play->agent[side_of(deed)]);
    return r == DONE ? chain_forget_sockets(&play->chain, deed->place) : r;
}

static int reboot(struct play *play, const struct deed *deed)
{
    int r = DONE;

    if (play->agent[side_of(deed)].pid > 0) /* without a crash before, it is one */
        r = crash(play, deed);
    agent_end(&play->agent[side_of(deed)]);
    if (r == DONE)
        r = chain_quiet(&play->chain, deed->place, false);
    return r == DONE ? play_start_agent(play, side_of(deed)) : r;
}

static int restart(struct play *play, const struct deed *deed)
{
    size_t i = (size_t)deed->place - 1;
    int r = play_stop_firewall(play, i);

    return r == DONE ? play_start_firewall(play, i) : r;
}

static int lose(struct play *play, const struct deed *deed)
{
    unsigned link = deed->side == FLOW_CLIENT ? deed->place : deed->place - 1u;
    uint32_t nth[64];
    size_t n = deed->number < 64 ? deed->number : 64;

    for (size_t i = 0; i < n; i++)
        nth[i] = (uint32_t)i + 1;
    return chain_lose(&play->chain, link, deed->side, nth, n);
}

int play_deed(struct play *play, const struct deed *deed)
{
    switch (deed->verb) {
    case DEED_CONNECT:
    case DEED_SEND:
    case DEED_CLOSE:
    case DEED_SHUTDOWN:
    case DEED_ABORT:
    case DEED_STOP_READING:
    case DEED_READ:
    case DEED_KEEPALIVE:
    case DEED_USER_TIMEOUT:
        return agent_tell(&play->agent[side_of(deed)], deed) == 0
                   ? DONE
                   : command_failed("lab", "the %s's application is gone",
                                    flow_side_name(side_of(deed)));
    case DEED_KILL:
        agent_kill(&play->agent[side_of(deed)]);
        return DONE;
    case DEED_CRASH:
        return crash(play, deed);
    case DEED_REBOOT:
        return reboot(play, deed);
    case DEED_LINK_DOWN:
        return chain_link(&play->chain, deed->place, false, false);
    case DEED_LINK_UP:
        return chain_link(&play->chain, deed->place, true, deed->new_address);
    case DEED_BLOCK:
        return block(play, deed, true);
    case DEED_UNBLOCK:
        return block(play, deed, false);
    case DEED_LOSE:
        return lose(play, deed);
    case DEED_PROHIBIT:
    case DEED_UNREACHABLE:
        return command_failed("lab", "%s cannot be played", deed_name(deed->verb));
    case DEED_EXPIRE:
        return tell_firewall(play, deed, "expire", NULL);
    case DEED_FORGET:
        return tell_firewall(play, deed, "forget", NULL);
    case DEED_FLOW_KILL:
        return tell_firewall(play, deed, "kill", NULL);
    case DEED_RESTART:
        return restart(play, deed);
    }
    return COULD_NOT;
}
