/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes as a request of the control socket: understood, or refused with a reason. */
#include "middlebox/live/request.h"
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <string.h>

static const char *const seeds[] = {
    ("{\"command\":\"list\",\"filter\":\"tcp port 22\",\"state\":\"FIN_WAIT\",\"idle_over_s\":1.5,"
     "\"due_within_s\":60,\"rule\":\"oracle\",\"id\":7,\"output\":\"conntrack\"}"),
    "{\"command\":\"events\",\"filter\":\"ip6 and not udp\",\"output\":\"json\"}",
    "{\"command\":\"wait\",\"for\":\"late\",\"timeout_s\":2e1}",
    "{\"command\":\"expire\",\"filter\":\"src net 192.0.2.0/24 or host 2001:db8::1\"}",
    "{\"command\":\"block\",\"from\":\"client\",\"filter\":\"portrange 1-2\"}",
    "{\"command\":\"unblock\",\"from\":\"server\"}",
    "{\"command\":\"status\",\"output\":\"text\"}",
    "{\"command\":\"reload\"}",
};

size_t fuzz_seed(size_t index, uint8_t *data, size_t max)
{
    size_t len;

    if (index >= sizeof(seeds) / sizeof(*seeds))
        return 0;
    len = strlen(seeds[index]);
    if (len > max)
        return 0;
    memcpy(data, seeds[index], len);
    return len;
}

static void check(const struct request *r)
{
    struct flow flow = {.id = 1, .family = 4, .proto = 6, .port = {1024, 22}, .deadline = 5};

    FUZZ_CHECK(r->command <= REQUEST_RELOAD);
    FUZZ_CHECK(r->output <= RECORD_CONNTRACK);
    FUZZ_CHECK(r->output <= RECORD_JSON || r->command == REQUEST_LIST);
    FUZZ_CHECK(r->idle_over >= 0 && r->due_within >= 0 && r->timeout >= 0);
    FUZZ_CHECK(!r->has_state || flow_state_name(r->state));
    FUZZ_CHECK(!r->has_id || r->id > 0);
    FUZZ_CHECK(r->command != REQUEST_WAIT ||
               (r->wait_for < EVENT_KINDS && r->wait_for != EVENT_UPDATE));
    FUZZ_CHECK(!r->has_from || r->command == REQUEST_BLOCK || r->command == REQUEST_UNBLOCK);
    (void)request_matches(r, 10, &flow);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request request;
    char why[64]; /* short on purpose */
    int r;

    memset(why, 'x', sizeof(why));
    r = request_parse(&request, (const char *)data, size, why, sizeof(why));
    FUZZ_CHECK(r == 0 || r == -EINVAL);
    if (r < 0) {
        FUZZ_CHECK(memchr(why, '\0', sizeof(why)) && why[0] != '\0');
        return 0;
    }
    check(&request);
    request_finish(&request);
    return 0;
}
