/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "middlebox/live/tap.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

int tap_init(struct tap *tap, int wake)
{
    *tap = (struct tap){.wake = wake};
    tap->events = calloc(TAP_LENGTH, sizeof(struct event));
    if (!tap->events)
        return -ENOMEM;
    pthread_mutex_init(&tap->lock, NULL);
    return 0;
}

static const struct policy *keep(const struct policy *policy)
{
    return policy ? policy_ref((struct policy *)(size_t)policy) : NULL;
}

void tap_finish(struct tap *tap)
{
    struct event event;
    uint64_t lost;

    if (!tap->events)
        return;
    while (tap_take(tap, &event, 1, &lost) == 1)
        policy_unref((struct policy *)(size_t)event.flow.policy);
    free(tap->events);
    tap->events = NULL;
    pthread_mutex_destroy(&tap->lock);
}

void tap_put(struct tap *tap, const struct event *events, size_t n)
{
    bool was_empty;

    if (n == 0)
        return;
    pthread_mutex_lock(&tap->lock);
    was_empty = tap->n == 0;
    for (size_t i = 0; i < n; i++) {
        struct event *slot = &tap->events[(tap->first + tap->n) % TAP_LENGTH];

        if (tap->n == TAP_LENGTH) {
            tap->lost += n - i;
            break;
        }
        *slot = events[i];
        slot->flow.policy = keep(events[i].flow.policy);
        tap->n++;
    }
    pthread_mutex_unlock(&tap->lock);
    if (was_empty)
        eventfd_write(tap->wake, 1);
}

size_t tap_take(struct tap *tap, struct event *events, size_t n, uint64_t *lost)
{
    size_t taken = 0;

    pthread_mutex_lock(&tap->lock);
    while (taken < n && tap->n > 0) {
        events[taken++] = tap->events[tap->first];
        tap->first = (tap->first + 1) % TAP_LENGTH;
        tap->n--;
    }
    *lost = tap->lost;
    tap->lost = 0;
    pthread_mutex_unlock(&tap->lock);
    return taken;
}
