/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/corpus.h"

#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

static int add(struct corpus *corpus, const uint8_t *data, size_t size)
{
    struct corpus_input *grown =
        realloc(corpus->inputs, (corpus->n + 1) * sizeof(corpus->inputs[0]));

    if (!grown)
        return -ENOMEM;
    corpus->inputs = grown;
    grown[corpus->n].data = malloc(size ? size : 1);
    if (!grown[corpus->n].data)
        return -ENOMEM;
    memcpy(grown[corpus->n].data, data, size);
    grown[corpus->n++].size = size;
    return 0;
}

static int load_file(struct corpus *corpus, const char *path)
{
    static uint8_t buffer[CORPUS_INPUT_MAX + 1];
    FILE *file = fopen(path, "rbe");
    size_t size;
    int r;

    if (!file)
        return -errno;
    size = fread(buffer, 1, sizeof(buffer), file);
    if (ferror(file))
        r = -EIO;
    else if (size > CORPUS_INPUT_MAX)
        r = -EFBIG;
    else
        r = add(corpus, buffer, size);
    fclose(file);
    return r;
}

static int load_directory(struct corpus *corpus, const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, NULL, alphasort), r = 0;

    if (n < 0)
        return -errno;
    for (int i = 0; i < n; i++) {
        char file[4096];
        struct stat st;

        snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
        if (r == 0 && stat(file, &st) == 0 && S_ISREG(st.st_mode))
            r = load_file(corpus, file);
        free(entries[i]);
    }
    free(entries);
    return r;
}

static int load_own(struct corpus *corpus)
{
    static uint8_t buffer[CORPUS_INPUT_MAX];
    size_t size;
    int r = add(corpus, buffer, 0);

    for (size_t i = 0; r == 0 && fuzz_seed; i++) {
        size = fuzz_seed(i, buffer, sizeof(buffer));
        if (size == 0)
            break;
        r = add(corpus, buffer, size);
    }
    return r;
}

int corpus_load(struct corpus **out, char *const *paths, size_t n_paths)
{
    struct corpus *corpus = calloc(1, sizeof(*corpus));
    struct stat st;
    int r;

    if (!corpus)
        return -ENOMEM;
    r = load_own(corpus);
    for (size_t i = 0; r == 0 && i < n_paths; i++) {
        if (stat(paths[i], &st) < 0)
            r = -errno;
        else
            r = S_ISDIR(st.st_mode) ? load_directory(corpus, paths[i])
                                    : load_file(corpus, paths[i]);
    }
    if (r < 0)
        corpus = corpus_destroy(corpus);
    *out = corpus;
    return r;
}

struct corpus *corpus_destroy(struct corpus *corpus)
{
    if (!corpus)
        return NULL;
    for (size_t i = 0; i < corpus->n; i++)
        free(corpus->inputs[i].data);
    free(corpus->inputs);
    free(corpus);
    return NULL;
}

int corpus_write(const struct corpus *corpus, const char *directory)
{
    for (size_t i = 0; i < corpus->n; i++) {
        const struct corpus_input *input = &corpus->inputs[i];
        char path[4096];
        FILE *file;
        size_t written;

        snprintf(path, sizeof(path), "%s/%04zu", directory, i);
        file = fopen(path, "wbe");
        if (!file)
            return -errno;
        written = fwrite(input->data, 1, input->size, file);
        if (fclose(file) != 0 || written != input->size)
            return -EIO;
    }
    return 0;
}
