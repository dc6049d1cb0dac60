/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/timeline/story_clock.h"

#include "middlebox/record/put.h"
#include "policy/duration.h"

#include <stdio.h>

char *story_clock(mtime_t t, char buf[STORY_TEXT])
{
    long long ms = t / MTIME_MSEC;

    if (t == MTIME_NEVER)
        snprintf(buf, STORY_TEXT, "never");
    else
        snprintf(buf, STORY_TEXT, "%lld:%02lld:%02lld.%03lld", ms / 3600000, ms / 60000 % 60,
                 ms / 1000 % 60, ms % 1000);
    return buf;
}

char *story_duration(mtime_t duration, char buf[STORY_TEXT])
{
    char text[PUT_LINE];

    *put_duration(text, duration) = '\0';
    snprintf(buf, STORY_TEXT, "%.*s", STORY_TEXT - 1, text);
    return buf;
}

char *story_span(mtime_t duration, char buf[STORY_TEXT])
{
    _Static_assert(DURATION_TEXT <= STORY_TEXT, "every duration fits");

    if (duration == MTIME_NEVER || duration < 60 * MTIME_SEC)
        return story_duration(duration, buf);
    return duration_format(duration / MTIME_SEC * MTIME_SEC, buf, STORY_TEXT);
}
