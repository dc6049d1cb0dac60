/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/play/play_private.h"

#include "tools/command.h"
#include "tools/lab/directory.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int write_policy(struct play *play, size_t i)
{
    const char *text = play->scenario->firewall[i].policy_text;
    FILE *to;
    bool ok;

    snprintf(play->policy[i], sizeof(play->policy[i]), "%s/firewall%zu.conf", play->directory,
             i + 1);
    to = fopen(play->policy[i], "we");
    ok = to && fputs(text, to) >= 0;
    if (to)
        ok = fclose(to) == 0 && ok;
    return ok ? DONE : command_failed("lab", "%s: %s", play->policy[i], strerror(errno));
}

char *play_recording(const struct play *play, size_t i, unsigned start, char path[PATH_MAX])
{
    const char *directory = play->options->record ? play->options->record : play->directory;

    if (start == 0)
        snprintf(path, PATH_MAX, "%s/firewall%zu.pcapng", directory, i + 1);
    else
        snprintf(path, PATH_MAX, "%s/firewall%zu-%u.pcapng", directory, i + 1, start + 1);
    return path;
}

int play_start_firewall(struct play *play, size_t i)
{
    struct daemon *daemon = &play->daemon[i];
    int r;

    snprintf(play->name[i], sizeof(play->name[i]), "firewall%zu", i + 1);
    play_recording(play, i, play->starts[i]++, play->recording[i]);
    *daemon = (struct daemon){.space = &play->chain.place[i + 1],
                              .policy = play->policy[i],
                              .record = play->recording[i],
                              .speed = play->options->speed,
                              .directory = play->directory,
                              .name = play->name[i]};
    r = write_policy(play, i);
    if (r == DONE)
        r = daemon_start(daemon);
    if (r == DONE) {
        int error = play_listener_start(&play->listener[i], daemon->control);

        if (error < 0)
            r = command_failed("lab", "a firewall's events cannot be heard: %s", strerror(-error));
    }
    return r;
}

int play_start_agent(struct play *play, enum flow_side side)
{
    unsigned place = side == FLOW_CLIENT ? SCENARIO_CLIENT : scenario_server(play->scenario);
    struct agent_spec spec = {.space = &play->chain.place[place],
                              .host = &play->scenario->host[side],
                              .side = side,
                              .speed = play->options->speed,
                              .server = CHAIN_SERVER,
                              .port = play->scenario->host[FLOW_SERVER].port,
                              .program = play->program[side],
                              .directory = play->program_directory};
    int r = agent_start(&play->agent[side], &spec);

    return r == 0 ? DONE
                  : command_failed("lab", "the %s's application could not start: %s",
                                   flow_side_name(side), strerror(-r));
}

/* What real programs said, when one of them is the reason. */
void play_show_programs(const struct play *play)
{
    for (unsigned side = 0; side < 2; side++) {
        char path[PATH_MAX], line[512];
        FILE *from;

        if (!play->program[side])
            continue;
        snprintf(path, sizeof(path), "%s/%s.log", play->program_directory,
                 flow_side_name((enum flow_side)side));
        from = fopen(path, "re");
        while (from && fgets(line, sizeof(line), from))
            fprintf(stderr, "%s: %s", flow_side_name((enum flow_side)side), line);
        if (from)
            fclose(from);
    }
}

static int make_program_directory(struct play *play)
{
    if (!play->program[FLOW_SERVER])
        return DONE;
    snprintf(play->program_directory, sizeof(play->program_directory), "%s/programs",
             play->directory);
    if (mkdir(play->program_directory, 0755) == 0 && chmod(play->directory, 0711) == 0)
        return DONE;
    return command_failed("lab", "%s: %s", play->program_directory, strerror(errno));
}

static int start_tapes(struct play *play)
{
    for (size_t i = 0; i < play->chain.n; i++)
        for (unsigned to = 0; to < 2; to++) {
            int r;

            if (to == 0 ? i == 0 : i + 1 == play->chain.n)
                continue;
            r = tape_start(&play->tape[i][to], &play->chain.place[i],
                           to == 0 ? "toclient" : "toserver");
            if (r < 0)
                return command_failed("lab", "packets cannot be watched: %s", strerror(-r));
        }
    return DONE;
}

static int watch_sockets(struct play *play)
{
    for (unsigned side = 0; side < 2; side++) {
        unsigned place = side == FLOW_CLIENT ? SCENARIO_CLIENT : scenario_server(play->scenario);
        int r = socket_watch_start(&play->sockets[side], &play->chain.place[place],
                                   (enum flow_side)side, play->scenario->host[FLOW_SERVER].port);

        if (r < 0)
            return command_failed("lab", "sockets cannot be watched: %s", strerror(-r));
    }
    return DONE;
}

static int lose(struct play *play)
{
    int r = DONE;

    for (unsigned link = 0; r == DONE && link <= play->scenario->n_firewalls; link++)
        for (unsigned side = 0; r == DONE && side < 2; side++)
            r = chain_lose(&play->chain, link, (enum flow_side)side,
                           play->scenario->link[link].lose[side],
                           play->scenario->link[link].n_lose[side]);
    return r;
}

static void init(struct play *play)
{
    for (size_t i = 0; i < CHAIN_PLACES; i++)
        play->tape[i][0].fd = play->tape[i][1].fd = -1;
    for (size_t i = 0; i < SCENARIO_FIREWALLS; i++)
        play->listener[i].fd = -1;
    for (unsigned side = 0; side < 2; side++) {
        play->sockets[side].fd = -1;
        play->agent[side].fd = -1;
    }
}

int play_set_up(struct play *play)
{
    int r;

    init(play);
    if (readlink("/proc/self/exe", play->self, sizeof(play->self) - 1) < 0)
        return command_failed("lab", "/proc/self/exe: %s", strerror(errno));
    play->done = calloc(play->scenario->n_deeds + 1, sizeof(*play->done));
    if (!play->done)
        return command_failed("lab", "out of memory");
    r = directory_create(play->directory, sizeof(play->directory));
    if (r == DONE && play->options->record && mkdir(play->options->record, 0777) < 0 &&
        errno != EEXIST)
        r = command_failed("lab", "%s: %s", play->options->record, strerror(errno));
    if (r == DONE)
        r = make_program_directory(play);
    if (r == DONE)
        r = chain_make(&play->chain, play->scenario);
    if (r == DONE)
        r = chain_sysctls(&play->chain, play->scenario, play->options->speed);
    for (size_t i = 0; r == DONE && i < play->scenario->n_firewalls; i++)
        r = play_start_firewall(play, i);
    if (r == DONE)
        r = start_tapes(play);
    if (r == DONE)
        r = watch_sockets(play);
    if (r == DONE)
        r = lose(play);
    if (r == DONE)
        r = play_start_agent(play, FLOW_SERVER);
    if (r == DONE)
        r = play_start_agent(play, FLOW_CLIENT);
    if (r != DONE)
        play_show_programs(play);
    return r;
}

int play_stop_firewall(struct play *play, size_t i)
{
    int r = daemon_stop(&play->daemon[i]);

    (void)play_listener_take(&play->listener[i]);
    play_listener_stop(&play->listener[i]);
    return r;
}

int play_stop(struct play *play)
{
    int r = DONE;

    for (size_t i = 0; i < play->scenario->n_firewalls; i++) {
        int ended = play_stop_firewall(play, i);

        r = r == DONE ? ended : r;
    }
    return r;
}

void play_take_down(struct play *play)
{
    for (unsigned side = 0; side < 2; side++) {
        agent_end(&play->agent[side]);
        socket_watch_finish(&play->sockets[side]);
        free(play->reports[side]);
    }
    for (size_t i = 0; i < CHAIN_PLACES; i++) {
        tape_finish(&play->tape[i][0]);
        tape_finish(&play->tape[i][1]);
    }
    play_stop(play);
    for (size_t i = 0; i < SCENARIO_FIREWALLS; i++)
        play_listener_finish(&play->listener[i]);
    chain_remove(&play->chain);
    directory_remove(play->directory);
    free(play->done);
}
