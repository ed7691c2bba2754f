// A relay for CQL (native protocol v3 and v4) with packed bodies on one side and plain ones on the other: what speaks no lz4 itself
// can then measure something that does.
//
//     lz4relay LISTEN CONNECT client|server     addresses are IPv4:port; the last word names the side whose bodies are packed
//
// Toward that side the relay asks for lz4 in STARTUP and offers it in SUPPORTED, and packs every body that the protocol lets it
// pack, whether it gets shorter or not, as drivers and nodes do. The other side sees neither. One thread; what one read brings
// leaves in one write.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <lz4.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

// A side is not read from while its peer has unsent_bytes_max to take in.
enum { read_bytes = 256 << 10, unsent_bytes_max = 4 << 20, body_bytes_max = 64 << 20, events_max = 256, backlog = 1024 };

// Native protocol v4, sections 2.2, 2.4 and 5.
enum { header_bytes = 9, flags_at = 1, opcode_at = 4, length_at = 5, packed_length_bytes = 4, flag_packed = 0x01 };
enum { opcode_startup = 0x01, opcode_ready = 0x02, opcode_authenticate = 0x03, opcode_supported = 0x06 };

struct buffer {
    unsigned char *bytes;
    size_t begin, end, capacity;
};

// One of the two sockets of a connection that is relayed.
struct side {
    struct pair *pair;
    struct side *peer;
    int socket;
    uint32_t events;
    bool is_packed;
    struct buffer received, unsent;
};

struct pair {
    struct side client, server;
    // asked: STARTUP asks for lz4. agreed: that has been answered, and bodies are packed from here on.
    bool asked, agreed, is_closed;
    struct pair *next_closed;
};

static int poll_set;
static struct pair *closed;
static struct buffer plain;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static size_t waiting(const struct buffer *buffer) { return buffer->end - buffer->begin; }

// Makes room for `count` bytes at the end, which it returns.
static unsigned char *reserve(struct buffer *buffer, size_t count) {
    if (buffer->begin == buffer->end) buffer->begin = buffer->end = 0;
    if (buffer->capacity - buffer->end < count && buffer->begin > 0) {
        memmove(buffer->bytes, buffer->bytes + buffer->begin, waiting(buffer));
        buffer->end -= buffer->begin, buffer->begin = 0;
    }
    if (buffer->capacity - buffer->end < count) {
        buffer->capacity = buffer->end + count + buffer->capacity / 2;
        buffer->bytes = realloc(buffer->bytes, buffer->capacity);
        if (buffer->bytes == NULL) fail("realloc");
    }
    return buffer->bytes + buffer->end;
}

static void append(struct buffer *buffer, const void *bytes, size_t count) {
    memcpy(reserve(buffer, count), bytes, count);
    buffer->end += count;
}

static unsigned short_at(const unsigned char *bytes) { return (unsigned)bytes[0] << 8 | bytes[1]; }

static uint32_t integer_at(const unsigned char *bytes) { return (uint32_t)short_at(bytes) << 16 | short_at(bytes + 2); }

static void set_integer(unsigned char *bytes, uint32_t value) { memcpy(bytes, &(uint32_t){htonl(value)}, sizeof(value)); }

// The end of a [string] that begins at `at`; 0 where the body ends before it does.
static size_t after_string(const unsigned char *body, size_t length, size_t at) {
    if (length - at < 2) return 0;
    size_t end = at + 2 + short_at(body + at);
    return end <= length ? end : 0;
}

// [string]s, with their lengths.
static const char key[] = "\0\x0b" "COMPRESSION", algorithm[] = "\0\x03" "lz4", one_value[] = "\0\x01";
enum { key_bytes = sizeof(key) - 1, algorithm_bytes = sizeof(algorithm) - 1, count_bytes = 2 };

// Copies a [string map] (STARTUP) or a [string multimap] (SUPPORTED) without COMPRESSION, or with lz4 for it.
static bool append_options(struct side *to, const unsigned char *body, size_t length, bool is_multimap) {
    size_t start = waiting(&to->unsent), at = count_bytes;
    bool has_lz4 = to->is_packed;
    if (length < count_bytes) return false;
    unsigned kept = has_lz4;
    append(&to->unsent, body, count_bytes);
    for (unsigned left = short_at(body); left > 0; left--) {
        size_t value = after_string(body, length, at), end = value;
        if (value == 0 || (is_multimap && length - value < count_bytes)) return false;
        unsigned values = is_multimap ? short_at(body + value) : 1;
        for (end += is_multimap ? count_bytes : 0; values > 0; values--)
            if ((end = after_string(body, length, end)) == 0) return false;
        if (value - at == key_bytes && memcmp(body + at, key, key_bytes) == 0) {
            has_lz4 |= end - value == algorithm_bytes && strncasecmp((const char *)body + value + count_bytes, "lz4", 3) == 0;
        } else {
            append(&to->unsent, body + at, end - at), kept++;
        }
        at = end;
    }
    if (to->is_packed) {
        append(&to->unsent, key, key_bytes);
        append(&to->unsent, one_value, is_multimap ? count_bytes : 0);
        append(&to->unsent, algorithm, algorithm_bytes);
    }
    if (!is_multimap) to->pair->asked = has_lz4;
    unsigned char *count = to->unsent.bytes + to->unsent.begin + start;
    count[0] = (unsigned char)(kept >> 8), count[1] = (unsigned char)kept;
    return true;
}

// Unpacks a body into `plain`.
static bool unpack(const unsigned char *body, size_t length) {
    if (length < packed_length_bytes) return false;
    uint32_t count = integer_at(body);
    if (count > body_bytes_max) return false;
    plain.begin = plain.end = 0;
    char *into = (char *)reserve(&plain, count);
    plain.end = count;
    const char *packed = (const char *)body + packed_length_bytes;
    return LZ4_decompress_safe(packed, into, (int)(length - packed_length_bytes), (int)count) == (int)count;
}

static void append_packed(struct buffer *buffer, const unsigned char *body, size_t length) {
    int bound = LZ4_compressBound((int)length);
    unsigned char *into = reserve(buffer, packed_length_bytes + (size_t)bound);
    set_integer(into, (uint32_t)length);
    buffer->end += packed_length_bytes;
    buffer->end += (size_t)LZ4_compress_default((const char *)body, (char *)into + packed_length_bytes, (int)length, bound);
}

// Takes one frame over to the other side; false where it breaks the protocol.
static bool relay(struct side *from, const unsigned char *header, const unsigned char *body, size_t length) {
    struct side *to = from->peer;
    struct pair *pair = from->pair;
    unsigned char opcode = header[opcode_at], flags = header[flags_at];
    size_t start = waiting(&to->unsent);
    if (flags & flag_packed) {
        if (!unpack(body, length)) return false;
        body = plain.bytes, length = waiting(&plain);
        flags &= (unsigned char)~flag_packed;
    }
    append(&to->unsent, header, header_bytes);
    if (opcode == opcode_startup || opcode == opcode_supported) {
        if (!append_options(to, body, length, opcode == opcode_supported)) return false;
    } else if (to->is_packed && pair->agreed && length > 0) {
        flags |= flag_packed;
        append_packed(&to->unsent, body, length);
    } else {
        append(&to->unsent, body, length);
    }
    // The answer to STARTUP is the last plain one.
    if (opcode == opcode_ready || opcode == opcode_authenticate) pair->agreed = pair->asked;
    unsigned char *written = to->unsent.bytes + to->unsent.begin + start;
    written[flags_at] = flags;
    set_integer(written + length_at, (uint32_t)(waiting(&to->unsent) - start - header_bytes));
    return true;
}

static void close_pair(struct pair *pair) {
    pair->is_closed = true;
    close(pair->client.socket), close(pair->server.socket);
    // Events of this round may still name it.
    pair->next_closed = closed;
    closed = pair;
}

static void free_closed(void) {
    while (closed != NULL) {
        struct pair *pair = closed;
        closed = pair->next_closed;
        free(pair->client.received.bytes), free(pair->client.unsent.bytes);
        free(pair->server.received.bytes), free(pair->server.unsent.bytes);
        free(pair);
    }
}

static void watch(struct side *side) {
    uint32_t events = waiting(&side->peer->unsent) < unsent_bytes_max ? EPOLLIN : 0;
    if (waiting(&side->unsent) > 0) events |= EPOLLOUT;
    if (events == side->events) return;
    side->events = events;
    struct epoll_event event = {.events = events, .data.ptr = side};
    if (epoll_ctl(poll_set, EPOLL_CTL_MOD, side->socket, &event) != 0) fail("epoll_ctl");
}

static bool send_unsent(struct side *side) {
    struct buffer *unsent = &side->unsent;
    while (waiting(unsent) > 0) {
        ssize_t count = send(side->socket, unsent->bytes + unsent->begin, waiting(unsent), MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN;
        unsent->begin += (size_t)count;
    }
    return true;
}

// Reads once and takes over every frame that is whole; false at the end of the connection.
static bool receive(struct side *side) {
    struct buffer *received = &side->received;
    ssize_t count = recv(side->socket, reserve(received, read_bytes), read_bytes, 0);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    received->end += (size_t)count;
    while (waiting(received) >= header_bytes) {
        const unsigned char *frame = received->bytes + received->begin;
        size_t length = integer_at(frame + length_at);
        if (length <= body_bytes_max && waiting(received) < header_bytes + length) break;
        if (length > body_bytes_max || !relay(side, frame, frame + header_bytes, length)) return false;
        received->begin += header_bytes + length;
    }
    return true;
}

static void serve(struct side *side, uint32_t events) {
    if (side->pair->is_closed) return;
    bool goes_on = !(events & EPOLLOUT) || send_unsent(side);
    if (goes_on && events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        goes_on = receive(side);
        // What came before the end is delivered, too.
        goes_on = send_unsent(side->peer) && goes_on;
    }
    if (!goes_on) return close_pair(side->pair);
    watch(side);
    watch(side->peer);
}

static void add(struct side *side, struct pair *pair, struct side *peer, int socket, bool is_packed) {
    *side = (struct side){.pair = pair, .peer = peer, .socket = socket, .events = EPOLLIN, .is_packed = is_packed};
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = side};
    if (epoll_ctl(poll_set, EPOLL_CTL_ADD, socket, &event) != 0) fail("epoll_ctl");
}

static void accept_one(int listener, const struct sockaddr_in *server, bool is_client_packed) {
    int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return;
    int connected = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connected < 0) fail("socket");
    // What is sent before the connection is there waits for EPOLLOUT.
    if (connect(connected, (const struct sockaddr *)server, sizeof(*server)) != 0 && errno != EINPROGRESS) fail("connect");
    struct pair *pair = calloc(1, sizeof(*pair));
    if (pair == NULL) fail("calloc");
    add(&pair->client, pair, &pair->server, accepted, is_client_packed);
    add(&pair->server, pair, &pair->client, connected, !is_client_packed);
}

static void usage(void) {
    fprintf(stderr, "usage: lz4relay LISTEN CONNECT client|server\n");
    exit(2);
}

static struct sockaddr_in address(const char *text) {
    struct sockaddr_in result = {.sin_family = AF_INET};
    char host[INET_ADDRSTRLEN];
    unsigned short port;
    if (sscanf(text, "%15[0-9.]:%hu", host, &port) != 2 || inet_pton(AF_INET, host, &result.sin_addr) != 1) usage();
    result.sin_port = htons(port);
    return result;
}

int main(int count, char **arguments) {
    bool is_client_packed = count == 4 && strcmp(arguments[3], "client") == 0;
    if (count != 4 || (!is_client_packed && strcmp(arguments[3], "server") != 0)) usage();
    struct sockaddr_in here = address(arguments[1]), server = address(arguments[2]);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&here, sizeof(here)) != 0 || listen(listener, backlog) != 0) fail("listen");
    poll_set = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event events[events_max] = {{.events = EPOLLIN}};
    if (poll_set < 0 || epoll_ctl(poll_set, EPOLL_CTL_ADD, listener, &events[0]) != 0) fail("epoll");
    for (;;) {
        int ready = epoll_wait(poll_set, events, events_max, -1);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        for (int index = 0; index < ready; index++) {
            struct side *side = events[index].data.ptr;
            if (side == NULL) accept_one(listener, &server, is_client_packed);
            else serve(side, events[index].events);
        }
        free_closed();
    }
}
