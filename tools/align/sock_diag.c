/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/align/socket_parts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <time.h>

/* One message holds one socket, a receive many of them. */
#define RECEIVE 32768

struct dump {
    struct socket_table *table, *listening;
    int error;
};

/* include/net/tcp_states.h; SOCKET_GONE: not of a connection. NEW_SYN_RECV is told as SYN_RECV. */
static const enum socket_state states[] = {
    [TCP_ESTABLISHED] = SOCKET_ESTABLISHED, [TCP_SYN_SENT] = SOCKET_SYN_SENT,
    [TCP_SYN_RECV] = SOCKET_SYN_RECV,       [TCP_FIN_WAIT1] = SOCKET_FIN_WAIT_1,
    [TCP_FIN_WAIT2] = SOCKET_FIN_WAIT_2,    [TCP_TIME_WAIT] = SOCKET_TIME_WAIT,
    [TCP_CLOSE_WAIT] = SOCKET_CLOSE_WAIT,   [TCP_LAST_ACK] = SOCKET_LAST_ACK,
    [TCP_CLOSING] = SOCKET_CLOSING,
};
#define N_STATES (sizeof(states) / sizeof(*states))

static void read_addresses(const struct inet_diag_msg *m, struct socket_fact *fact)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const uint8_t *local = (const uint8_t *)m->id.idiag_src;
    const uint8_t *peer = (const uint8_t *)m->id.idiag_dst;
    bool six = m->idiag_family == AF_INET6, is_mapped = six && memcmp(local, mapped, 12) == 0;

    fact->family = six && !is_mapped ? 6 : 4;
    memcpy(fact->local, local + (is_mapped ? 12 : 0), six && !is_mapped ? 16 : 4);
    memcpy(fact->peer, peer + (is_mapped ? 12 : 0), six && !is_mapped ? 16 : 4);
    fact->local_port = ntohs(m->id.idiag_sport);
    fact->peer_port = ntohs(m->id.idiag_dport);
}

/* idiag_retrans counts what the timer that is shown counts (inet_sk_diag_fill()). */
static void read_timer(const struct inet_diag_msg *m, struct socket_fact *fact)
{
    if (m->idiag_timer > TIMER_PERSIST)
        return;
    fact->timer_known = true;
    fact->timer = (enum socket_timer)m->idiag_timer;
    /* Before Linux 6.x one that is due already came as a little less than 2^32. */
    if (m->idiag_timer != TIMER_OFF && m->idiag_expires <= INT32_MAX)
        fact->timer_left = m->idiag_expires * MTIME_MSEC;
    if (fact->timer == TIMER_ON)
        fact->retransmits = m->idiag_retrans;
    else
        fact->probes = m->idiag_retrans;
}

/* A kernel may tell less of it, or more. */
static void read_info(const struct nlattr *attribute, struct socket_fact *fact)
{
    struct tcp_info info = {0};
    size_t len = mnl_attr_get_payload_len(attribute);
    uint32_t received;

    if (len < offsetof(struct tcp_info, tcpi_rttvar))
        return;
    memcpy(&info, mnl_attr_get_payload(attribute), len < sizeof(info) ? len : sizeof(info));
    received = info.tcpi_last_data_recv < info.tcpi_last_ack_recv ? info.tcpi_last_data_recv
                                                                  : info.tcpi_last_ack_recv;
    fact->last_sent = info.tcpi_last_data_sent * MTIME_MSEC;
    if (fact->state != SOCKET_SYN_SENT) /* nothing has been */
        fact->last_received = received * MTIME_MSEC;
    fact->rtt = info.tcpi_rtt * (MTIME_MSEC / 1000);
    fact->retransmits = info.tcpi_retransmits;
    fact->probes = info.tcpi_probes;
}

static void read_details(const struct nlmsghdr *header, struct socket_fact *fact)
{
    const struct nlattr *attribute;

    mnl_attr_for_each(attribute, header, sizeof(struct inet_diag_msg))
    {
        if (mnl_attr_get_type(attribute) == INET_DIAG_INFO)
            read_info(attribute, fact);
    }
}

static int read_socket(const struct nlmsghdr *header, void *arg)
{
    struct dump *dump = arg;
    const struct inet_diag_msg *m = mnl_nlmsg_get_payload(header);
    struct socket_fact fact = socket_fact_unknown;

    if (mnl_nlmsg_get_payload_len(header) < sizeof(*m))
        return MNL_CB_OK;
    read_addresses(m, &fact);
    fact.inode = m->idiag_inode;
    fact.uid = m->idiag_uid;
    fact.uid_known = fact.inode != 0;
    fact.state = m->idiag_state < N_STATES ? states[m->idiag_state] : SOCKET_GONE;
    if (m->idiag_state == TCP_LISTEN) {
        dump->error = socket_table_add(dump->listening, &fact);
    } else if (fact.state != SOCKET_GONE) {
        fact.receive_queue = m->idiag_rqueue;
        fact.send_queue = m->idiag_wqueue;
        read_timer(m, &fact);
        if (fact.state != SOCKET_TIME_WAIT)
            read_details(header, &fact);
        dump->error = socket_table_add(dump->table, &fact);
    }
    return dump->error < 0 ? MNL_CB_ERROR : MNL_CB_OK;
}

static int ask(struct mnl_socket *socket, uint8_t family, unsigned sequence)
{
    _Alignas(struct nlmsghdr) char buffer[256];
    struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
    struct inet_diag_req_v2 *request;

    header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header->nlmsg_seq = sequence;
    request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
    request->sdiag_family = family;
    request->sdiag_protocol = IPPROTO_TCP;
    request->idiag_ext = 1 << (INET_DIAG_INFO - 1);
    request->idiag_states = ~0U;
    return mnl_socket_sendto(socket, header, header->nlmsg_len) < 0 ? -errno : 0;
}

static int read_family(struct mnl_socket *socket, uint8_t family, unsigned sequence,
                       struct dump *dump)
{
    unsigned portid = mnl_socket_get_portid(socket);
    char *buffer = malloc(RECEIVE);
    int r = buffer ? ask(socket, family, sequence) : -ENOMEM;

    while (r == 0) {
        ssize_t n = mnl_socket_recvfrom(socket, buffer, RECEIVE);
        int more;

        if (n < 0 && errno == EINTR)
            continue;
        more = n < 0 ? MNL_CB_ERROR
                     : mnl_cb_run(buffer, (size_t)n, sequence, portid, read_socket, dump);
        if (more <= MNL_CB_ERROR)
            r = dump->error < 0 ? dump->error : -errno;
        else if (more == MNL_CB_STOP)
            break;
    }
    free(buffer);
    return r;
}

int sock_diag_read(struct socket_table *table, struct socket_table *listening)
{
    struct dump dump = {table, listening, 0};
    struct mnl_socket *socket = mnl_socket_open2(NETLINK_SOCK_DIAG, SOCK_CLOEXEC);
    unsigned sequence = (unsigned)time(NULL);
    int r = 0;

    if (!socket)
        return -errno;
    if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
        r = -errno;
    if (r == 0)
        r = read_family(socket, AF_INET, sequence, &dump);
    if (r == 0)
        r = read_family(socket, AF_INET6, sequence + 1, &dump);
    mnl_socket_close(socket);
    return r;
}

int socket_table_live(struct socket_table *table)
{
    struct socket_table listening = {0};
    int r = sock_diag_read(table, &listening);

    if (r == 0)
        r = owner_find(table, &listening);
    if (r == 0) {
        socket_listened(table, &listening, false);
        for (size_t i = 0; i < table->n; i++)
            figures_look(&table->sockets[i]);
        figures_default(table);
    }
    socket_table_finish(&listening);
    return r;
}
