/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "middlebox/live/client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int peer;
static struct client client;

static int connected(void **state)
{
    int pair[2];

    (void)state;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
        return -1;
    peer = pair[1];
    client_init(&client, pair[0], 1);
    return 0;
}

static int disconnected(void **state)
{
    (void)state;
    client_finish(&client);
    if (peer >= 0)
        close(peer);
    return 0;
}

static void expect(const char *message, size_t len)
{
    char got[70000];

    assert_int_equal(recv(peer, got, sizeof(got), MSG_DONTWAIT), len);
    assert_memory_equal(got, message, len);
}

static void one_message_each(void **state)
{
    (void)state;
    assert_true(client_data(&client, "so", 2));
    assert_true(client_data(&client, "me\n", 3));
    assert_true(client_say(&client, "note"));
    assert_true(client_data(&client, "more\n", 5));
    client_end(&client, 1);
    assert_true(client_flush(&client, 2));
    assert_int_equal(client_held(&client), 0);
    assert_int_equal(client.progress, 2);
    expect("Dsome\n", 6);
    expect("Mnote", 5);
    expect("Dmore\n", 6);
    expect("Z\1", 2);
    assert_int_equal(client.state, CLIENT_ASKING);
}

static void long_data_is_split(void **state)
{
    static char data[100000];
    char got[70000];
    size_t sum = 0;
    ssize_t n;

    (void)state;
    assert_true(client_data(&client, data, sizeof(data)));
    while (client_held(&client) > 0) {
        assert_true(client_flush(&client, 2));
        while ((n = recv(peer, got, sizeof(got), MSG_DONTWAIT)) > 0) {
            assert_int_equal(got[0], 'D');
            sum += (size_t)n - 1;
        }
    }
    assert_int_equal(sum, sizeof(data));
}

static void never_more_than_its_room(void **state)
{
    static char data[10000];
    size_t given = 0;

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        given += client_data(&client, data, sizeof(data));
        client_flush(&client, 2); /* the peer reads nothing */
    }
    assert_true(given > 20 && given < 200);
    assert_true(client_held(&client) <= CLIENT_ROOM + 1024);
    assert_true(client.out.cap <= 4 * CLIENT_ROOM);
    client_end(&client, 0); /* the end always fits */
    assert_int_equal(client.state, CLIENT_ASKING);
}

static void requests(void **state)
{
    static char big[REQUEST_MAX + 1];

    (void)state;
    assert_int_equal(client_receive(&client, 3), 0);
    assert_int_equal(send(peer, "{}", 2, 0), 2);
    assert_int_equal(client_receive(&client, 3), 1);
    assert_int_equal(client.text_len, 2);
    assert_memory_equal(client.text, "{}", 2);
    client_end(&client, 0);
    assert_int_equal(send(peer, big, REQUEST_MAX, 0), REQUEST_MAX);
    assert_int_equal(client_receive(&client, 3), 1);
    client_end(&client, 0);
    assert_int_equal(send(peer, big, REQUEST_MAX + 1, 0), REQUEST_MAX + 1);
    assert_int_equal(client_receive(&client, 3), -EMSGSIZE);
    assert_null(client.text);
    close(peer);
    peer = -1;
    assert_int_equal(client_receive(&client, 3), -EPIPE);
    assert_false(client_flush(&client, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_message_each, connected, disconnected),
        cmocka_unit_test_setup_teardown(long_data_is_split, connected, disconnected),
        cmocka_unit_test_setup_teardown(never_more_than_its_room, connected, disconnected),
        cmocka_unit_test_setup_teardown(requests, connected, disconnected),
    };

    return cmocka_run_group_tests_name("client", tests, NULL, NULL);
}
