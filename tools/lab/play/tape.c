/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/lab/play/tape.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BUFFER (16 << 20)

int tape_start(struct tape *tape, const struct space *space, const char *interface)
{
    /* Only ETH_P_ALL shows what goes out as well (dev_queue_xmit_nit()). */
    struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    int on = 1, buffer = BUFFER;
    struct ifreq request = {0};
    int r;

    *tape = (struct tape){.fd = space_socket(space, AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    if (tape->fd < 0)
        return tape->fd;
    strncpy(request.ifr_name, interface, sizeof(request.ifr_name) - 1);
    if (ioctl(tape->fd, SIOCGIFINDEX, &request) < 0)
        goto failed;
    address.sll_ifindex = request.ifr_ifindex;
    if (setsockopt(tape->fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) < 0)
        (void)setsockopt(tape->fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
    if (setsockopt(tape->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0 ||
        bind(tape->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        goto failed;
    return 0;
failed:
    r = -errno;
    tape_finish(tape);
    return r;
}

static struct tape_packet *next_place(struct tape *tape)
{
    if (tape->n == tape->room) {
        size_t room = tape->room ? 2 * tape->room : 256;
        struct tape_packet *packets = realloc(tape->packets, room * sizeof(*packets));

        if (!packets)
            return NULL;
        tape->packets = packets;
        tape->room = room;
    }
    return &tape->packets[tape->n];
}

/* 1, 0 when there is nothing now, or a negative errno. */
static int take_one(struct tape *tape)
{
    struct tape_packet *packet = next_place(tape);
    union {
        char bytes[CMSG_SPACE(sizeof(struct timespec))];
        struct cmsghdr align;
    } control;
    struct sockaddr_ll from;
    struct iovec iov;
    struct msghdr message = {.msg_name = &from,
                             .msg_namelen = sizeof(from),
                             .msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t len;

    if (!packet)
        return -ENOMEM;
    iov = (struct iovec){packet->data, sizeof(packet->data)};
    len = recvmsg(tape->fd, &message, MSG_DONTWAIT | MSG_TRUNC);
    if (len < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : errno == ENETDOWN ? 1 : -errno;
    packet->outgoing = from.sll_pkttype == PACKET_OUTGOING;
    packet->wire_len = (uint32_t)len;
    packet->caplen =
        (uint16_t)((size_t)len < sizeof(packet->data) ? (size_t)len : sizeof(packet->data));
    packet->wall_ns = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec at;

            memcpy(&at, CMSG_DATA(c), sizeof(at));
            packet->wall_ns = at.tv_sec * INT64_C(1000000000) + at.tv_nsec;
        }
    if (from.sll_protocol == htons(ETH_P_IP) &&
        (from.sll_pkttype == PACKET_OUTGOING || from.sll_pkttype == PACKET_HOST))
        tape->n++;
    return 1;
}

int tape_take(struct tape *tape)
{
    struct tpacket_stats stats;
    socklen_t len = sizeof(stats);
    int r;

    while ((r = take_one(tape)) > 0)
        ;
    if (getsockopt(tape->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0)
        tape->lost += stats.tp_drops;
    return r;
}

void tape_finish(struct tape *tape)
{
    if (tape->fd >= 0)
        close(tape->fd);
    free(tape->packets);
    *tape = (struct tape){.fd = -1};
}
