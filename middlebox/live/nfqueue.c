/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/nfqueue.h"
#include "middlebox/live/nfqueue_proc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define COPY_RANGE 256    /* the longest headers the tracker reads, and an ICMP error's quote */
#define MESSAGE_ROOM 1024 /* a message with COPY_RANGE bytes of packet takes about 400 */
#define QUEUE_LENGTH                                                                               \
    16384 /* shorter, or with a smaller buffer, 4 % are lost at 100 k packets/s                    \
           */
#define RECEIVE_BUFFER (32 << 20)
#define VERDICT_ROOM 32 /* two headers and an attribute of eight bytes */

struct nfqueue {
    struct mnl_socket *socket;
    int fd;
    uint16_t number;
    struct mmsghdr message[NFQUEUE_BATCH];
    struct iovec part[NFQUEUE_BATCH];
    _Alignas(NLMSG_ALIGNTO) char in[NFQUEUE_BATCH][MESSAGE_ROOM];
    _Alignas(NLMSG_ALIGNTO) char out[(NFQUEUE_BATCH + 1) * VERDICT_ROOM];
};

int nfqueue_fd(const struct nfqueue *queue)
{
    return queue->fd;
}

static struct nlmsghdr *put_config(const struct nfqueue *queue, char *at, uint32_t seq)
{
    struct nlmsghdr *header = nfq_nlmsg_put(at, NFQNL_MSG_CONFIG, queue->number);

    header->nlmsg_flags |= NLM_F_ACK;
    header->nlmsg_seq = seq;
    return header;
}

#define CONFIG_MESSAGES 4
/* The copy mode comes last: until then the kernel gives us no packets. */
static size_t build_config(const struct nfqueue *queue, char *text)
{
    struct nlmsghdr *header;
    char *at = text;

    header = put_config(queue, at, 1);
    nfq_nlmsg_cfg_put_cmd(header, AF_UNSPEC, NFQNL_CFG_CMD_BIND);
    at += header->nlmsg_len;
    header = put_config(queue, at, 2);
    nfq_nlmsg_cfg_put_qmaxlen(header, QUEUE_LENGTH);
    at += header->nlmsg_len;
    header = put_config(queue, at, 3);
    mnl_attr_put_u32(header, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_GSO));
    mnl_attr_put_u32(header, NFQA_CFG_MASK, htonl(NFQA_CFG_F_GSO));
    at += header->nlmsg_len;
    header = put_config(queue, at, 4);
    nfq_nlmsg_cfg_put_params(header, NFQNL_COPY_PACKET, COPY_RANGE);
    at += header->nlmsg_len;
    return (size_t)(at - text);
}

static int refuse(struct nfqueue *queue, const struct nlmsghdr *packet);

/* Reads the kernel's answers. Rules of a predecessor may send packets before the last one is in:
 * they are dropped. */
static int read_answers(struct nfqueue *queue)
{
    char *buf = queue->in[0];
    unsigned answers = 0;

    while (answers < CONFIG_MESSAGES) {
        ssize_t n = recv(queue->fd, buf, sizeof(queue->in), 0);
        const struct nlmsghdr *header = (const void *)buf;
        int left = (int)n;

        if (n < 0)
            return -errno;
        for (; mnl_nlmsg_ok(header, left); header = mnl_nlmsg_next(header, &left)) {
            const struct nlmsgerr *answer = mnl_nlmsg_get_payload(header);

            if (header->nlmsg_type != NLMSG_ERROR) {
                refuse(queue, header);
                continue;
            }
            if (mnl_nlmsg_get_payload_len(header) < sizeof(answer->error))
                return -EPROTO;
            if (answer->error == -EPERM && nfqueue_is_bound(queue->number))
                return -EBUSY; /* the kernel's "not permitted" also means that another has it */
            if (answer->error != 0)
                return answer->error;
            answers++;
        }
    }
    return 0;
}

static int configure(struct nfqueue *queue)
{
    _Alignas(NLMSG_ALIGNTO) char text[CONFIG_MESSAGES * 64];
    size_t len = build_config(queue, text);
    int size = RECEIVE_BUFFER;

    if (setsockopt(queue->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
        setsockopt(queue->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    if (send(queue->fd, text, len, 0) < 0)
        return -errno;
    return read_answers(queue);
}

int nfqueue_create(struct nfqueue **out, uint16_t number)
{
    struct nfqueue *queue = calloc(1, sizeof(*queue));
    int r;

    if (!queue)
        return -ENOMEM;
    queue->number = number;
    for (unsigned i = 0; i < NFQUEUE_BATCH; i++) {
        queue->part[i] = (struct iovec){queue->in[i], MESSAGE_ROOM};
        queue->message[i].msg_hdr.msg_iov = &queue->part[i];
        queue->message[i].msg_hdr.msg_iovlen = 1;
    }
    queue->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
    r = queue->socket ? 0 : -errno;
    if (r == 0 && mnl_socket_bind(queue->socket, 0, MNL_SOCKET_AUTOPID) < 0)
        r = -errno;
    if (r == 0) {
        queue->fd = mnl_socket_get_fd(queue->socket);
        r = configure(queue);
    }
    if (r < 0)
        queue = nfqueue_destroy(queue);
    *out = queue;
    return r;
}

struct nfqueue *nfqueue_destroy(struct nfqueue *queue)
{
    if (queue) {
        if (queue->socket)
            mnl_socket_close(queue->socket);
        free(queue);
    }
    return NULL;
}

static int64_t read_stamp(const struct nlattr *attr)
{
    struct nfqnl_msg_packet_timestamp stamp;

    if (!attr || mnl_attr_get_payload_len(attr) < sizeof(stamp))
        return 0;
    memcpy(&stamp, mnl_attr_get_payload(attr), sizeof(stamp)); /* only 4-aligned in the message */
    return (int64_t)be64toh(stamp.sec) * MTIME_SEC + (int64_t)be64toh(stamp.usec) * 1000;
}

static uint32_t read_u32(const struct nlattr *attr)
{
    return attr ? ntohl(mnl_attr_get_u32(attr)) : 0;
}

static bool read_packet(struct nfqueue_batch *batch, const struct nlmsghdr *header)
{
    struct nlattr *attr[NFQA_MAX + 1] = {0};
    struct packet *p = &batch->packet[batch->n];
    const struct nfqnl_msg_packet_hdr *hdr;
    int64_t stamp;

    if (header->nlmsg_type != ((NFNL_SUBSYS_QUEUE << 8) | NFQNL_MSG_PACKET) ||
        nfq_nlmsg_parse(header, attr) < 0 || !attr[NFQA_PACKET_HDR])
        return false;
    hdr = mnl_attr_get_payload(attr[NFQA_PACKET_HDR]);
    memcpy(&batch->id[batch->n], &hdr->packet_id, sizeof(uint32_t));
    batch->id[batch->n] = ntohl(batch->id[batch->n]);
    *p = (struct packet){0};
    if (attr[NFQA_PAYLOAD]) {
        p->data = mnl_attr_get_payload(attr[NFQA_PAYLOAD]);
        p->caplen = mnl_attr_get_payload_len(attr[NFQA_PAYLOAD]);
    }
    p->len = attr[NFQA_CAP_LEN] ? read_u32(attr[NFQA_CAP_LEN]) : p->caplen;
    if (p->len < p->caplen)
        p->len = p->caplen;
    p->mark = read_u32(attr[NFQA_MARK]);
    p->checksum_ready =
        (read_u32(attr[NFQA_SKB_INFO]) & (NFQA_SKB_CSUMNOTREADY | NFQA_SKB_GSO)) == 0;
    stamp = read_stamp(attr[NFQA_TIMESTAMP]);
    if (stamp && (!batch->stamp || stamp < batch->stamp))
        batch->stamp = stamp;
    return true;
}

int nfqueue_receive(struct nfqueue *queue, struct nfqueue_batch *batch)
{
    int n = recvmmsg(queue->fd, queue->message, NFQUEUE_BATCH, MSG_DONTWAIT, NULL);

    batch->n = 0;
    batch->stamp = 0;
    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    for (int i = 0; i < n; i++) {
        const struct nlmsghdr *header = (const void *)queue->in[i];

        /* The kernel sends one packet a message. What else comes are complaints about verdicts. */
        if (mnl_nlmsg_ok(header, (int)queue->message[i].msg_len) && read_packet(batch, header))
            batch->n++;
    }
    return 0;
}

static size_t put_verdict(const struct nfqueue *queue, char *at, int type, uint32_t id, int verdict)
{
    struct nlmsghdr *header = nfq_nlmsg_put(at, type, queue->number);

    nfq_nlmsg_verdict_put(header, (int)id, verdict);
    return header->nlmsg_len;
}

/* The kernel's batch verdict takes every packet up to an id that is still waiting. So the drops go
 * out of the queue first, one by one, and one batch accepts what is left, all in one send. */
int nfqueue_verdicts(struct nfqueue *queue, const struct nfqueue_batch *batch)
{
    char *at = queue->out;
    bool any = false;
    uint32_t last = 0;

    for (unsigned i = 0; i < batch->n; i++) {
        if (batch->drop[i]) {
            at += put_verdict(queue, at, NFQNL_MSG_VERDICT, batch->id[i], NF_DROP);
        } else {
            last = batch->id[i];
            any = true;
        }
    }
    if (any)
        at += put_verdict(queue, at, NFQNL_MSG_VERDICT_BATCH, last, NF_ACCEPT);
    if (at == queue->out)
        return 0;
    while (send(queue->fd, queue->out, (size_t)(at - queue->out), 0) < 0) {
        if (errno != EINTR)
            return -errno;
    }
    return 0;
}

static int refuse(struct nfqueue *queue, const struct nlmsghdr *packet)
{
    struct nfqueue_batch batch = {.n = 0};

    if (!read_packet(&batch, packet))
        return 0;
    batch.n = 1;
    batch.drop[0] = true;
    return nfqueue_verdicts(queue, &batch);
}
