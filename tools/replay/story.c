/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tools/replay/story.h"

#include <stdlib.h>

#define PIECE 1024 /* stories mapped together: they never move */
#define FEWEST_CHAINS 1024
#define SECONDS 256 /* more than STORY_LINGER has */
_Static_assert(STORY_LINGER / MTIME_SEC < SECONDS - 2, "a second of the past is not one of now");

struct story_book {
    struct story **pieces;
    uint32_t n_pieces, piece_room;
    uint32_t fresh; /* ever handed out */
    uint32_t free;  /* number; 0: none */
    uint32_t used;
    uint32_t *chains; /* number of the first */
    uint32_t mask;
    uint32_t seconds[SECONDS]; /* the first whose last packet came in that second */
    int64_t swept;             /* no mortal one is older than this second */
    uint32_t hand;             /* story_any() found none below */
};

/* Nobody can aim at it: the figures do not hang on it, and a crafted capture costs its maker. Still
 * keyed hashing is as cheap. */
static const uint8_t secret[16] = "idlewall replay";

struct story *story_at(const struct story_book *book, uint32_t number)
{
    return &book->pieces[(number - 1) / PIECE][(number - 1) % PIECE];
}

struct story_book *story_book_create(void)
{
    struct story_book *book = calloc(1, sizeof(*book));

    if (!book)
        return NULL;
    book->mask = FEWEST_CHAINS - 1;
    book->chains = calloc(FEWEST_CHAINS, sizeof(*book->chains));
    return book->chains ? book : story_book_destroy(book);
}

struct story_book *story_book_destroy(struct story_book *book)
{
    if (!book)
        return NULL;
    for (uint32_t i = 0; i < book->n_pieces; i++)
        free(book->pieces[i]);
    free(book->pieces);
    free(book->chains);
    free(book);
    return NULL;
}

static uint32_t *chain_of(const struct story_book *book, const struct flow_key *key)
{
    return &book->chains[flow_key_hash(key, secret) & book->mask];
}

struct story *story_find(const struct story_book *book, const struct flow_key *key)
{
    if (book->used == 0)
        return NULL;
    for (uint32_t n = *chain_of(book, key); n != 0; n = story_at(book, n)->chain)
        if (flow_key_equal(&story_at(book, n)->key, key))
            return story_at(book, n);
    return NULL;
}

/* Without memory the chains get longer. */
static void grow(struct story_book *book)
{
    uint32_t *old = book->chains, mask = book->mask;
    uint32_t *chains = calloc(2 * ((size_t)mask + 1), sizeof(*chains));

    if (!chains)
        return;
    book->chains = chains;
    book->mask = 2 * mask + 1;
    for (uint32_t i = 0; i <= mask; i++)
        for (uint32_t n = old[i], next; n != 0; n = next) {
            struct story *story = story_at(book, n);
            uint32_t *chain = chain_of(book, &story->key);

            next = story->chain;
            story->chain = *chain;
            *chain = n;
        }
    free(old);
}

static uint32_t take(struct story_book *book)
{
    uint32_t number = book->free;

    if (number != 0) {
        book->free = story_at(book, number)->chain;
        return number;
    }
    if (book->fresh == book->n_pieces * PIECE) {
        if (book->n_pieces == book->piece_room) {
            uint32_t room = book->piece_room ? 2 * book->piece_room : 16;
            struct story **pieces = realloc(book->pieces, room * sizeof(*pieces));

            if (!pieces)
                return 0;
            book->pieces = pieces;
            book->piece_room = room;
        }
        book->pieces[book->n_pieces] = calloc(PIECE, sizeof(struct story));
        if (!book->pieces[book->n_pieces])
            return 0;
        book->n_pieces++;
    }
    return ++book->fresh;
}

struct story *story_add(struct story_book *book, const struct flow_key *key)
{
    uint32_t number = take(book), *chain;
    struct story *story;

    if (number == 0)
        return NULL;
    if (book->used > book->mask)
        grow(book);
    chain = chain_of(book, key);
    story = story_at(book, number);
    *story = (struct story){.key = *key, .chain = *chain};
    *chain = number;
    book->used++;
    if (number <= book->hand)
        book->hand = number - 1;
    return story;
}

uint32_t story_number(const struct story_book *book, const struct story *story)
{
    uint32_t number = *chain_of(book, &story->key);

    while (story_at(book, number) != story)
        number = story_at(book, number)->chain;
    return number;
}

static uint32_t *second_of(struct story_book *book, mtime_t time)
{
    return &book->seconds[time / MTIME_SEC % SECONDS];
}

void story_set_mortal(struct story_book *book, struct story *story, bool mortal)
{
    uint32_t number, *head;

    if (story->mortal) {
        *(story->before ? &story_at(book, story->before)->after : second_of(book, story->filed)) =
            story->after;
        if (story->after)
            story_at(book, story->after)->before = story->before;
        story->before = story->after = 0;
    }
    story->mortal = mortal;
    if (!mortal)
        return;
    number = story_number(book, story);
    story->filed = story->last;
    head = second_of(book, story->filed);
    story->after = *head;
    if (*head)
        story_at(book, *head)->before = number;
    *head = number;
    if (story->filed / MTIME_SEC < book->swept)
        book->swept = story->filed / MTIME_SEC;
}

void story_remove(struct story_book *book, struct story *story)
{
    uint32_t *link = chain_of(book, &story->key), number;

    story_set_mortal(book, story, false);
    while (story_at(book, *link) != story)
        link = &story_at(book, *link)->chain;
    number = *link;
    *link = story->chain;
    *story = (struct story){.chain = book->free};
    book->free = number;
    book->used--;
}

struct story *story_overdue(struct story_book *book, mtime_t now)
{
    int64_t second = now / MTIME_SEC, last = second - STORY_LINGER / MTIME_SEC;

    if (book->swept <= last - SECONDS) /* once round is all of them */
        book->swept = last - SECONDS + 1;
    for (; book->swept <= last; book->swept++) {
        for (uint32_t n = book->seconds[(uint64_t)(book->swept + SECONDS) % SECONDS]; n != 0;
             n = story_at(book, n)->after)
            if (story_is_over(story_at(book, n), now))
                return story_at(book, n);
        if (book->swept == last) /* the others of this second are due later in it */
            break;
    }
    return NULL;
}

struct story *story_any(struct story_book *book)
{
    while (book->hand < book->fresh) {
        struct story *story = story_at(book, book->hand + 1);

        if (story->key.family != 0)
            return story;
        book->hand++;
    }
    return NULL;
}
