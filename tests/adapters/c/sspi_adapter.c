/*
 * An adapter of digest-ssp's conformance suite: the SSPI of the platform that it is compiled on, behind a pipe.
 *
 * It speaks the adapter protocol (spec/ADAPTERS.md): a request on a line of standard input, an answer on a line of
 * standard output. Compiled
 *   for Windows:          x86_64-w64-mingw32-gcc -O2 -o sspi-adapter.exe sspi_adapter.c json.c -lsecur32
 *   with FreeRDP's WinPR: gcc -O2 -DADAPTER_WINPR $(pkg-config --cflags winpr2) -o sspi-adapter sspi_adapter.c json.c \
 *                             $(pkg-config --libs winpr2)
 *   with digest-ssp:      gcc -O2 $(pkg-config --cflags digest_ssp) -o sspi-adapter sspi_adapter.c json.c \
 *                             $(pkg-config --libs digest_ssp)
 * and run as
 *   digest-ssp conform --command ./sspi-adapter
 *   digest-ssp conform --command ./sspi-adapter --package NTLM
 *
 * It offers calls, and memory that FreeContextBuffer takes back: no clock, no faults, no limits.
 */
#if defined(_WIN32)
#define SECURITY_WIN32
#include <windows.h>
#include <sspi.h>
#include <fcntl.h>
#include <io.h>
typedef ULONG word32;
#define SUBJECT "the SSPI of Windows"
#elif defined(ADAPTER_WINPR)
#include <winpr/sspi.h>
typedef ULONG word32;
#define SUBJECT "WinPR"
#else
#include <digest_ssp.h>
typedef uint32_t word32;
#define SUBJECT "digest-ssp through its C ABI"
#endif

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

#define PROTOCOL_VERSION "1"
/* The longest line that the protocol allows. */
#define LONGEST_LINE (16u << 20)
/* Contexts, credentials and memory that are freed when a sequence begins; more than any sequence makes. */
#define MOST_HANDLES 512
#define MOST_BUFFERS 64

typedef uint16_t unit16;

static SecurityFunctionTableW *functions;

/* --- Handles that live */

struct handles {
    SecHandle handles[MOST_HANDLES];
    size_t count;
};

static struct handles contexts;
static struct handles credentials;
/* Memory of the package: its address is the lower word. */
static struct handles blocks;

static int same(const SecHandle *one, const SecHandle *other)
{
    return one->dwLower == other->dwLower && one->dwUpper == other->dwUpper;
}

/* What the headers call invalid: all bits zero, or all one. */
static int names_something(const SecHandle *handle)
{
    SecHandle zeros = {0, 0};
    SecHandle ones;
    memset(&ones, 0xFF, sizeof ones);
    return !same(handle, &zeros) && !same(handle, &ones);
}

static void remember(struct handles *known, const SecHandle *handle)
{
    size_t index;
    for (index = 0; index < known->count; index++)
        if (same(&known->handles[index], handle))
            return;
    if (names_something(handle) && known->count < MOST_HANDLES)
        known->handles[known->count++] = *handle;
}

static void forget(struct handles *known, const SecHandle *handle)
{
    size_t index;
    for (index = 0; index < known->count; index++)
        if (same(&known->handles[index], handle)) {
            known->handles[index] = known->handles[--known->count];
            return;
        }
}

/* Nothing of the last sequence is left; what has no way to be ended stays. */
static void begin_sequence(void)
{
    while (contexts.count) {
        SecHandle handle = contexts.handles[--contexts.count];
        if (functions->DeleteSecurityContext)
            functions->DeleteSecurityContext(&handle);
    }
    while (credentials.count) {
        SecHandle handle = credentials.handles[--credentials.count];
        if (functions->FreeCredentialsHandle)
            functions->FreeCredentialsHandle(&handle);
    }
    while (blocks.count) {
        SecHandle block = blocks.handles[--blocks.count];
        if (functions->FreeContextBuffer)
            functions->FreeContextBuffer((void *)(uintptr_t)block.dwLower);
    }
}

/* --- Values of a message */

/* Memory that a request has taken; freed when it is answered. */
static void *taken[4 * MOST_BUFFERS];
static size_t taken_count;

static void *take(size_t size)
{
    void *memory = taken_count < sizeof taken / sizeof *taken ? calloc(1, size ? size : 1) : NULL;
    if (memory)
        taken[taken_count++] = memory;
    return memory;
}

static void give_back(void)
{
    while (taken_count)
        free(taken[--taken_count]);
}

/* Why the request cannot be answered; NULL where it can. */
static const char *trouble;
/* Why the call cannot be made, though nothing is wrong with the request; NULL where it can. */
static const char *unable;

static int is_null(const struct json *value)
{
    return !value || value->kind == JSON_NULL;
}

static word32 number(const struct json *value)
{
    if (!value || value->kind != JSON_NUMBER) {
        trouble = "a number is missing";
        return 0;
    }
    return (word32)strtoul(value->text, NULL, 10);
}

static uint64_t word(const struct json *value)
{
    if (!value || value->kind != JSON_STRING || strncmp(value->text, "0x", 2) != 0) {
        trouble = "a word of 64 bits is missing";
        return 0;
    }
    return strtoull(value->text + 2, NULL, 16);
}

/* The handle, or NULL. */
static SecHandle *handle(const struct json *value)
{
    SecHandle *read;
    if (is_null(value))
        return NULL;
    read = take(sizeof *read);
    if (!read || value->kind != JSON_ARRAY || !value->first || !value->first->next) {
        trouble = "a handle is no pair of words";
        return NULL;
    }
    read->dwLower = (uintptr_t)word(value->first);
    read->dwUpper = (uintptr_t)word(value->first->next);
    return read;
}

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static unsigned char *octets(const struct json *value, size_t *length)
{
    unsigned char *read;
    size_t index;
    *length = 0;
    if (is_null(value))
        return NULL;
    /* A zero behind them: pszTargetName is a string in C. */
    read = value->kind == JSON_STRING ? take(value->length / 2 + 2) : NULL;
    for (index = 0; read && index + 1 < value->length; index += 2) {
        int high = digit_value(value->text[index]);
        int low = digit_value(value->text[index + 1]);
        if (high < 0 || low < 0)
            break;
        read[index / 2] = (unsigned char)(high << 4 | low);
    }
    if (!read || index != value->length) {
        trouble = "octets are no pairs of hexadecimal digits";
        return NULL;
    }
    *length = value->length / 2;
    return read;
}

/* UTF-8 as UTF-16 with a zero behind it; `length` in units. */
static unit16 *wide(const char *text, size_t length, size_t *units)
{
    unit16 *made = take((length + 1) * sizeof *made);
    size_t index = 0;
    size_t count = 0;
    while (made && index < length) {
        unsigned char lead = (unsigned char)text[index++];
        unsigned long character = lead;
        int more = lead < 0x80 ? 0 : lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
        if (more)
            character = lead & (0x3Fu >> more);
        while (more-- && index < length)
            character = character << 6 | ((unsigned char)text[index++] & 0x3F);
        if (character < 0x10000) {
            made[count++] = (unit16)character;
        } else {
            made[count++] = (unit16)(0xD800 + ((character - 0x10000) >> 10));
            made[count++] = (unit16)(0xDC00 + ((character - 0x10000) & 0x3FF));
        }
    }
    if (!made)
        trouble = "memory is short";
    *units = count;
    return made;
}

static unit16 *wide_string(const struct json *value, size_t *units)
{
    *units = 0;
    return is_null(value) ? NULL : wide(value->text ? value->text : "", value->length, units);
}

/* --- Descriptors */

/* A descriptor as it was told, and the lengths of the memory behind its buffers. */
struct message {
    SecBufferDesc *descriptor;
    int has_buffers;
    size_t lengths[MOST_BUFFERS];
    void *memory[MOST_BUFFERS];
};

static struct message descriptor(const struct json *value)
{
    struct message read;
    const struct json *buffers = json_member(value, "buffers");
    const struct json *each;
    size_t count = 0;
    SecBuffer *array;
    memset(&read, 0, sizeof read);
    if (is_null(value))
        return read;
    read.descriptor = take(sizeof *read.descriptor);
    array = take(MOST_BUFFERS * sizeof *array);
    if (!read.descriptor || !array) {
        trouble = "memory is short";
        return read;
    }
    read.descriptor->ulVersion = number(json_member(value, "version"));
    read.descriptor->cBuffers = number(json_member(value, "count"));
    if (is_null(buffers))
        return read;
    for (each = buffers->first; each && count < MOST_BUFFERS; each = each->next, count++) {
        array[count].BufferType = number(json_member(each, "type"));
        array[count].cbBuffer = number(json_member(each, "count"));
        array[count].pvBuffer = read.memory[count] = octets(json_member(each, "data"), &read.lengths[count]);
        if (array[count].pvBuffer && array[count].cbBuffer > read.lengths[count])
            unable = "a buffer promises memory that it does not have, which C cannot tell";
    }
    if (each)
        trouble = "a descriptor has more buffers than this adapter has room for";
    if (read.descriptor->cBuffers > count)
        unable = "a descriptor promises buffers that it does not have, which C cannot tell";
    read.has_buffers = 1;
    read.descriptor->pBuffers = array;
    return read;
}

/* --- Answers */

static void put_octets(const void *memory, size_t length)
{
    const unsigned char *at = memory;
    putchar('"');
    while (length--)
        printf("%02x", *at++);
    putchar('"');
}

static void put_message(const char *name, const struct message *message)
{
    word32 index;
    if (!message->descriptor)
        return;
    printf(",\"%s\":{\"version\":%lu,\"count\":%lu,\"buffers\":", name, (unsigned long)message->descriptor->ulVersion,
           (unsigned long)message->descriptor->cBuffers);
    if (!message->has_buffers) {
        printf("null}");
        return;
    }
    putchar('[');
    for (index = 0; index < message->descriptor->cBuffers && index < MOST_BUFFERS; index++) {
        const SecBuffer *buffer = &message->descriptor->pBuffers[index];
        printf("%s{\"type\":%lu,\"count\":%lu,\"data\":", index ? "," : "", (unsigned long)buffer->BufferType,
               (unsigned long)buffer->cbBuffer);
        if (!buffer->pvBuffer)
            printf("null");
        else if (buffer->pvBuffer == message->memory[index])
            put_octets(buffer->pvBuffer, message->lengths[index]);
        else /* Memory of the package: of another length than what was given. */
            put_octets(buffer->pvBuffer, buffer->cbBuffer);
        putchar('}');
    }
    printf("]}");
}

static void put_handle(const SecHandle *handle)
{
    if (names_something(handle))
        printf(",\"handle\":[\"0x%llx\",\"0x%llx\"]", (unsigned long long)handle->dwLower,
               (unsigned long long)handle->dwUpper);
}

static void put_status(SECURITY_STATUS status)
{
    printf("{\"outcome\":{\"status\":\"0x%08lx\"", (unsigned long)(uint32_t)status);
}

static int succeeded(SECURITY_STATUS status)
{
    return (int32_t)status >= 0;
}

static void put_times(SECURITY_STATUS status, word32 granted, const TimeStamp *expiry)
{
    uint64_t time;
    if (!succeeded(status))
        return;
    memcpy(&time, expiry, sizeof time);
    printf(",\"granted\":%lu,\"expiry\":\"0x%llx\"", (unsigned long)granted, (unsigned long long)time);
}

/* A string in UTF-16, as JSON. */
static void put_wide(const unit16 *text)
{
    putchar('"');
    for (; text && *text; text++)
        if (*text >= 0x20 && *text < 0x7F && *text != '"' && *text != '\\')
            putchar(*text);
        else
            printf("\\u%04x", *text);
    putchar('"');
}

static void release(void *memory)
{
    if (memory && functions->FreeContextBuffer)
        functions->FreeContextBuffer(memory);
}

static void put_error(const char *message)
{
    printf("{\"error\":{\"message\":\"%s\"}}\n", message);
}

/* --- The calls */

static void acquire(const struct json *call)
{
    size_t units;
    size_t length;
    const struct json *identity = json_member(call, "identity");
    unit16 *principal = wide_string(json_member(call, "principal"), &units);
    unit16 *package = wide_string(json_member(call, "package"), &units);
    word32 use = number(json_member(call, "credential_use"));
    uint64_t logon = is_null(json_member(call, "logon_id")) ? 0 : word(json_member(call, "logon_id"));
    SEC_WINNT_AUTH_IDENTITY_W name;
    SecHandle made = {0, 0};
    TimeStamp expiry;
    SECURITY_STATUS status;
    memset(&name, 0, sizeof name);
    memset(&expiry, 0, sizeof expiry);
    if (!is_null(identity)) {
        name.User = (void *)wide_string(json_member(identity, "user"), &length);
        name.UserLength = (word32)length;
        name.Domain = (void *)wide_string(json_member(identity, "domain"), &length);
        name.DomainLength = (word32)length;
        name.Password = (void *)wide_string(json_member(identity, "password"), &length);
        name.PasswordLength = (word32)length;
        name.Flags = 2; /* SEC_WINNT_AUTH_IDENTITY_UNICODE */
    }
    if (trouble || unable)
        return;
    status = functions->AcquireCredentialsHandleW((void *)principal, (void *)package, use,
                                                  is_null(json_member(call, "logon_id")) ? NULL : (void *)&logon,
                                                  is_null(identity) ? NULL : &name, NULL, NULL, &made, &expiry);
    if (succeeded(status))
        remember(&credentials, &made);
    put_status(status);
    put_handle(&made);
    if (succeeded(status)) {
        uint64_t time;
        memcpy(&time, &expiry, sizeof time);
        printf(",\"expiry\":\"0x%llx\"", (unsigned long long)time);
    }
}

/* InitializeSecurityContext and AcceptSecurityContext differ in the target alone. */
static void establish(const struct json *call, int initializes)
{
    size_t length;
    size_t units;
    SecHandle *credential = handle(json_member(call, "credential"));
    SecHandle *context = handle(json_member(call, "context"));
    const struct json *name = json_member(call, "target_name");
    const char *target_octets = (const char *)octets(name, &length);
    unit16 *target = target_octets ? wide(target_octets, length, &units) : NULL;
    word32 requirements = number(json_member(call, "requirements"));
    struct message input = descriptor(json_member(call, "input"));
    struct message output = descriptor(json_member(call, "output"));
    /* As a caller has it who passes one variable for both: a package need not write a handle that stays. */
    SecHandle made = {0, 0};
    word32 granted = 0;
    TimeStamp expiry;
    SECURITY_STATUS status;
    memset(&expiry, 0, sizeof expiry);
    if (context)
        made = *context;
    if (trouble || unable)
        return;
    if (initializes)
        status = functions->InitializeSecurityContextW(credential, context, (void *)target, requirements, 0, 0,
                                                       input.descriptor, 0, &made, output.descriptor, (void *)&granted,
                                                       &expiry);
    else
        status = functions->AcceptSecurityContext(credential, context, input.descriptor, requirements, 0, &made,
                                                  output.descriptor, (void *)&granted, &expiry);
    if (!context || succeeded(status))
        remember(&contexts, &made);
    put_status(status);
    put_handle(&made);
    put_message("input", &input);
    put_message("output", &output);
    put_times(status, granted, &expiry);
}

enum in_place { COMPLETE, SIGN, VERIFY, ENCRYPT, DECRYPT };

static void in_place(const struct json *call, enum in_place which)
{
    SecHandle *context = handle(json_member(call, "context"));
    struct message message = descriptor(json_member(call, which == COMPLETE ? "token" : "message"));
    word32 quality = 0;
    SECURITY_STATUS status = 0;
    if (trouble || unable)
        return;
    switch (which) {
    case COMPLETE:
        status = functions->CompleteAuthToken(context, message.descriptor);
        break;
    case SIGN:
        status = functions->MakeSignature(context, 0, message.descriptor, 0);
        break;
    case VERIFY:
        status = functions->VerifySignature(context, message.descriptor, 0, (void *)&quality);
        break;
    case ENCRYPT:
        status = functions->EncryptMessage(context, 0, message.descriptor, 0);
        break;
    case DECRYPT:
        status = functions->DecryptMessage(context, message.descriptor, 0, (void *)&quality);
        break;
    }
    put_status(status);
    put_message("output", &message);
    if (which == DECRYPT && succeeded(status))
        printf(",\"quality\":%lu", (unsigned long)quality);
}

/* The structures of the attributes that are told, as sspi.h documents them; not every header has all of them. */
struct names {
    unit16 *user_name;
};

struct sizes {
    uint32_t maximum_token, maximum_signature, block_size, security_trailer;
};

struct stream_sizes {
    uint32_t header, trailer, maximum_message, buffers, block_size;
};

struct key_info {
    unit16 *signature_algorithm, *encryption_algorithm;
    uint32_t key_size, signature_number, encryption_number;
};

struct session_key {
    uint32_t length;
    unsigned char *key;
};

/* Room for the structure of any attribute. */
union attribute {
    struct names names;
    struct sizes sizes;
    struct stream_sizes stream_sizes;
    struct key_info key_info;
    struct session_key session_key;
    void *pointer;
    unsigned char room[4096];
};

static void put_text(const char *name, unit16 *text)
{
    printf("\"%s\":", name);
    put_wide(text);
    release(text);
}

static void put_attribute(word32 attribute, const union attribute *value)
{
    switch (attribute) {
    case 0: /* SECPKG_ATTR_SIZES */
        printf(",\"attribute\":{\"sizes\":{\"maximum_signature\":%lu,\"block_size\":%lu,\"security_trailer\":%lu}}",
               (unsigned long)value->sizes.maximum_signature, (unsigned long)value->sizes.block_size,
               (unsigned long)value->sizes.security_trailer);
        break;
    case 1: /* SECPKG_ATTR_NAMES */
        printf(",\"attribute\":{");
        put_text("names", value->names.user_name);
        putchar('}');
        break;
    case 4: /* SECPKG_ATTR_STREAM_SIZES */
        printf(",\"attribute\":{\"stream_sizes\":{\"header\":%lu,\"trailer\":%lu,\"maximum_message\":%lu,"
               "\"buffers\":%lu,\"block_size\":%lu}}",
               (unsigned long)value->stream_sizes.header, (unsigned long)value->stream_sizes.trailer,
               (unsigned long)value->stream_sizes.maximum_message, (unsigned long)value->stream_sizes.buffers,
               (unsigned long)value->stream_sizes.block_size);
        break;
    case 5: /* SECPKG_ATTR_KEY_INFO */
        printf(",\"attribute\":{\"key_info\":{");
        put_text("signature_algorithm", value->key_info.signature_algorithm);
        putchar(',');
        put_text("encryption_algorithm", value->key_info.encryption_algorithm);
        printf(",\"key_size\":%lu}}", (unsigned long)value->key_info.key_size);
        break;
    case 9: /* SECPKG_ATTR_SESSION_KEY */
        printf(",\"attribute\":{\"session_key\":");
        put_octets(value->session_key.key, value->session_key.length);
        putchar('}');
        release(value->session_key.key);
        break;
    case 10: /* SECPKG_ATTR_PACKAGE_INFO */
        printf(",\"attribute\":\"other\"");
        release(value->pointer);
        break;
    case 27: /* SECPKG_ATTR_CLIENT_SPECIFIED_TARGET */
        printf(",\"attribute\":{");
        put_text("client_specified_target", value->pointer);
        putchar('}');
        break;
    default:
        printf(",\"attribute\":\"other\"");
    }
}

static void query(const struct json *call)
{
    SecHandle *context = handle(json_member(call, "context"));
    word32 attribute = number(json_member(call, "attribute"));
    union attribute value;
    SECURITY_STATUS status;
    memset(&value, 0, sizeof value);
    if (trouble || unable)
        return;
    status = functions->QueryContextAttributesW(context, attribute, &value);
    put_status(status);
    if (succeeded(status))
        put_attribute(attribute, &value);
}

static void end(const struct json *call, const char *which, SECURITY_STATUS (SEC_ENTRY *function)(SecHandle *),
                struct handles *known)
{
    SecHandle *ended = handle(json_member(call, which));
    SECURITY_STATUS status;
    SecHandle before = {0, 0};
    if (trouble || unable)
        return;
    if (ended)
        before = *ended;
    status = function(ended);
    if (ended && succeeded(status))
        forget(known, &before);
    put_status(status);
}

/* What packages say of themselves, in memory that is given back later. */
static void put_packages(SECURITY_STATUS status, const SecPkgInfoW *packages, word32 count)
{
    SecHandle block = {0, 0};
    word32 index;
    block.dwLower = (uintptr_t)packages;
    put_status(status);
    put_handle(&block);
    if (!succeeded(status) || !packages)
        return;
    remember(&blocks, &block);
    printf(",\"attribute\":{\"packages\":[");
    for (index = 0; index < count; index++) {
        printf("%s{\"name\":", index ? "," : "");
        put_wide((const unit16 *)(const void *)packages[index].Name);
        printf(",\"capabilities\":%lu,\"version\":%u,\"rpc_id\":%u,\"maximum_token\":%lu}",
               (unsigned long)packages[index].fCapabilities, (unsigned)packages[index].wVersion,
               (unsigned)packages[index].wRPCID, (unsigned long)packages[index].cbMaxToken);
    }
    printf("]}");
}

static void enumerate(void)
{
    word32 count = 0;
    SecPkgInfoW *packages = NULL;
    SECURITY_STATUS status = functions->EnumerateSecurityPackagesW(&count, &packages);
    put_packages(status, packages, count);
}

static void query_package(const struct json *call)
{
    size_t units;
    unit16 *name = wide_string(json_member(call, "package"), &units);
    SecPkgInfoW *package = NULL;
    SECURITY_STATUS status;
    if (trouble || unable)
        return;
    status = functions->QuerySecurityPackageInfoW((void *)name, &package);
    put_packages(status, package, 1);
}

/* Nobody says of a package behind this adapter that it tells pointers that are none to its memory. */
static void free_block(const struct json *call)
{
    SecHandle *block = handle(json_member(call, "block"));
    size_t known = blocks.count;
    if (block)
        forget(&blocks, block);
    if (block && known == blocks.count)
        unable = "the pointer is none to memory of the package, which may be the end of the process";
    if (trouble || unable)
        return;
    put_status(functions->FreeContextBuffer(block ? (void *)(uintptr_t)block->dwLower : NULL));
}

static int begins(const struct json *call, const char *name, int exists)
{
    if (strcmp(call->name, name) != 0)
        return 0;
    if (!exists)
        unable = "the table of functions has no such entry";
    return exists;
}

static void answer_call(const struct json *call)
{
    if (!call || !call->name)
        trouble = "a call without a name";
    else if (begins(call, "AcquireCredentialsHandle", functions->AcquireCredentialsHandleW != NULL))
        acquire(call);
    else if (begins(call, "FreeCredentialsHandle", functions->FreeCredentialsHandle != NULL))
        end(call, "credential", functions->FreeCredentialsHandle, &credentials);
    else if (begins(call, "EnumerateSecurityPackages", functions->EnumerateSecurityPackagesW != NULL))
        enumerate();
    else if (begins(call, "QuerySecurityPackageInfo", functions->QuerySecurityPackageInfoW != NULL))
        query_package(call);
    else if (begins(call, "FreeContextBuffer", functions->FreeContextBuffer != NULL))
        free_block(call);
    else if (begins(call, "InitializeSecurityContext", functions->InitializeSecurityContextW != NULL))
        establish(call, 1);
    else if (begins(call, "AcceptSecurityContext", functions->AcceptSecurityContext != NULL))
        establish(call, 0);
    else if (begins(call, "CompleteAuthToken", functions->CompleteAuthToken != NULL))
        in_place(call, COMPLETE);
    else if (begins(call, "MakeSignature", functions->MakeSignature != NULL))
        in_place(call, SIGN);
    else if (begins(call, "VerifySignature", functions->VerifySignature != NULL))
        in_place(call, VERIFY);
    else if (begins(call, "EncryptMessage", functions->EncryptMessage != NULL))
        in_place(call, ENCRYPT);
    else if (begins(call, "DecryptMessage", functions->DecryptMessage != NULL))
        in_place(call, DECRYPT);
    else if (begins(call, "QueryContextAttributes", functions->QueryContextAttributesW != NULL))
        query(call);
    else if (begins(call, "DeleteSecurityContext", functions->DeleteSecurityContext != NULL))
        end(call, "context", functions->DeleteSecurityContext, &contexts);
    else if (!unable)
        unable = "this adapter does not know the function";
    if (!trouble && !unable)
        printf("}}\n");
}

static void answer(const struct json *request)
{
    const struct json *start = json_member(request, "start");
    const struct json *call = json_member(request, "call");
    trouble = unable = NULL;
    if (start) {
        const struct json *version = json_member(start, "protocol");
        if (!version || !version->text || strcmp(version->text, PROTOCOL_VERSION) != 0) {
            put_error("this adapter speaks version " PROTOCOL_VERSION " of the protocol");
            return;
        }
        begin_sequence();
        printf("{\"started\":{\"protocol\":" PROTOCOL_VERSION ",\"name\":\"%s\",\"capabilities\":[%s]}}\n", SUBJECT,
               functions->FreeContextBuffer ? "\"c-memory\"" : "");
    } else if (call) {
        answer_call(call->kind == JSON_OBJECT ? call->first : NULL);
        if (trouble)
            put_error(trouble);
        else if (unable)
            printf("{\"unable\":{\"message\":\"%s\"}}\n", unable);
    } else if (json_member(request, "stop")) {
        begin_sequence();
        printf("{\"done\":{}}\n");
    } else {
        put_error("this adapter answers calls and offers nothing beside that");
    }
    give_back();
}

#if defined(_WIN32)
/*
 * An exception that nothing handles is told as what it is, and ends the process; otherwise a window would wait for somebody,
 * and Wine would start its debugger, which writes into the output.
 */
static LONG WINAPI tell_exception(EXCEPTION_POINTERS *raised)
{
    char line[80];
    DWORD written;
    /* On the stack and past stdio: nobody knows what was written over. */
    int length = wsprintfA(line, "{\"crashed\":{\"message\":\"exception 0x%08X\"}}\n",
                           raised->ExceptionRecord->ExceptionCode);
    WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, (DWORD)length, &written, NULL);
    TerminateProcess(GetCurrentProcess(), raised->ExceptionRecord->ExceptionCode);
    return EXCEPTION_EXECUTE_HANDLER;
}
#endif

/* The next line without its break, in memory of the caller; its length, or -1 at the end of the input. */
static long read_line(char **line, size_t *room)
{
    size_t length = 0;
    int next;
    while ((next = getchar()) != EOF && next != '\n') {
        if (length == LONGEST_LINE)
            return -1;
        if (length == *room) {
            size_t more = *room ? 2 * *room : 4096;
            char *grown = realloc(*line, more);
            if (!grown)
                return -1;
            *line = grown;
            *room = more;
        }
        (*line)[length++] = (char)next;
    }
    return next == EOF ? -1 : (long)length;
}

int main(int count, char **arguments)
{
    char *line = NULL;
    size_t room = 0;
    long length;
    if (count != 1) {
        fprintf(stderr, "usage: %s\n", arguments[0]);
        return 2;
    }
#if defined(_WIN32)
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
    SetUnhandledExceptionFilter(tell_exception);
    /* Lines end in a line feed alone on every system. */
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
#endif
    functions = InitSecurityInterfaceW();
    if (!functions) {
        fprintf(stderr, "%s: InitSecurityInterfaceW gave no table of functions\n", arguments[0]);
        return 1;
    }
    while ((length = read_line(&line, &room)) >= 0) {
        struct json *request = json_read(line, (size_t)length);
        if (request)
            answer(request);
        else
            put_error("no request: the line is no JSON document");
        json_free(request);
        fflush(stdout);
    }
    free(line);
    return 0;
}
