/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/command.h"
#include "tools/scenario_read.h"
#include "tools/simulate_command.h"
#include "tools/story_options.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char simulate_help[] =
    "usage: idlewall simulate [OPTION...] FILE|CASE|-\n"
    "       idlewall simulate --list | --show CASE | --systems | --apps\n"
    "Plays a scenario (idlewall-scenario(5)) in virtual time: a file, a shipped case, or standard\n"
    "input. It prints packets, socket timers, what the firewalls and the applications saw, and\n"
    "what came of it. With parameters that are lists or ranges, or `repeat N clients`, it prints\n"
    "a table of figures instead. The exit status is 1 if an expectation is not met.\n"
    "\n"
    "  -o, --output FORM     text (default), json (an object a line), csv (tables)\n"
    "  --svg FILE            a picture: of a story a ladder diagram, else a plot\n"
    "  --write-pcap DIR      a capture of each place along the path\n"
    "  --outcome             only what came of it\n"
    "  --quiet               nothing but expectations that are not met\n"
    "  --set 'WHO SETTING'   set or replace a setting: --set 'server keepalive idle 60,300'\n"
    "  --seed N              for all that is drawn at random\n"
    "  --threads N           that play a grid (default: as many as there are cores)\n"
    "  --list                the shipped cases\n"
    "  --show CASE           its text, to start a scenario of your own from\n"
    "  --systems, --apps     the presets for `client` and `server`, and for `app`, with figures\n"
    "  --help                this text\n"
    "\n"
    "Example: idlewall simulate oracle-dcd-answers-lost --svg story.svg\n";

enum { SEED = 256, THREADS, LIST, SHOW, SYSTEMS, APPS };

static const struct option longs[] = {
    STORY_OPTIONS,
    {"seed", required_argument, NULL, SEED},
    {"threads", required_argument, NULL, THREADS},
    {"list", no_argument, NULL, LIST},
    {"show", required_argument, NULL, SHOW},
    {"systems", no_argument, NULL, SYSTEMS},
    {"apps", no_argument, NULL, APPS},
    COMMAND_HELP,
    {0},
};

/* The command line as it was understood. */
struct request {
    struct simulate simulate;
    struct story_options options;
    bool seeded;
    uint64_t seed;
    int instead;      /* LIST, SHOW, SYSTEMS, APPS; 0: play */
    const char *show; /* the case */
    bool playing;     /* an option that only playing has */
};

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
    (void)signal;
    stopped = 1;
}

void simulate_catch(void)
{
    struct sigaction action = {.sa_handler = stop, .sa_flags = (int)SA_RESETHAND};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

bool simulate_stopped(void)
{
    return stopped;
}

static int read_number(const char *option, const char *text, uint64_t most, uint64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != '\0' || errno || *out > most)
        return command_misused("simulate", "%s %s: a whole number up to %llu is needed", option,
                               text, (unsigned long long)most);
    return DONE;
}

static int read_form(struct simulate *simulate, const char *text)
{
    static const char *const forms[] = {
        [SIMULATE_TEXT] = "text", [SIMULATE_JSON] = "json", [SIMULATE_CSV] = "csv"};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (strcmp(text, forms[i]) == 0) {
            simulate->form = (enum simulate_form)i;
            return DONE;
        }
    return command_misused("simulate", "-o %s: it is text, json or csv", text);
}

static int take(struct request *request, int code, const char *value)
{
    struct simulate *simulate = &request->simulate;
    uint64_t number = 0;
    int status = DONE;

    request->playing = request->playing || code < LIST || code > APPS;
    switch (code) {
    case 'o':
        return read_form(simulate, value);
    case SEED:
        request->seeded = true;
        return read_number("--seed", value, UINT64_MAX, &request->seed);
    case THREADS:
        status = read_number("--threads", value, 1024, &number);
        if (status == DONE && number == 0)
            return command_misused("simulate", "--threads 0: at least one is needed");
        simulate->threads = (unsigned)number;
        break;
    case LIST:
    case SHOW:
    case SYSTEMS:
    case APPS:
        if (request->instead != 0)
            return command_misused("simulate", "one of --list, --show, --systems, --apps");
        request->instead = code;
        request->show = value;
        break;
    default:
        return story_options_take(&request->options, code, value);
    }
    return status;
}

static int unknown(const char *what)
{
    const char *names[5];
    size_t n = scenario_nearest(what, names, sizeof(names) / sizeof(names[0]));

    fprintf(stderr, "idlewall simulate: no file and no case %s", what);
    for (size_t i = 0; i < n; i++)
        fprintf(stderr, "%s%s", i > 0 ? ", " : "; nearest: ", names[i]);
    fputs("\n`idlewall simulate --list` shows the cases.\n", stderr);
    return WRONG_USE;
}

static int play(struct request *request)
{
    struct simulate *simulate = &request->simulate;
    struct scenario *scenario = NULL;
    int status, r = story_options_read(&request->options, simulate->what, &scenario);

    if (r == -ENOENT && !strchr(simulate->what, '/'))
        return unknown(simulate->what);
    if (r == -EINVAL)
        return WRONG_USE;
    if (r < 0)
        return command_failed("simulate", "%s: %s", simulate->what, strerror(-r));
    if (request->seeded)
        scenario->seed = request->seed;
    simulate_catch();
    if (scenario->n_axes > 0 || scenario->workload.clients > 0)
        status = simulate_grid(simulate, scenario);
    else
        status = simulate_story(simulate, scenario);
    story_show_drop(&simulate->show);
    scenario_destroy(scenario);
    return status;
}

static int instead_of_playing(const struct request *request, int arguments)
{
    if (request->playing || arguments > 0)
        return command_misused("simulate", "--list, --show, --systems, --apps stand alone");
    switch (request->instead) {
    case LIST:
        return story_show_flush(&request->simulate.show, simulate_list());
    case SHOW:
        return story_show_flush(&request->simulate.show, simulate_show(request->show));
    case SYSTEMS:
        return story_show_flush(&request->simulate.show, simulate_systems());
    default:
        return story_show_flush(&request->simulate.show, simulate_softwares());
    }
}

static int understood(struct request *request, int argc, char **argv)
{
    if (request->instead != 0)
        return instead_of_playing(request, argc);
    if (argc != 1)
        return command_misused("simulate", argc == 0
                                               ? "a FILE or CASE is needed; --list shows the cases"
                                               : "one FILE or CASE at a time");
    if (request->simulate.show.quiet && request->simulate.show.outcome)
        return command_misused("simulate", "--quiet or --outcome, not both");
    request->simulate.what = argv[0];
    return play(request);
}

int simulate_run(int argc, char **argv)
{
    struct request request = {.simulate.show.command = "simulate"};
    int status = DONE, code;

    if (story_options_init(&request.options, &request.simulate.show, argc) < 0)
        return command_failed("simulate", "%s", strerror(ENOMEM));
    while (status == DONE && (code = command_option(argc, argv, ":o:h", longs, &status)) != -1) {
        if (code == COMMAND_OVER)
            goto out;
        status = take(&request, code, optarg);
    }
    if (status == DONE)
        status = understood(&request, argc - optind, argv + optind);
out:
    story_options_finish(&request.options);
    return status;
}
