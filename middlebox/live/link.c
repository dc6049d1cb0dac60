/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/link.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct control {
    _Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
};

int link_send(int fd, const struct link_message *message, int passed)
{
    struct iovec part = {(void *)(size_t)message, sizeof(*message)};
    struct msghdr hdr = {.msg_iov = &part, .msg_iovlen = 1};
    struct control control = {{0}};

    if (passed >= 0) {
        struct cmsghdr *cmsg;

        hdr.msg_control = control.room;
        hdr.msg_controllen = sizeof(control.room);
        cmsg = CMSG_FIRSTHDR(&hdr);
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(cmsg), &passed, sizeof(int));
    }
    while (sendmsg(fd, &hdr, MSG_NOSIGNAL) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return 0;
}

int link_receive(int fd, struct link_message *message, int *passed)
{
    struct iovec part = {message, sizeof(*message)};
    struct control control;
    struct msghdr hdr = {.msg_iov = &part,
                         .msg_iovlen = 1,
                         .msg_control = control.room,
                         .msg_controllen = sizeof(control.room)};
    struct cmsghdr *cmsg;
    ssize_t n;

    *passed = -1;
    do
        n = recvmsg(fd, &hdr, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n < 0 && errno != ECONNRESET ? -errno : 0;
    cmsg = CMSG_FIRSTHDR(&hdr);
    if (cmsg && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS)
        memcpy(passed, CMSG_DATA(cmsg), sizeof(int));
    if ((size_t)n != sizeof(*message)) {
        if (*passed >= 0)
            close(*passed);
        *passed = -1;
        return -EPROTO;
    }
    message->why[sizeof(message->why) - 1] = '\0';
    return 1;
}
