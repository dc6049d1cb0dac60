/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that ends at every single place where the parser asks for some: it says so, and loses
 * nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy/policy_equal.h"
#include "policy/policy_parse.h"

#include <errno.h>
#include <string.h>

static long left = -1; /* requests until one fails; -1: none does */

static int fails(void)
{
    return left >= 0 && left-- == 0;
}

/* The linker puts these in the place of what the names say (--wrap). */
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
char *__real_strndup(const char *text, size_t n);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__wrap_strndup(const char *text, size_t n);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
    return fails() ? NULL : __real_reallocarray(old, n, size);
}

char *__wrap_strndup(const char *text, size_t n)
{
    return fails() ? NULL : __real_strndup(text, n);
}

static const char text[] =
    "server-ports 8443 1521 3306 5432 6379 27017 9042 7000 7001\n"
    "profile a from cisco-asa {\n product \"p\"\n udp 5s source \"s\"\n}\n"
    "profile b { }\nprofile c { }\nprofile d { }\nprofile e { }\nprofile f { }\nprofile g { }\n"
    "profile h { }\nprofile i from a { }\n"
    "rule r1 match \"tcp port https\" use a\nrule r2 match \"\" drop\nrule r3 match \"udp\" use "
    "linux-ipvs\n"
    "rule r4 match \"ip\" drop\nrule r5 match \"ip\" drop\nrule r6 match \"ip\" drop\n"
    "rule r7 match \"ip\" drop\nrule r8 match \"ip\" drop\nrule r9 match \"ip\" drop\n"
    "default use i\n";

static void every_request_fails_once(void **state)
{
    struct policy *whole = NULL, *policy = NULL;
    int failed = 0, r;

    (void)state;
    assert_int_equal(policy_parse(&whole, "test", text, strlen(text), NULL, NULL), 0);
    for (long n = 0;; n++) {
        long unused;

        left = n;
        r = policy_parse(&policy, "test", text, strlen(text), NULL, NULL);
        unused = left;
        left = -1;
        if (r == 0) {
            assert_true(policy_equal(policy, whole));
            policy_unref(policy);
            if (unused >= 0)
                break; /* it did not even need so many */
            fail_msg("request %ld failed, and nobody noticed", n);
        }
        assert_int_equal(r, -ENOMEM);
        failed++;
    }
    policy_unref(whole);
    print_message("# %d requests\n", failed);
    assert_true(failed > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_request_fails_once)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
