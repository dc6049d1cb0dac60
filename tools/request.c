/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/request.h"

#include "middlebox/record/flow.h"
#include "policy/duration.h"
#include "tools/command.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void request_init(struct request *request, char **argv)
{
    const char *env = getenv("IDLEWALL_CONTROL");

    *request = (struct request){
        .name = argv[0],
        .control = env && *env ? env : REQUEST_CONTROL,
        .json = json_pack("{s:s}", "command", argv[0]),
        .output = STDOUT_FILENO,
    };
}

void request_drop(struct request *request)
{
    json_decref(request->json);
    request->json = NULL;
}

static int set(struct request *request, const char *member, json_t *value)
{
    if (json_object_set_new(request->json, member, value) < 0)
        return command_failed(request->name, "out of memory");
    return DONE;
}

int request_text(struct request *request, const char *member, const char *text)
{
    json_t *value = json_string(text);

    if (!value)
        return command_misused(request->name, "%s: not UTF-8", member);
    return set(request, member, value);
}

int request_word(struct request *request, const char *option, const char *member, const char *text,
                 const char *const *allowed)
{
    char list[256] = "";

    for (size_t i = 0; allowed[i]; i++) {
        if (strcmp(text, allowed[i]) == 0)
            return request_text(request, member, text);
        strncat(list, " ", sizeof(list) - strlen(list) - 1);
        strncat(list, allowed[i], sizeof(list) - strlen(list) - 1);
    }
    return command_misused(request->name, "%s %s: not one of%s", option, text, list);
}

/* What the parser allows, less `never`, which no option here takes. */
static int without_never(const char *why)
{
    static const char never[] = ", or never";
    size_t len = strlen(why);

    if (len >= sizeof(never) - 1 && strcmp(why + len - (sizeof(never) - 1), never) == 0)
        len -= sizeof(never) - 1;
    return (int)len;
}

int request_duration(struct request *request, const char *option, const char *member,
                     const char *text)
{
    const char *why = "never is no use here; allowed: 350s, 2h4min, 500ms, a number of seconds";
    mtime_t duration;

    if (duration_parse(text, &duration, &why) < 0 || duration == MTIME_NEVER)
        return command_misused(request->name, "%s %s: %.*s", option, text, without_never(why), why);
    return set(request, member, json_real(mtime_seconds(duration)));
}

int request_id(struct request *request, const char *text)
{
    unsigned long long id;
    char *end;

    errno = 0;
    id = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno || id == 0 || id > INT64_MAX)
        return command_misused(request->name, "--id %s: not a flow's number", text);
    return set(request, "id", json_integer((json_int_t)id));
}

int request_filter(struct request *request, int argc, char **argv)
{
    size_t len = 1;
    int status;
    char *text;

    if (argc == 0)
        return DONE;
    for (int i = 0; i < argc; i++)
        len += strlen(argv[i]) + 1;
    text = calloc(1, len);
    if (!text)
        return command_failed(request->name, "out of memory");
    for (int i = 0; i < argc; i++) {
        if (i > 0)
            strcat(text, " ");
        strcat(text, argv[i]);
    }
    status = request_text(request, "filter", text);
    free(text);
    return status;
}
