#include "json.h"

#include <stdlib.h>
#include <string.h>

/* Deeper than any message; what is deeper is refused rather than followed. */
#define DEEPEST 32

struct reader {
    char *at;
    char *end;
};

static struct json *value(struct reader *reader, int depth);

static int next_is(const struct reader *reader, char wanted)
{
    return reader->at < reader->end && *reader->at == wanted;
}

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->end && memchr(" \t\r\n", *reader->at, 4))
        reader->at++;
}

static int take(struct reader *reader, char wanted)
{
    skip_space(reader);
    if (!next_is(reader, wanted))
        return 0;
    reader->at++;
    return 1;
}

static struct json *new_value(enum json_kind kind)
{
    struct json *made = calloc(1, sizeof *made);
    if (made)
        made->kind = kind;
    return made;
}

static int hexadecimal_digit(char digit)
{
    const char *digits = "0123456789abcdef";
    const char *found = digit ? strchr(digits, digit >= 'A' && digit <= 'F' ? digit - 'A' + 'a' : digit) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* The four digits behind \u, or -1. */
static long unit(struct reader *reader)
{
    long result = 0;
    int count;
    for (count = 0; count < 4; count++) {
        int digit = reader->at < reader->end ? hexadecimal_digit(*reader->at) : -1;
        if (digit < 0)
            return -1;
        result = result * 16 + digit;
        reader->at++;
    }
    return result;
}

static char *put_utf8(char *out, unsigned long character)
{
    if (character < 0x80) {
        *out++ = (char)character;
        return out;
    }
    if (character < 0x800) {
        *out++ = (char)(0xC0 | character >> 6);
    } else {
        if (character < 0x10000) {
            *out++ = (char)(0xE0 | character >> 12);
        } else {
            *out++ = (char)(0xF0 | character >> 18);
            *out++ = (char)(0x80 | (character >> 12 & 0x3F));
        }
        *out++ = (char)(0x80 | (character >> 6 & 0x3F));
    }
    *out++ = (char)(0x80 | (character & 0x3F));
    return out;
}

/* What \u stands for; NULL where it stands for no character. */
static char *escaped_character(struct reader *reader, char *out)
{
    long high = unit(reader);
    long low;
    if (high < 0 || (high >= 0xDC00 && high <= 0xDFFF))
        return NULL;
    if (high < 0xD800 || high > 0xDFFF)
        return put_utf8(out, (unsigned long)high);
    if (reader->end - reader->at < 2 || reader->at[0] != '\\' || reader->at[1] != 'u')
        return NULL;
    reader->at += 2;
    low = unit(reader);
    if (low < 0xDC00 || low > 0xDFFF)
        return NULL;
    return put_utf8(out, 0x10000 + ((unsigned long)(high - 0xD800) << 10) + (unsigned long)(low - 0xDC00));
}

/* Undoes the escapes of a string in its place: no escape is shorter than what it stands for. */
static const char *string(struct reader *reader, size_t *length)
{
    char *begin;
    char *out;
    if (!take(reader, '"'))
        return NULL;
    begin = out = reader->at;
    while (reader->at < reader->end && *reader->at != '"') {
        static const char escapes[] = "\"\\/bfnrt";
        static const char characters[] = "\"\\/\b\f\n\r\t";
        const char *escape;
        if (*reader->at != '\\') {
            *out++ = *reader->at++;
            continue;
        }
        reader->at++;
        if (next_is(reader, 'u')) {
            reader->at++;
            out = escaped_character(reader, out);
            if (!out)
                return NULL;
            continue;
        }
        escape = reader->at < reader->end && *reader->at ? strchr(escapes, *reader->at) : NULL;
        if (!escape)
            return NULL;
        *out++ = characters[escape - escapes];
        reader->at++;
    }
    if (!next_is(reader, '"'))
        return NULL;
    reader->at++;
    /* At the latest where the closing quotation mark was. */
    *out = '\0';
    *length = (size_t)(out - begin);
    return begin;
}

static struct json *number(struct reader *reader)
{
    char *begin = reader->at;
    struct json *made = new_value(JSON_NUMBER);
    char *digits;
    while (reader->at < reader->end && *reader->at && strchr("+-.0123456789Ee", *reader->at))
        reader->at++;
    digits = made && reader->at > begin ? malloc((size_t)(reader->at - begin) + 1) : NULL;
    if (!digits) {
        free(made);
        return NULL;
    }
    /* What follows the digits is still to be read, so no zero can stand there. */
    made->length = (size_t)(reader->at - begin);
    memcpy(digits, begin, made->length);
    digits[made->length] = '\0';
    made->text = digits;
    return made;
}

static struct json *word(struct reader *reader, const char *text, enum json_kind kind)
{
    size_t length = strlen(text);
    if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, text, length) != 0)
        return NULL;
    reader->at += length;
    return new_value(kind);
}

static struct json *values(struct reader *reader, enum json_kind kind, char closing, int depth)
{
    struct json *made = new_value(kind);
    struct json **place = made ? &made->first : NULL;
    if (!made || depth == 0)
        goto failed;
    reader->at++;
    if (take(reader, closing))
        return made;
    do {
        const char *name = NULL;
        size_t length;
        if (kind == JSON_OBJECT) {
            name = string(reader, &length);
            if (!name || !take(reader, ':'))
                goto failed;
        }
        *place = value(reader, depth - 1);
        if (!*place)
            goto failed;
        (*place)->name = name;
        place = &(*place)->next;
    } while (take(reader, ','));
    if (take(reader, closing))
        return made;
failed:
    json_free(made);
    return NULL;
}

static struct json *value(struct reader *reader, int depth)
{
    struct json *made;
    skip_space(reader);
    if (reader->at == reader->end)
        return NULL;
    switch (*reader->at) {
    case '{':
        return values(reader, JSON_OBJECT, '}', depth);
    case '[':
        return values(reader, JSON_ARRAY, ']', depth);
    case 'n':
        return word(reader, "null", JSON_NULL);
    case 't':
        return word(reader, "true", JSON_TRUE);
    case 'f':
        return word(reader, "false", JSON_FALSE);
    case '"':
        made = new_value(JSON_STRING);
        if (made && !(made->text = string(reader, &made->length))) {
            free(made);
            return NULL;
        }
        return made;
    default:
        return number(reader);
    }
}

struct json *json_read(char *text, size_t length)
{
    struct reader reader = {text, text + length};
    struct json *made = value(&reader, DEEPEST);
    skip_space(&reader);
    if (made && reader.at != reader.end) {
        json_free(made);
        return NULL;
    }
    return made;
}

void json_free(struct json *value)
{
    while (value) {
        struct json *next = value->next;
        json_free(value->first);
        if (value->kind == JSON_NUMBER)
            free((char *)value->text);
        free(value);
        value = next;
    }
}

const struct json *json_member(const struct json *object, const char *name)
{
    const struct json *member = object && object->kind == JSON_OBJECT ? object->first : NULL;
    while (member && strcmp(member->name, name) != 0)
        member = member->next;
    return member;
}
