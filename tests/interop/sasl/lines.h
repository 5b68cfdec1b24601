/* The line protocol of tests/interop/README.md, for the peers written in C. */
#ifndef LINES_H
#define LINES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Bytes whose end is known. */
struct bytes {
    unsigned char *at;
    size_t length;
};

static inline void *must(void *memory)
{
    if (!memory)
        exit(3);
    return memory;
}

/* KEY=VALUE among the arguments. */
static inline const char *argument(int count, char **arguments, const char *key, const char *otherwise)
{
    size_t length = strlen(key);
    for (int index = 2; index < count; index++)
        if (!strncmp(arguments[index], key, length) && arguments[index][length] == '=')
            return arguments[index] + length + 1;
    return otherwise;
}

static inline struct bytes from_base64(const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct bytes bytes = { must(malloc(strlen(text) + 1)), 0 };
    unsigned value = 0, have = 0;
    for (; *text; text++) {
        const char *digit = strchr(digits, *text);
        if (!digit)
            break;
        value = (value << 6 | (unsigned)(digit - digits)) & 0xffffff;
        have += 6;
        if (have >= 8) {
            have -= 8;
            bytes.at[bytes.length++] = (unsigned char)(value >> have);
        }
    }
    return bytes;
}

static inline void print_base64(const void *data, size_t length)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *bytes = data;
    for (size_t index = 0; index < length; index += 3) {
        unsigned left = length - index > 2 ? 3 : (unsigned)(length - index);
        unsigned value = (unsigned)bytes[index] << 16;
        value |= left > 1 ? (unsigned)bytes[index + 1] << 8 : 0;
        value |= left > 2 ? bytes[index + 2] : 0;
        for (unsigned place = 0; place < 4; place++)
            putchar(place <= left ? digits[value >> (18 - 6 * place) & 63] : '=');
    }
}

/* A reply of a word and bytes. */
static inline void reply(const char *word, const void *data, size_t length)
{
    printf("%s ", word);
    print_base64(data, length);
    putchar('\n');
}

static inline void reply_failed(const char *why)
{
    printf("failed %.*s\n", (int)strcspn(why, "\n"), why);
}

/* The reply at the end of an authentication, with the token for the other side, if there is one. */
static inline void reply_done(const char *qop, const char *user, const void *token, size_t length)
{
    printf("done qop=%s user=", qop);
    print_base64(user, strlen(user));
    if (length) {
        fputs(" token=", stdout);
        print_base64(token, length);
    }
    putchar('\n');
}

/* Calls `answer` for each line of standard input with its word and its bytes. */
static inline void serve_lines(void (*answer)(const char *word, struct bytes bytes))
{
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        line[strcspn(line, "\r\n")] = 0;
        char *space = strchr(line, ' ');
        if (space)
            *space = 0;
        struct bytes bytes = from_base64(space ? space + 1 : "");
        answer(line, bytes);
        fflush(stdout);
        free(bytes.at);
    }
    free(line);
}

#endif
