/* A reader of JSON documents (RFC 8259), as far as the messages of the adapter protocol go. */
#ifndef ADAPTER_JSON_H
#define ADAPTER_JSON_H

#include <stddef.h>

enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_kind kind;
    /* Of a member of an object: its name. Texts are UTF-8, their escapes undone. */
    const char *name;
    /* Of a string: its bytes, then a zero. Of a number: its digits, then a zero. */
    const char *text;
    size_t length;
    /* Of an array or object: its first value; of a value in one: the value behind it. */
    struct json *first;
    struct json *next;
};

/* The document in `text`, which is overwritten and must outlive the result. NULL where it is none, or memory ends. */
struct json *json_read(char *text, size_t length);
void json_free(struct json *value);

/* The member of that name; NULL where there is none, or `object` is no object. */
const struct json *json_member(const struct json *object, const char *name);

#endif
