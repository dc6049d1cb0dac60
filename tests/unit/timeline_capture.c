/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * timeline_capture DIR [CASE]: writes the captures of the story made by hand, or of a shipped case
 * played in virtual time, and its JSON to standard output; for timeline_pcap_test.py.
 */
#include "timeline_story.h"

#include "tools/simulate/world.h"
#include "tools/timeline/timeline_write.h"

static void play(struct story *s, const char *name)
{
    const struct scenario_shipped *shipped = scenario_shipped_find(name);

    *s = (struct story){0};
    story_need(shipped ? 0 : -ENOENT);
    story_need(
        scenario_parse(&s->scenario, name, shipped->text, shipped->len, NULL, story_fault, NULL));
    story_need(timeline_create(&s->timeline, s->scenario));
    story_need(world_play(s->scenario, s->timeline, NULL, NULL));
}

int main(int argc, char **argv)
{
    struct story s;
    int r;

    if (argc < 2)
        return 2;
    if (argc > 2)
        play(&s, argv[2]);
    else
        story_make(&s, "");
    r = timeline_write_pcap(argv[1], s.timeline);
    if (r == 0)
        r = timeline_write_json(stdout, s.timeline);
    if (r < 0)
        fprintf(stderr, "%s\n", strerror(-r));
    story_finish(&s);
    return r < 0 ? 3 : 0;
}
