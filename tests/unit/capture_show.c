/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every IP packet of a capture: number, stamp, first byte. For capture_tshark_test.py. */
#include "tools/replay/capture.h"

#include <inttypes.h>
#include <stdio.h>

#define ROOM 64

int main(int argc, char **argv)
{
    static struct packet packets[ROOM];
    static uint64_t numbers[ROOM];
    struct capture_batch batch = {packets, numbers, 0, ROOM};
    struct capture_fault fault;
    struct capture *capture;
    int r = argc == 2 ? capture_open(&capture, argv[1], &fault) : -1;

    if (r < 0)
        return 1;
    while ((r = capture_read(capture, &batch, &fault)) > 0)
        for (size_t i = 0; i < batch.n; i++)
            printf("%" PRIu64 " %" PRId64 ".%09" PRId64 " %d\n", numbers[i],
                   packets[i].time / MTIME_SEC, packets[i].time % MTIME_SEC,
                   packets[i].data[0] >> 4);
    if (r < 0)
        fprintf(stderr, "%s at %" PRIu64 "\n", fault.text, fault.offset);
    capture_close(capture);
    return r < 0;
}
