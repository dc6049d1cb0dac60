/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The experiment alone: scenario, world and plot are this test's own, so that a point can be slow,
 * fail, or be stopped, and every figure in a table is known. */

#include "tools/scenario/scenario_parse.h"
#include "tools/simulate/experiment_private.h"
#include "tools/simulate/world.h"
#include "tools/timeline/expect.h"
#include "tools/timeline/plot.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#undef expect_check /* cmocka has a macro of this name, too */

/* ---- the scenario: one firewall, `until` says which point of the grid it is ---- */

static char fw_name[] = "fw.1";
static char *idles[] = {"900", "60", "300"};
static char *limits[] = {"5min", "1h"};
static char *words[] = {"off", "on"};
static struct axis idle = {
    .label = (char[]){"server keepalive idle"}, .values = idles, .n_values = 3};
static struct axis limit = {
    .label = (char[]){"fw.1 tcp-established"}, .values = limits, .n_values = 2};
static struct axis word = {.label = (char[]){"server keepalive"}, .values = words, .n_values = 2};

static struct scenario grid(const struct axis *a, const struct axis *b)
{
    struct scenario s = {.until = MTIME_SEC, .sample = MTIME_SEC, .n_firewalls = 1, .seed = 7};

    s.firewall[0].name = fw_name;
    s.name = fw_name;
    if (a)
        s.axis[s.n_axes++] = *a;
    if (b)
        s.axis[s.n_axes++] = *b;
    return s;
}

size_t scenario_points(const struct scenario *scenario)
{
    size_t n = 1;

    for (size_t a = 0; a < scenario->n_axes; a++)
        n *= scenario->axis[a].n_values;
    return n;
}

int scenario_point(struct scenario **out, const struct scenario *scenario, const size_t *choice,
                   policy_fault_fn fault, void *arg)
{
    size_t point = 0;

    (void)fault;
    (void)arg;
    *out = calloc(1, sizeof(**out));
    assert_non_null(*out);
    for (size_t a = 0; a < scenario->n_axes; a++)
        point = point * scenario->axis[a].n_values + choice[a];
    (*out)->until = (mtime_t)point * MTIME_SEC;
    (*out)->n_expectations = scenario->n_expectations;
    (*out)->workload = scenario->workload;
    return 0;
}

struct scenario *scenario_destroy(struct scenario *scenario)
{
    free(scenario);
    return NULL;
}

/* ---- the world: figures that follow from the point's number ---- */

static int error_at[64]; /* by point */
static unsigned slow_us[64];
static bool endless; /* until it is stopped */
static atomic_uint plays;

int world_play(const struct scenario *scenario, struct timeline *timeline, struct tally *tally,
               const struct world_watch *watch)
{
    size_t point = (size_t)(scenario->until / MTIME_SEC);

    (void)timeline;
    atomic_fetch_add(&plays, 1);
    assert_int_equal(scenario->seed, 7);
    usleep(slow_us[point]);
    do {
        if (!watch->progress(watch->arg, scenario->until / 2, scenario->until))
            return -ECANCELED;
    } while (endless);
    if (error_at[point] < 0)
        return error_at[point];
    tally->played = 43200 * MTIME_SEC; /* half a day */
    tally->connections = 200;
    tally->broken = 2 * point;
    tally->packets[0] = 100 + 10 * point;
    tally->packets[1] = 100;
    tally->probes[FLOW_SERVER] = 3;
    tally->noticed[0] = MTIME_NEVER;
    tally->noticed[1] = point == 0 ? MTIME_NEVER : 430 * MTIME_SEC;
    tally->error[1] = ETIMEDOUT;
    tally->n_firewalls = 1;
    tally->firewall[0].flows_peak = 12;
    tally->firewall[0].flows_mean = 3.25 + (double)point;
    tally->samples = calloc(2, sizeof(*tally->samples));
    tally->n_samples = 2;
    tally->samples[1].t = 600 * MTIME_SEC;
    tally->samples[1].sockets[FLOW_SERVER] = (uint32_t)point;
    tally->samples[1].flows[0] = 5;
    return 0;
}

void tally_finish(struct tally *tally)
{
    free(tally->samples);
}

/* ---- the timeline: odd points do not meet the expectations ---- */

int timeline_create(struct timeline **out, const struct scenario *scenario)
{
    *out = calloc(1, sizeof(**out));
    assert_non_null(*out);
    (*out)->scenario = scenario;
    return 0;
}

struct timeline *timeline_destroy(struct timeline *timeline)
{
    free(timeline);
    return NULL;
}

bool expect_check(const struct timeline *timeline, struct expect_result *results)
{
    (void)results;
    return timeline->scenario->until / MTIME_SEC % 2 == 0;
}

void expect_report(FILE *to, const struct scenario *scenario, const struct expect_result *results)
{
    (void)results;
    fprintf(to, "unmet at %d\n", (int)(scenario->until / MTIME_SEC));
}

const char *errno_name(int error)
{
    return error == ETIMEDOUT ? "ETIMEDOUT" : NULL;
}

/* ---- the plot: what it was given, as text ---- */

static char drawn[4096];

int plot_write(FILE *to, const struct plot *plot)
{
    FILE *text = fmemopen(drawn, sizeof(drawn), "w");

    (void)to;
    assert_non_null(text);
    fprintf(text, "%s%s|%s|%s\n", plot->x_label, plot->x_log ? " (log)" : "", plot->y_label,
            plot->right_label ? plot->right_label : "-");
    for (size_t i = 0; i < plot->n_curves; i++) {
        const struct plot_curve *curve = &plot->curves[i];

        fprintf(text, "%s%s:", curve->label, curve->right ? " ->" : "");
        for (size_t k = 0; k < curve->n; k++)
            fprintf(text, " %g,%g", curve->x[k], curve->y[k]);
        fputc('\n', text);
    }
    fclose(text);
    return 0;
}

/* ---- */

static int setup(void **state)
{
    (void)state;
    memset(error_at, 0, sizeof(error_at));
    memset(slow_us, 0, sizeof(slow_us));
    endless = false;
    atomic_store(&plays, 0);
    return 0;
}

typedef int write_fn(FILE *to, const struct experiment *experiment);

static char *written(write_fn *write, const struct experiment *experiment)
{
    char *text;
    size_t len;
    FILE *to = open_memstream(&text, &len);

    assert_non_null(to);
    assert_int_equal(write(to, experiment), 0);
    fclose(to);
    return text;
}

static void says(write_fn *write, const struct experiment *experiment, const char *want)
{
    char *text = written(write, experiment);

    assert_string_equal(text, want);
    free(text);
}

static void the_last_axis_runs_fastest(void **state)
{
    static const char *const want[] = {
        "server keepalive idle 900, fw.1 tcp-established 5min",
        "server keepalive idle 900, fw.1 tcp-established 1h",
        "server keepalive idle 60, fw.1 tcp-established 5min",
        "server keepalive idle 60, fw.1 tcp-established 1h",
        "server keepalive idle 300, fw.1 tcp-established 5min",
        "server keepalive idle 300, fw.1 tcp-established 1h",
    };
    struct scenario scenario = grid(&idle, &limit);
    struct experiment experiment;

    (void)state;
    assert_int_equal(experiment_run(&experiment, &scenario, 2, NULL, NULL), 0);
    assert_int_equal(experiment.n_points, 6);
    assert_int_equal(experiment.n_done, 6);
    assert_int_equal(experiment.failed, 6);
    assert_int_equal(atomic_load(&plays), 6);
    for (size_t i = 0; i < 6; i++) {
        char *text = experiment_point_text(&experiment, i);

        assert_string_equal(text, want[i]);
        free(text);
        assert_int_equal(experiment.tallies[i].broken, 2 * i);
        assert_null(experiment.tallies[i].samples); /* a grid's picture does not need them */
    }
    experiment_finish(&experiment);
}

static void threads_change_nothing(void **state)
{
    struct scenario scenario = grid(&idle, &limit);
    char *first = NULL;

    (void)state;
    for (size_t i = 0; i < 6; i++)
        slow_us[i] = (unsigned)(6 - i) * 2000;
    for (unsigned threads = 1; threads < 9; threads++) {
        struct experiment experiment;
        char *text;

        assert_int_equal(experiment_run(&experiment, &scenario, threads, NULL, NULL), 0);
        text = written(experiment_csv, &experiment);
        if (first)
            assert_string_equal(text, first);
        else
            first = strdup(text);
        free(text);
        experiment_finish(&experiment);
    }
    free(first);
}

/* Points 3 and 5 fail, and now the one, now the other fails first. */
static void the_first_point_that_fails_is_named(void **state)
{
    struct scenario scenario = grid(&idle, &limit);

    (void)state;
    error_at[3] = -EINVAL;
    error_at[5] = -ENOMEM;
    for (unsigned threads = 1; threads < 8; threads++)
        for (size_t slow = 3; slow <= 5; slow += 2) {
            struct experiment experiment;

            slow_us[3] = slow_us[5] = 5000;
            slow_us[slow] = 50000;
            assert_int_equal(experiment_run(&experiment, &scenario, threads, NULL, NULL), -EINVAL);
            assert_int_equal(experiment.failed, 3);
            assert_true(experiment.n_done >= 3 && experiment.n_done <= 4);
            experiment_finish(&experiment);
        }
}

struct watching {
    pthread_t thread;
    unsigned calls;
    double least, most;
};

static bool stop_soon(void *arg, double done)
{
    struct watching *watching = arg;

    assert_true(pthread_equal(watching->thread, pthread_self()));
    watching->calls++;
    watching->least = fmin(watching->least, done);
    watching->most = fmax(watching->most, done);
    return watching->calls < 3;
}

static void it_can_be_stopped(void **state)
{
    struct scenario scenario = grid(&idle, &limit);
    struct watching watching = {.thread = pthread_self(), .least = 1};
    struct experiment experiment;

    (void)state;
    endless = true;
    assert_int_equal(experiment_run(&experiment, &scenario, 2, stop_soon, &watching), -ECANCELED);
    assert_int_equal(watching.calls, 3);
    assert_true(watching.least >= 0 && watching.most <= 1);
    assert_int_equal(experiment.n_done, 0);
    assert_int_equal(experiment.failed, experiment.n_points); /* none is at fault */
    experiment_finish(&experiment);
}

static void expectations_are_judged_at_each_point(void **state)
{
    struct scenario scenario = grid(&limit, NULL);
    struct experiment experiment;

    (void)state;
    scenario.n_expectations = 1;
    assert_int_equal(experiment_run(&experiment, &scenario, 0, NULL, NULL), 0);
    assert_null(experiment.unmet[0]);
    assert_string_equal(experiment.unmet[1], "unmet at 1\n");
    experiment_finish(&experiment);
    scenario.workload.clients = 3; /* played without a timeline */
    assert_int_equal(experiment_run(&experiment, &scenario, 0, NULL, NULL), 0);
    assert_null(experiment.unmet[1]);
    experiment_finish(&experiment);
}

static void tables(void **state)
{
    struct scenario scenario = grid(&limit, NULL);
    struct experiment experiment;

    (void)state;
    assert_int_equal(experiment_run(&experiment, &scenario, 1, NULL, NULL), 0);
    says(experiment_text, &experiment,
         "fw.1                                                        server                      "
         "fw.1\n"
         "tcp-established  connections  broken  share  packets a day  noticed  by         probes"
         "  entries peak  mean\n"
         "           5min          200       0     0%            400        -  -               3"
         "            12  3.25\n"
         "             1h          200       2  1.00%            420     430s  ETIMEDOUT       3"
         "            12  4.25\n");
    says(
        experiment_csv, &experiment,
        "fw.1_tcp-established_s,played_s,connections,completed,broken,broken_share,packets_per_day,"
        "client_noticed_s,server_noticed_s,client_error,server_error,client_packets,server_packets,"
        "client_probes,server_probes,client_retransmits,server_retransmits,client_sockets_peak,"
        "server_sockets_peak,client_sockets_mean,server_sockets_mean,client_sockets_end,"
        "server_sockets_end,client_leaked_end,server_leaked_end,fw_1_entries_peak,"
        "fw_1_entries_mean,fw_1_entries_end,fw_1_opened,fw_1_expired,fw_1_late,fw_1_resets\n"
        "300,43200,200,0,0,0,400,,,,,100,100,0,3,0,0,0,0,0,0,0,0,0,0,12,3.25,0,0,0,0,0\n"
        "3600,43200,200,0,2,0.01,420,,430,,ETIMEDOUT,110,100,0,3,0,0,0,0,0,0,0,0,0,0,12,4.25,0,0,0,"
        "0,0\n");
    experiment_finish(&experiment);
}

static void one_point_is_a_list(void **state)
{
    struct scenario scenario = grid(NULL, NULL);
    struct experiment experiment;

    (void)state;
    assert_int_equal(experiment_run(&experiment, &scenario, 0, NULL, NULL), 0);
    says(experiment_text, &experiment,
         "connections        200\n"
         "packets a day      400\n"
         "server probes      3\n"
         "fw.1 entries peak  12\n"
         "fw.1 mean          3.25\n");
    experiment_finish(&experiment);
}

static void json_is_an_object_a_line(void **state)
{
    struct scenario scenario = grid(&limit, &word);
    struct experiment experiment;
    unsigned points = 0, samples = 0;
    char *text, *rest, *line;

    (void)state;
    scenario.plot = PLOT_TIME; /* so that there are samples, too */
    assert_int_equal(experiment_run(&experiment, &scenario, 0, NULL, NULL), 0);
    text = written(experiment_json, &experiment);
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        json_error_t error;
        json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, &error);
        const char *type;
        int v;

        assert_non_null(json);
        assert_int_equal(json_unpack(json, "{s:s,s:i}", "type", &type, "v", &v), 0);
        assert_int_equal(v, 1);
        if (strcmp(type, "sample") == 0) {
            samples++;
        } else {
            const char *name, *value, *off;
            double seconds, mean;
            json_t *noticed;

            assert_string_equal(type, "point");
            assert_int_equal(json_unpack(json, "{s:[{s:s,s:s,s:F},{s:s}],s:{s:o},s:[{s:F}]}",
                                         "parameters", "name", &name, "value", &value, "value_s",
                                         &seconds, "value", &off, "client", "noticed_s", &noticed,
                                         "firewalls", "entries_mean", &mean),
                             0);
            assert_string_equal(name, "fw.1 tcp-established");
            assert_string_equal(value, points < 2 ? "5min" : "1h");
            assert_string_equal(off, points % 2 == 0 ? "off" : "on");
            assert_true(seconds == (points < 2 ? 300 : 3600));
            assert_true(json_is_null(noticed));
            assert_true(mean == 3.25 + points);
            points++;
        }
        json_decref(json);
    }
    assert_int_equal(points, 4);
    assert_int_equal(samples, 8);
    free(text);
    experiment_finish(&experiment);
}

static void picture(const struct scenario *scenario, int result, const char *want)
{
    struct experiment experiment;

    *drawn = '\0';
    assert_int_equal(experiment_run(&experiment, scenario, 0, NULL, NULL), 0);
    assert_int_equal(experiment_svg(stdout, &experiment), result);
    assert_string_equal(drawn, want);
    experiment_finish(&experiment);
}

static void pictures(void **state)
{
    struct scenario scenario;
    char *many[9] = {"1", "2", "3", "4", "5", "6", "7", "8", "9"};
    const struct axis nine = {.label = (char[]){"server port"}, .values = many, .n_values = 9};

    (void)state;
    scenario = grid(&idle, NULL); /* its values are not in order */
    picture(&scenario, 0,
            "server keepalive idle (log)|connections broken|table entries, mean\n"
            "connections broken: 60,1 300,2 900,0\n"
            "table entries, mean ->: 60,4.25 300,5.25 900,3.25\n");
    scenario = grid(&idle, &word);
    picture(&scenario, 0,
            "server keepalive idle (log)|connections broken|table entries, mean\n"
            "server keepalive off: connections broken: 60,2 300,4 900,0\n"
            "server keepalive on: connections broken: 60,3 300,5 900,1\n"
            "server keepalive off: table entries, mean ->: 60,5.25 300,7.25 900,3.25\n"
            "server keepalive on: table entries, mean ->: 60,6.25 300,8.25 900,4.25\n");
    scenario = grid(&word, NULL);
    picture(&scenario, 0,
            "server keepalive: 1 off, 2 on|connections broken|table entries, mean\n"
            "connections broken: 1,0 2,1\n"
            "table entries, mean ->: 1,3.25 2,4.25\n");
    scenario.plot = PLOT_TIME;
    picture(&scenario, 0,
            "story time|sockets held by the server|-\n"
            "server keepalive off: 0,0 600,0\n"
            "server keepalive on: 0,0 600,1\n");
    scenario = grid(NULL, NULL);
    picture(&scenario, 0,
            "story time|at a time|-\n"
            "sockets held, client: 0,0 600,0\n"
            "sockets held, server: 0,0 600,0\n"
            "table entries, fw.1: 0,0 600,5\n");
    scenario = grid(&nine, NULL);
    scenario.plot = PLOT_TIME;
    picture(&scenario, -E2BIG, "");
    scenario = grid(&idle, &nine);
    scenario.axis[0].n_values = 2;
    scenario.axis[1].n_values = 3;
    scenario.axis[2] = word;
    scenario.axis[3] = scenario.axis[4] = scenario.axis[2];
    scenario.n_axes = 5; /* 3 along x, 16 families */
    picture(&scenario, -E2BIG, "");
}

static void axes_are_numbers_where_they_can_be(void **state)
{
    static const struct {
        char *values[2];
        char *label;
        enum axis_kind kind;
        double first;
    } cases[] = {
        {{"60", "300"}, "server keepalive idle", AXIS_SECONDS, 60},
        {{"3", "9"}, "server keepalive count", AXIS_NUMBER, 3},
        {{"5min", "1h"}, "firewall tcp-established", AXIS_SECONDS, 300},
        {{"500ms", "90"}, "server heartbeat", AXIS_SECONDS, 0.5},
        {{"0.5%", "2%"}, "link loss", AXIS_PERCENT, 0.5},
        {{"off", "on"}, "server keepalive", AXIS_WORD, 0},
        {{"5min", "never"}, "firewall tcp-established", AXIS_WORD, 0},
        {{"1.2.3", "1"}, "server port", AXIS_WORD, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct axis axis = {.label = cases[i].label, .n_values = 2};

        axis.values = (char **)cases[i].values;
        assert_int_equal(axis_kind(&axis), cases[i].kind);
        if (cases[i].kind != AXIS_WORD)
            assert_true(axis_number(&axis, 0) == cases[i].first);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_last_axis_runs_fastest, setup),
        cmocka_unit_test_setup(threads_change_nothing, setup),
        cmocka_unit_test_setup(the_first_point_that_fails_is_named, setup),
        cmocka_unit_test_setup(it_can_be_stopped, setup),
        cmocka_unit_test_setup(expectations_are_judged_at_each_point, setup),
        cmocka_unit_test_setup(tables, setup),
        cmocka_unit_test_setup(one_point_is_a_list, setup),
        cmocka_unit_test_setup(json_is_an_object_a_line, setup),
        cmocka_unit_test_setup(pictures, setup),
        cmocka_unit_test_setup(axes_are_numbers_where_they_can_be, setup),
    };

    return cmocka_run_group_tests_name("experiment", tests, NULL, NULL);
}
