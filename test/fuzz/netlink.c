/*
 * netlink.c - hostile answers for everything in origdst that reads netlink: scripts/fuzz.sh builds it
 * with libFuzzer, AddressSanitizer and UndefinedBehaviorSanitizer.
 *
 * The input is what a kernel says. Its first byte chooses who asks; then come datagrams, each behind
 * two bytes of length (low byte first). Lengths from FAILURES on are no datagrams but failed calls.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "ctnetlink.h"
#include "entry.h"
#include "flows.h"
#include "host.h"

enum { FAILURES = 0xfff0, QUESTIONS = 40 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
  const uint8_t *at;
  size_t left;
} script;

/* After the script: silence, which is what a blocking reader's SO_RCVTIMEO makes of it, too. */
static long receive(const odst_kernel *kernel, int fd, void *bytes, size_t room, int flags) {
  (void)fd;
  (void)flags;
  script *s = kernel->state;
  if (s->left < 2) return -EAGAIN;
  size_t length = (size_t)(s->at[0] | s->at[1] << 8);
  s->at += 2;
  s->left -= 2;
  static const int failures[] = {ENOBUFS, EINTR, EPERM, EBADF};
  if (length == 0xffff) return 0;
  if (length == 0xfffe) return (long)room + 1; /* MSG_TRUNC: longer than there is room for */
  if (length >= FAILURES) return -failures[length % 4];
  if (length > s->left) length = s->left;
  if (length > room) length = room;
  /* A copy of its own size: reading past the datagram is reading past an allocation. */
  memcpy(bytes, s->at, length);
  s->at += length;
  s->left -= length;
  return (long)length;
}

static long send_all(const odst_kernel *kernel, int fd, const void *bytes, size_t length, int flags) {
  (void)kernel;
  (void)fd;
  (void)bytes;
  (void)flags;
  return (long)length;
}

static long socket_made(const odst_kernel *kernel, int domain, int type, int protocol) {
  (void)kernel;
  (void)domain;
  (void)type;
  (void)protocol;
  return 3;
}

static long closed(const odst_kernel *kernel, int fd) {
  (void)kernel;
  (void)fd;
  return 0;
}

static long set(const odst_kernel *kernel, int fd, int level, int name, const void *value,
                size_t length) {
  (void)kernel;
  (void)fd;
  (void)level;
  (void)name;
  (void)value;
  (void)length;
  return 0;
}

static long get(const odst_kernel *kernel, int fd, int level, int name, void *value,
                size_t *length) {
  (void)kernel;
  (void)fd;
  (void)level;
  (void)name;
  memset(value, 0, *length);
  return 0;
}

static long ready(const odst_kernel *kernel, void *descriptors, size_t count, int milliseconds) {
  (void)kernel;
  (void)count;
  (void)milliseconds;
  ((struct pollfd *)descriptors)->revents = POLLIN;
  return 1;
}

static odst_endpoint place(uint8_t last, uint16_t port) {
  return (odst_endpoint){.family = 4, .port = port, .address = {192, 0, 2, last}};
}

/* What was read must be whole: a checksum touches every byte of it under the sanitizers. */
static unsigned sum;
static void touch(const void *bytes, size_t length) {
  const uint8_t *at = bytes;
  for (size_t i = 0; i < length; i++) sum += at[i];
}

static void touch_socket(void *context, const odst_socket *socket) {
  (void)context;
  touch(socket, sizeof *socket);
}

static void check_entries(const odst_entry *entries, size_t count) {
  touch(entries, count * sizeof *entries);
  for (size_t at = 0; at < count; at++) {
    uint8_t family = entries[at].original_source.family;
    if (family != 4 && family != 6) abort();
    if (family != entries[at].original_destination.family) abort();
  }
}

static void find(const odst_kernel *kernel, int32_t zone) {
  odst_flow flow = {.fd = -1, .protocol = 6, .zone = zone, .peer = place(2, 40000),
                    .local = place(1, 8110)};
  odst_attempt attempt = {0};
  odst_entry entry;
  if (odst_ctnetlink_find(kernel, 3, &flow, &entry, &attempt)) check_entries(&entry, 1);
}

static void read_table(const odst_kernel *kernel) {
  static odst_entry entries[ODST_DATAGRAM_ENTRIES * 2];
  odst_selection selection = {0};
  odst_attempt attempt = {0};
  odst_table table;
  if (!odst_table_open(kernel, &selection, &table, &attempt)) return;
  while (!table.over) {
    long count = odst_table_read(kernel, &table, entries, ODST_DATAGRAM_ENTRIES * 2);
    if (count > ODST_DATAGRAM_ENTRIES * 2) abort();
    if (count > 0) check_entries(entries, (size_t)count);
  }
  odst_table_close(kernel, &table);
}

static void read_events(const odst_kernel *kernel, size_t room) {
  odst_entry *entries = malloc(room * sizeof *entries);
  const script *s = kernel->state;
  for (;;) {
    size_t left = s->left;
    odst_heard heard = odst_events_read(kernel, 3, 0, entries, room);
    if (heard.count > (long)room) abort();
    if (heard.count > 0) check_entries(entries, (size_t)heard.count);
    if (s->left == left) break;
  }
  free(entries);
}

static void ask_many(const odst_kernel *kernel) {
  odst_entry *entries = calloc(QUESTIONS, sizeof *entries);
  for (uint16_t at = 0; at < QUESTIONS; at++) {
    entries[at].protocol = 6;
    entries[at].reply_source = place(1, 8110);
    entries[at].reply_destination = place(2, (uint16_t)(40000 + at));
  }
  odst_attempt attempt = {0};
  odst_lookup_entries(kernel, entries, QUESTIONS, &attempt);
  for (size_t at = 0; at < QUESTIONS; at++)
    if (entries[at].error > 0) abort(); /* never answered, and not said so */
  touch(entries, QUESTIONS * sizeof *entries);
  free(entries);
}

static void ask_sockets(const odst_kernel *kernel, uint8_t family) {
  odst_attempt attempt = {0};
  odst_visit_sockets(kernel, family, 6, touch_socket, NULL, &attempt);
}

static void read_body(const uint8_t *data, size_t size) {
  uint8_t *body = malloc(size > 0 ? size : 1);
  memcpy(body, data, size);
  odst_entry entry;
  if (odst_entry_read(body, size, &entry)) check_entries(&entry, 1);
  free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  script s = {data + 1, size - 1};
  odst_kernel kernel = {.state = &s, .socket = socket_made, .close = closed, .setsockopt = set,
                        .getsockopt = get, .send = send_all, .receive = receive, .poll = ready};
  switch (data[0] & 7) {
    case 0: find(&kernel, 0); break;
    case 1: find(&kernel, ODST_ZONE_ANY); break;
    case 2: read_table(&kernel); break;
    case 3: read_events(&kernel, 1); break;
    case 4: read_events(&kernel, ODST_DATAGRAM_ENTRIES); break;
    case 5: ask_many(&kernel); break;
    case 6: ask_sockets(&kernel, data[0] & 8 ? 4 : 6); break;
    default: read_body(data + 1, size - 1);
  }
  return 0;
}
