/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/inject.h"
#include "middlebox/live/rules_text.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INJECT_BATCH 64

static int open_raw(int family)
{
    int fd = socket(family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
    int size = 4 << 20;

    if (fd < 0)
        return -errno;
    /* Many resets may go out in one moment. Nothing ever reads from a socket of IPPROTO_RAW. */
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return fd;
}

int inject_init(struct inject *inject)
{
    int r;

    inject->fd4 = inject->fd6 = -1;
    r = open_raw(AF_INET);
    if (r < 0)
        return r;
    inject->fd4 = r;
    r = open_raw(AF_INET6);
    if (r < 0 && r != -EAFNOSUPPORT) {
        inject_finish(inject);
        return r;
    }
    inject->fd6 = r < 0 ? -1 : r;
    return 0;
}

void inject_finish(struct inject *inject)
{
    if (inject->fd4 >= 0)
        close(inject->fd4);
    if (inject->fd6 >= 0)
        close(inject->fd6);
    inject->fd4 = inject->fd6 = -1;
}

union address {
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct parcel {
    struct iovec part;
    union address to;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint32_t))];
};

static unsigned version(const struct segment *s)
{
    return s->data[0] >> 4;
}

static void address(struct msghdr *hdr, union address *to, const struct segment *s)
{
    memset(to, 0, sizeof(*to));
    hdr->msg_name = to;
    if (version(s) == 4) {
        to->v4.sin_family = AF_INET;
        memcpy(&to->v4.sin_addr, s->data + 16, 4);
        hdr->msg_namelen = sizeof(to->v4);
    } else {
        to->v6.sin6_family = AF_INET6;
        memcpy(&to->v6.sin6_addr, s->data + 24, 16);
        hdr->msg_namelen = sizeof(to->v6);
    }
}

static void pack(struct msghdr *hdr, struct parcel *parcel, const struct segment *s)
{
    uint32_t mark = s->mark | RULES_MARK;
    struct cmsghdr *cmsg;

    *hdr = (struct msghdr){.msg_iov = &parcel->part,
                           .msg_iovlen = 1,
                           .msg_control = parcel->control,
                           .msg_controllen = sizeof(parcel->control)};
    parcel->part = (struct iovec){(void *)(size_t)s->data, s->len};
    address(hdr, &parcel->to, s);
    cmsg = CMSG_FIRSTHDR(hdr);
    cmsg->cmsg_level = SOL_SOCKET;
    cmsg->cmsg_type = SO_MARK;
    cmsg->cmsg_len = CMSG_LEN(sizeof(mark));
    memcpy(CMSG_DATA(cmsg), &mark, sizeof(mark));
}

/* A packet that cannot be sent (no route, forbidden) stops sendmmsg(): go on behind it. */
static size_t send_run(int fd, struct mmsghdr *messages, unsigned n)
{
    size_t sent = 0;
    unsigned at = 0;

    while (at < n) {
        int r = sendmmsg(fd, messages + at, n - at, 0);

        if (r > 0) {
            sent += (unsigned)r;
            at += (unsigned)r;
        } else if (errno != EINTR) {
            at++;
        }
    }
    return sent;
}

static size_t send_batch(struct inject *inject, const struct segment *segments, unsigned n)
{
    struct mmsghdr messages[INJECT_BATCH];
    struct parcel parcels[INJECT_BATCH];
    size_t sent = 0;
    unsigned at = 0;

    for (unsigned i = 0; i < n; i++)
        pack(&messages[i].msg_hdr, &parcels[i], &segments[i]);
    while (at < n) { /* in order, so in runs of one family */
        unsigned first = at, v = version(&segments[at]);
        int fd = v == 4 ? inject->fd4 : inject->fd6;

        while (at < n && version(&segments[at]) == v)
            at++;
        if (fd >= 0)
            sent += send_run(fd, messages + first, at - first);
    }
    return sent;
}

size_t inject_send(struct inject *inject, const struct segment *segments, size_t n)
{
    size_t sent = 0;

    for (size_t at = 0; at < n; at += INJECT_BATCH) {
        size_t some = n - at < INJECT_BATCH ? n - at : INJECT_BATCH;

        sent += send_batch(inject, segments + at, (unsigned)some);
    }
    return sent;
}
