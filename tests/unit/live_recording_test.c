/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/record/recording.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static const struct recording_config config = {.queue = 7,
                                               .speed = 60,
                                               .start = 1,
                                               .linger = 3600 * MTIME_SEC,
                                               .wall_start_ns = INT64_C(1760000000123456789)};
static const uint8_t bytes[] = {0x45, 0, 0, 28, 1, 2, 3};
#define LATE (INT64_C(123456789012345678) + 1) /* more than 32 bits of anything */

/* A file with one of everything, at its beginning. */
static FILE *write_all(void)
{
    struct packet packets[3] = {
        {.time = LATE, .data = bytes, .caplen = 7, .len = 65000, .mark = 0xdeadbeef},
        {.time = LATE + 1, .data = bytes, .caplen = 4, .len = 4, .checksum_ready = true},
        {.time = LATE + 1},
    };
    const struct judgement judgements[3] = {{VERDICT_ACCEPT, REASON_FLOW},
                                            {VERDICT_DROP, REASON_LATE},
                                            {VERDICT_DROP, REASON_CHECKSUM}};
    struct recording *recording;
    int fd = memfd_create("recording", 0);
    FILE *from = fdopen(dup(fd), "r");

    assert_int_equal(recording_create(&recording, fd, &config), 0);
    assert_int_equal(recording_policy(recording, 1, "default use x\n", 14), 0);
    assert_int_equal(recording_packets(recording, packets, judgements, 3), 0);
    assert_int_equal(recording_command(recording, LATE + 2, "{\"command\":\"kill\"}", 18), 0);
    assert_int_equal(recording_gap(recording, LATE + 3, "why"), 0);
    assert_int_equal(recording_flush(recording), 0);
    assert_null(recording_destroy(recording));
    rewind(from);
    return from;
}

static void expect_packet(struct recording_reader *reader, mtime_t time, uint32_t caplen,
                          uint32_t len, struct judgement judgement, uint32_t mark, bool ready)
{
    struct recording_item item;

    assert_int_equal(recording_next(reader, &item), 1);
    assert_int_equal(item.kind, RECORDING_PACKET);
    assert_true(item.time == time && item.packet.time == time);
    assert_int_equal(item.packet.caplen, caplen);
    assert_int_equal(item.packet.len, len);
    assert_memory_equal(item.packet.data, bytes, caplen);
    assert_int_equal(item.packet.mark, mark);
    assert_int_equal(item.packet.checksum_ready, ready);
    assert_int_equal(item.judgement.verdict, judgement.verdict);
    assert_int_equal(item.judgement.reason, judgement.reason);
}

static void expect_text(struct recording_reader *reader, enum recording_kind kind, mtime_t time,
                        const char *text)
{
    struct recording_item item;

    assert_int_equal(recording_next(reader, &item), 1);
    assert_int_equal(item.kind, kind);
    assert_true(item.time == time);
    assert_int_equal(item.len, strlen(text));
    assert_memory_equal(item.text, text, item.len);
}

static void there_and_back(void **state)
{
    FILE *from = write_all();
    struct recording_reader *reader;
    struct recording_item item;

    (void)state;
    assert_int_equal(recording_reader_create(&reader, from), 0);
    assert_int_equal(recording_next(reader, &item), 1);
    assert_int_equal(item.kind, RECORDING_CONFIG);
    assert_int_equal(item.config.queue, config.queue);
    assert_int_equal(item.config.speed, config.speed);
    assert_true(item.config.start == config.start && item.config.linger == config.linger);
    assert_true(item.config.wall_start_ns == config.wall_start_ns);
    expect_text(reader, RECORDING_POLICY, 1, "default use x\n");
    expect_packet(reader, LATE, 7, 65000, (struct judgement){VERDICT_ACCEPT, REASON_FLOW},
                  0xdeadbeef, false);
    expect_packet(reader, LATE + 1, 4, 4, (struct judgement){VERDICT_DROP, REASON_LATE}, 0, true);
    expect_packet(reader, LATE + 1, 0, 0, (struct judgement){VERDICT_DROP, REASON_CHECKSUM}, 0,
                  false);
    expect_text(reader, RECORDING_COMMAND, LATE + 2, "{\"command\":\"kill\"}");
    expect_text(reader, RECORDING_GAP, LATE + 3, "why");
    assert_int_equal(recording_next(reader, &item), 0);
    recording_reader_destroy(reader);
    fclose(from);
}

static int read_through(FILE *from)
{
    struct recording_reader *reader;
    struct recording_item item;
    volatile uint32_t sum = 0; /* so that every byte given is looked at */
    int r;

    assert_int_equal(recording_reader_create(&reader, from), 0);
    while ((r = recording_next(reader, &item)) == 1) {
        for (size_t i = 0; i < item.len; i++)
            sum += (uint8_t)item.text[i];
        for (size_t i = 0; i < item.packet.caplen; i++)
            sum += item.packet.data[i];
    }
    (void)sum;
    recording_reader_destroy(reader);
    return r;
}

static void cut_short_or_spoilt(void **state)
{
    FILE *from = write_all();
    char whole[4096], spoilt[4096];
    size_t len = fread(whole, 1, sizeof(whole), from);
    unsigned ends = 0;

    (void)state;
    fclose(from);
    assert_true(len > 500 && len < sizeof(whole));
    for (size_t cut = 1; cut < len; cut++) {
        FILE *part = fmemopen(whole, cut, "r");

        ends += read_through(part) == 0;
        fclose(part);
    }
    assert_int_equal(ends, 8); /* between two of the nine blocks, nowhere else */
    for (size_t i = 0; i < len; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            FILE *part;

            memcpy(spoilt, whole, len);
            spoilt[i] = (char)(spoilt[i] ^ (1 << bit));
            part = fmemopen(spoilt, len, "r");
            assert_in_range(read_through(part) + 100, 0, 100);
            fclose(part);
        }
    }
}

static void full_disk(void **state)
{
    struct recording *recording;
    FILE *full = fopen("/dev/full", "w");
    int fd;

    (void)state;
    assert_non_null(full);
    fd = dup(fileno(full));
    fclose(full);
    assert_int_equal(recording_create(&recording, fd, &config), 0); /* still in the buffer */
    assert_int_equal(recording_flush(recording), -ENOSPC);
    assert_int_equal(recording_policy(recording, 1, "x", 1), -ENOSPC);
    recording_destroy(recording);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_and_back),
        cmocka_unit_test(cut_short_or_spoilt),
        cmocka_unit_test(full_disk),
    };

    return cmocka_run_group_tests_name("recording", tests, NULL, NULL);
}
