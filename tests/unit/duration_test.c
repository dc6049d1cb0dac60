/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/duration.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *text;
    mtime_t duration;
    const char *formatted; /* NULL: the text itself */
} good[] = {
    {"350s", 350 * MTIME_SEC, NULL},
    {"350", 350 * MTIME_SEC, "350s"},
    {"2h4min", 7440 * MTIME_SEC, NULL},
    {"500ms", 500 * MTIME_MSEC, NULL},
    {"0.5", 500 * MTIME_MSEC, "500ms"},
    {"1.5", 1500 * MTIME_MSEC, "1s500ms"},
    {"1d", 86400 * MTIME_SEC, NULL},
    {"5d", 432000 * MTIME_SEC, NULL},
    {"7d", 604800 * MTIME_SEC, NULL},
    {"432000", 432000 * MTIME_SEC, "5d"},
    {"90s", 90 * MTIME_SEC, NULL},
    {"60s", 60 * MTIME_SEC, "1min"},
    {"599s", 599 * MTIME_SEC, NULL},
    {"601s", 601 * MTIME_SEC, "10min1s"},
    {"0.25d", 21600 * MTIME_SEC, "6h"},
    {"0.000001s", 1000, "1us"},
    {"0.000000001s", 1, "1ns"},
    {"0.000000001d", 86400, "86us400ns"},
    {"0.5us", 500, "500ns"},
    {"1.000000000s", MTIME_SEC, "1s"},
    {"1.0000000000000s", MTIME_SEC, "1s"},
    {"0h5s", 5 * MTIME_SEC, "5s"},
    {"007s", 7 * MTIME_SEC, "7s"},
    {"1d1h1min1s1ms1us1ns", 90061001001001, NULL},
    {"9223372036854775806ns", INT64_MAX - 1, "106751d23h47min16s854ms775us806ns"},
    {"106751d", INT64_C(106751) * 86400 * MTIME_SEC, NULL},
    {"never", MTIME_NEVER, NULL},
};

static void good_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        char buf[DURATION_TEXT];
        const char *why = "";
        mtime_t duration = -1, again = -1;

        print_message("# %s\n", good[i].text);
        assert_int_equal(duration_parse(good[i].text, &duration, &why), 0);
        assert_true(duration == good[i].duration);
        assert_ptr_equal(duration_format(duration, buf, sizeof(buf)), buf);
        assert_string_equal(buf, good[i].formatted ? good[i].formatted : good[i].text);
        assert_int_equal(duration_parse(buf, &again, &why), 0);
        assert_true(again == duration);
    }
}

static const struct {
    const char *text, *why; /* a part of the reason */
} bad[] = {
    {"", "not a duration"},
    {" ", "not a duration"},
    {"s", "not a duration"},
    {" 5s", "not a duration"},
    {"5 s", "not a duration"},
    {"5s ", "not a duration"},
    {"-5s", "not a duration"},
    {"+5s", "not a duration"},
    {"0x10", "unknown unit"},
    {"1e3s", "unknown unit"},
    {".5s", "not a duration"},
    {"5.s", "not a duration"},
    {"1.2.3s", "not a duration"},
    {"nan", "not a duration"},
    {"inf", "not a duration"},
    {"Never", "not a duration"},
    {"nevers", "not a duration"},
    {"0", "above 0"},
    {"0s", "above 0"},
    {"0.0", "above 0"},
    {"0d0h0s", "above 0"},
    {"5m", "ambiguous"},
    {"2h5m", "ambiguous"},
    {"5y", "unknown unit"},
    {"5S", "not a duration"},
    {"5sec", "unknown unit"},
    {"4min2h", "out of order"},
    {"5s5s", "out of order"},
    {"5ns1d", "out of order"},
    {"5min30", "no unit"},
    {"9223372036854775807ns", "292 years"},
    {"9223372036854775808ns", "292 years"},
    {"9223372037s", "292 years"},
    {"106752d", "292 years"},
    {"106751d24h", "292 years"},
    {"99999999999999999999999999999999d", "292 years"},
    {"922337203685477580d", "292 years"},
    {"0.0000000001s", "nanosecond"},
    {"0.5ns", "nanosecond"},
    {"0.0001us", "nanosecond"},
    {"5s\n", "not a duration"},
    {"5\xc2\xb5s", "not a duration"},
};

static void bad_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *why = NULL;
        mtime_t duration = 77;

        print_message("# %s\n",
                      bad[i].text[0] == '5' && bad[i].text[2] == '\n' ? "newline" : bad[i].text);
        assert_int_equal(duration_parse(bad[i].text, &duration, &why), -EINVAL);
        assert_non_null(why);
        assert_non_null(strstr(why, bad[i].why));
        assert_true(duration == 77);
    }
}

/* Every duration survives being written. */
static void random_durations(void **state)
{
    unsigned seed = 20240607;

    (void)state;
    for (int i = 0; i < 200000; i++) {
        uint64_t r = ((uint64_t)rand_r(&seed) << 40) ^ ((uint64_t)rand_r(&seed) << 20) ^
                     (uint64_t)rand_r(&seed);
        mtime_t duration = (mtime_t)((r & INT64_MAX) >> (rand_r(&seed) % 63)), again = 0;
        char buf[DURATION_TEXT];
        const char *why;

        if (i % 3 == 0)
            duration = duration / MTIME_SEC * MTIME_SEC;
        if (duration == 0)
            continue;
        assert_int_equal(duration_parse(duration_format(duration, buf, sizeof(buf)), &again, &why),
                         0);
        assert_true(again == duration);
    }
}

static void short_buffers(void **state)
{
    char buf[DURATION_TEXT], whole[DURATION_TEXT];

    (void)state;
    duration_format(INT64_MAX - 1, whole, sizeof(whole));
    for (size_t size = 1; size < sizeof(buf); size++) {
        memset(buf, 'x', sizeof(buf));
        duration_format(INT64_MAX - 1, buf, size);
        assert_true(strlen(buf) < size);
        assert_memory_equal(buf, whole, strlen(buf));
        assert_int_equal(buf[size], 'x');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts),
        cmocka_unit_test(bad_texts),
        cmocka_unit_test(random_durations),
        cmocka_unit_test(short_buffers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
