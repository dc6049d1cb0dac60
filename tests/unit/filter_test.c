/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The flows every expression is asked about. */
enum { WEB, DNS, SSH6, PING, PING6, GRE, SCTP, FLOWS };

static struct filter_tuple flows[FLOWS];

static struct filter_tuple tuple(uint8_t proto, const char *client, uint16_t client_port,
                                 const char *server, uint16_t server_port)
{
    struct filter_tuple t = {.family = strchr(client, ':') ? 6 : 4,
                             .proto = proto,
                             .client_port = client_port,
                             .server_port = server_port};
    int family = t.family == 6 ? AF_INET6 : AF_INET;

    assert_int_equal(inet_pton(family, client, t.client), 1);
    assert_int_equal(inet_pton(family, server, t.server), 1);
    return t;
}

static int make_flows(void **state)
{
    (void)state;
    flows[WEB] = tuple(IPPROTO_TCP, "192.0.2.1", 40000, "198.51.100.2", 443);
    flows[DNS] = tuple(IPPROTO_UDP, "192.0.2.1", 40001, "203.0.113.53", 53);
    flows[SSH6] = tuple(IPPROTO_TCP, "2001:db8::1", 40002, "2001:db8:1::2", 22);
    flows[PING] = tuple(IPPROTO_ICMP, "192.0.2.1", 7, "198.51.100.2", 7);
    flows[PING6] = tuple(IPPROTO_ICMPV6, "2001:db8::1", 7, "2001:db8:1::2", 7);
    flows[GRE] = tuple(IPPROTO_GRE, "192.0.2.9", 0, "198.51.100.2", 0);
    flows[SCTP] = tuple(IPPROTO_SCTP, "192.0.2.9", 5000, "198.51.100.2", 5001);
    return 0;
}

#define BIT(flow) (1u << (flow))
#define V6 (BIT(SSH6) | BIT(PING6))
#define ALL (BIT(FLOWS) - 1)

static const struct {
    const char *expression;
    unsigned matches;
} good[] = {
    {"", ALL},
    {"  \t\n", ALL},
    {"tcp", BIT(WEB) | BIT(SSH6)},
    {"not tcp", ALL & ~(BIT(WEB) | BIT(SSH6))},
    {"!tcp", ALL & ~(BIT(WEB) | BIT(SSH6))},
    {"udp", BIT(DNS)},
    {"sctp", BIT(SCTP)},
    {"icmp", BIT(PING)},
    {"icmp6", BIT(PING6)},
    {"icmp or icmp6", BIT(PING) | BIT(PING6)},
    {"icmp || icmp6", BIT(PING) | BIT(PING6)},
    {"ip", ALL & ~V6},
    {"ip6", V6},
    {"ip and tcp", BIT(WEB)},
    {"ip6 && tcp", BIT(SSH6)},
    {"port 443", BIT(WEB)},
    {"not port 443", ALL & ~BIT(WEB)},
    {"port 443 or 53", BIT(WEB) | BIT(DNS)},
    {"port https or domain", BIT(WEB) | BIT(DNS)},
    {"port (https or domain or ssh)", BIT(WEB) | BIT(DNS) | BIT(SSH6)},
    {"tcp port 53", 0},
    {"udp port 53", BIT(DNS)},
    {"udp dst port domain", BIT(DNS)},
    {"src port 40000", BIT(WEB)},
    {"dst port 40000", 0},
    {"src or dst port 22", BIT(SSH6)},
    {"src and dst port 22", 0},
    {"portrange 20-60", BIT(DNS) | BIT(SSH6)},
    {"tcp portrange ssh-https", BIT(WEB) | BIT(SSH6)},
    {"dst portrange ftp-data-domain", BIT(DNS) | BIT(SSH6)},
    {"sctp port 5001", BIT(SCTP)},
    {"port 7", 0}, /* an echo's id is no port */
    {"port 0", 0},
    {"host 192.0.2.1", BIT(WEB) | BIT(DNS) | BIT(PING)},
    {"not host 192.0.2.1", ALL & ~(BIT(WEB) | BIT(DNS) | BIT(PING))},
    {"host 192.0.2.1 or 192.0.2.9", ALL & ~V6},
    {"src host 192.0.2.1", BIT(WEB) | BIT(DNS) | BIT(PING)},
    {"dst host 192.0.2.1", 0},
    {"src 192.0.2.9", BIT(GRE) | BIT(SCTP)},
    {"dst 203.0.113.53", BIT(DNS)},
    {"ip host 203.0.113.53", BIT(DNS)},
    {"host 2001:db8::1", V6},
    {"ip6 host 2001:db8:1::2", V6},
    {"src host 2001:db8:1::2", 0},
    {"net 198.51.100.0/24", ALL & ~V6 & ~BIT(DNS)},
    {"dst net 203.0.113.0 mask 255.255.255.0", BIT(DNS)},
    {"net 192.0.2", ALL & ~V6},
    {"net 10", 0},
    {"src net 2001:db8::/48", V6},
    {"dst net 2001:db8::/48", 0},
    {"net 2001:db8::/32", V6},
    {"proto 47", BIT(GRE)},
    {"proto gre", BIT(GRE)},
    {"ip proto \\tcp", BIT(WEB)},
    {"ip proto tcp", BIT(WEB)},
    {"ip6 proto icmp6", BIT(PING6)},
    {"proto tcp and port 443", BIT(WEB)},
    {"proto gre or proto 17", BIT(GRE) | BIT(DNS)},
    {"tcp and (port 22 or port 443) and not host 192.0.2.1", BIT(SSH6)},
    {"(((tcp)))", BIT(WEB) | BIT(SSH6)},
    {"not not tcp", BIT(WEB) | BIT(SSH6)},
};

static void good_expressions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct filter *filter = NULL;
        char why[256] = "unset";
        unsigned matches = 0;
        int r = filter_compile(&filter, good[i].expression, why, sizeof(why));

        if (r < 0)
            fail_msg("\"%s\": %s", good[i].expression, why);
        for (unsigned k = 0; k < FLOWS; k++)
            matches |= filter_match(filter, &flows[k]) ? BIT(k) : 0;
        if (matches != good[i].matches)
            fail_msg("\"%s\": %x, not %x", good[i].expression, matches, good[i].matches);
        assert_null(filter_destroy(filter));
    }
}

static const struct {
    const char *expression, *why; /* a part of the message */
} bad[] = {
    {"tcp[13] & 2 != 0", "header offsets"},
    {"ip[0] = 0x45", "header offsets"},
    {"ip6[6] == 6", "header offsets"},
    {"tcp [tcpflags] = 2", "header offsets"},
    {"len > 100", "\"len\""},
    {"less 100", "\"less\""},
    {"greater 100", "\"greater\""},
    {"vlan 5", "\"vlan\""},
    {"mpls 5", "\"mpls\""},
    {"pppoes", "\"pppoes\""},
    {"ether host 00:11:22:33:44:55", "\"ether\""},
    {"host 00:11:22:33:44:55", "00:11:22:33:44:55"},
    {"link proto 5", "\"link\""},
    {"arp", "\"arp\""},
    {"inbound", "\"inbound\""},
    {"outbound", "\"outbound\""},
    {"gateway 192.0.2.1", "\"gateway\""},
    {"ifname eth0", "\"ifname\""},
    {"broadcast", "\"broadcast\""},
    {"ip multicast", "\"multicast\""},
    {"ip protochain 6", "\"protochain\""},
    {"geneve", "\"geneve\""},
    {"action pass", "\"action\""},
    {"host www.example.com", "names are not looked up"},
    {"host localhost", "names are not looked up"},
    {"localhost", "names are not looked up"},
    {"src www.example.com", "names are not looked up"},
    {"net loopback", "names are not looked up"},
    {"host 192.0.2.1 or www", "names are not looked up"},
    {"port 80 or host www", "names are not looked up"},
    {"port 80 and tcp or www", "names are not looked up"},
    {"host fe", "names are not looked up"},
    {"port no-such-service", "no port"},
    {"port 65536", "no port"},
    {"port -1", "no port"},
    {"port 80.5", "no port"},
    {"portrange 5", "no range"},
    {"portrange 1-65536", "no range"},
    {"portrange a-b", "no range"},
    {"proto no-such-protocol", "no protocol"},
    {"proto 256", "no protocol"},
    {"host 192.0.2", "whole address"},
    {"host 192.0.2.0/24", "no network"},
    {"net 192.0.2.0/33", "no network"},
    {"net 2001:db8::/129", "no network"},
    {"net 192.0.2.0/", "no network"},
    {"host 192.0.2.256", "names are not looked up"},
    {"host 1.2.3.4.5", "names are not looked up"},
    {"host 2001:db8:::1", "names are not looked up"},
    {"tcp and udp", "rejects all"},
    {"tcp port", "syntax error"},
    {"and", "syntax error"},
    {"(tcp", "syntax error"},
    {"tcp)", "syntax error"},
    {"not", "syntax error"},
    {"tcp & udp", "\"&\""},
    {"tcp | udp", "\"|\""},
    {"tcp; udp", "\";\""},
    {"tcp \\udp", "\"\\\""},
    {"port `id`", "\"`\""},
    {"tcp\x01", "\"\\x01\""},
    {"tcp \xff", "\"\\xff\""},
    {"host aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "too long"},
};

static void bad_expressions(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct filter *filter = NULL;
        char why[256] = "unset";

        if (filter_compile(&filter, bad[i].expression, why, sizeof(why)) != -EINVAL)
            fail_msg("\"%s\" is taken", bad[i].expression);
        if (!strstr(why, bad[i].why) || strncmp(why, "filter: ", 8) != 0 ||
            !strstr(why, "; allowed: "))
            fail_msg("\"%s\": %s", bad[i].expression, why);
        assert_null(filter);
    }
}

static void message_fits_its_buffer(void **state)
{
    struct filter *filter = NULL;
    char why[32];

    (void)state;
    for (size_t size = 0; size < sizeof(why); size++) {
        memset(why, 'x', sizeof(why));
        assert_int_equal(filter_compile(&filter, "host www.example.com", why, size), -EINVAL);
        assert_int_equal(why[size], 'x');
        assert_true(size == 0 || why[size - 1] == '\0');
    }
}

/* more comes once less often when there is a first. */
static char *repeat(const char *first, const char *more, size_t terms)
{
    char *text = malloc(strlen(first) + terms * strlen(more) + 1);
    size_t used = (size_t)sprintf(text, "%s", first);

    for (size_t i = used > 0; i < terms; i++)
        used += (size_t)sprintf(text + used, "%s", more);
    return text;
}

/* Long and deep ones end, whatever the answer is. */
static void long_expressions(void **state)
{
    static const struct {
        const char *first, *more;
        size_t terms;
        int r;
    } cases[] = {
        {"host 192.0.2.1", " or host 192.0.2.9", 128, 0},
        {"host 192.0.2.1", " or host 192.0.2.9", 129, -EINVAL},
        {"host 2001:db8::1", " or src host 2001:db8::9", 64, 0},
        {"tcp", " or tcp", 128, 0},
        {"tcp", " or tcp", 129, -EINVAL},
        {"ip", " and ip", 128, 0},
        {"port 1", " or 2", 128, 0},
        {"port 1", " or 2", 129, -EINVAL},
        {"port 1", " and not port 2", 128, 0},
        {"portrange 1-2", " or portrange 5-6", 32, 0},
        {"portrange 1-2", " or portrange 5-6", 128, 0},
        {"", "not ", 2000, -EINVAL},
        {"", "(", 8192, -EINVAL},
        {"", ")", 8192, -EINVAL},
        {"", "!", 8192, -EINVAL},
        {"", "0", 8192, -EINVAL},
        {"", " ", 8192, 0},
        {"", " ", 8193, -EINVAL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = repeat(cases[i].first, cases[i].more, cases[i].terms), why[256];
        struct filter *filter = NULL;

        print_message("# %s%s...\n", cases[i].first, cases[i].more);
        assert_int_equal(filter_compile(&filter, text, why, sizeof(why)), cases[i].r);
        if (filter)
            filter_match(filter, &flows[WEB]);
        filter_destroy(filter);
        free(text);
    }
}

static void *compile_often(void *shared)
{
    for (int i = 0; i < 300; i++) {
        struct filter *own = NULL;
        char why[256], expression[64];

        snprintf(expression, sizeof(expression), "tcp port %d or host 192.0.2.9", 143 + i);
        if (filter_compile(&own, expression, why, sizeof(why)) < 0)
            return "not compiled";
        if (filter_match(own, &flows[WEB]) != (i == 300) || !filter_match(own, &flows[GRE]))
            return "own filter wrong";
        if (filter_match(shared, &flows[DNS]) || !filter_match(shared, &flows[WEB]))
            return "shared filter wrong";
        filter_destroy(own);
    }
    return NULL;
}

static void threads(void **state)
{
    struct filter *shared = NULL;
    pthread_t thread[4];
    char why[256];

    (void)state;
    assert_int_equal(filter_compile(&shared, "tcp port 443", why, sizeof(why)), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, compile_often, shared), 0);
    for (size_t i = 0; i < 4; i++) {
        void *wrong = NULL;

        assert_int_equal(pthread_join(thread[i], &wrong), 0);
        if (wrong)
            fail_msg("%s", (const char *)wrong);
    }
    filter_destroy(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_expressions),
        cmocka_unit_test(bad_expressions),
        cmocka_unit_test(message_fits_its_buffer),
        cmocka_unit_test(long_expressions),
        cmocka_unit_test(threads),
    };

    return cmocka_run_group_tests(tests, make_flows, NULL);
}
