/*
 * batch.c - thousands of keyed questions in flight.
 *
 * The kernel answers all messages of one sendmsg(2) before it returns (netlink_rcv_skb), each with one
 * datagram: the entry, or an error. Without NLM_F_ACK there are as many answers as questions,
 * and their sequence numbers say which question each belongs to. Answers that find the receive buffer
 * full are dropped (ENOBUFS); the questions that stayed open are asked again, fewer at a time.
 */
#define _DEFAULT_SOURCE /* SO_RCVBUFFORCE */
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "attempt.h"
#include "ctnetlink.h"
#include "message.h"
#include "request.h"

enum { IN_FLIGHT = 1024, RECEIVE_BUFFER = 16 << 20, SEND_BUFFER = 1 << 20 };
/* No kernel reports this: the question was not answered yet. */
enum { OPEN = 1 };

typedef struct {
  odst_entry *entries; /* the questions of this flight, numbered from 0 */
  size_t count, open;
  long refused; /* -EPERM: said once for all messages of a sendmsg (nfnetlink_rcv) */
} flight;

static void enlarge(const odst_kernel *kernel, int fd, int force, int plain, int size) {
  long answer = kernel->setsockopt(kernel, fd, SOL_SOCKET, force, &size, sizeof size);
  if (answer < 0) kernel->setsockopt(kernel, fd, SOL_SOCKET, plain, &size, sizeof size);
}

/* A question's own addresses stay readable in its record until the answer is known to be its. */
static void settle(flight *f, const odst_message *message, const odst_entry *answer) {
  if (message->sequence >= f->count) return;
  odst_entry *question = &f->entries[message->sequence];
  if (question->error != OPEN) return;
  if (message->kind == ODST_ERROR && message->error == -EPERM) f->refused = message->error;
  if (message->kind == ODST_ERROR) {
    question->error = message->error < 0 ? (int32_t)message->error : -EPROTO;
  } else if (odst_entry_is(answer, question->protocol, &question->reply_source,
                           &question->reply_destination)) {
    *question = *answer;
    question->event = ODST_PRESENT;
  } else {
    question->error = -EPROTO;
  }
  f->open--;
}

static long send_open(const odst_kernel *kernel, int fd, const flight *f, size_t at_once) {
  _Alignas(struct nlmsghdr) unsigned char bytes[IN_FLIGHT * ODST_REQUEST_SIZE];
  odst_request request = {.bytes = bytes};
  size_t put = 0;
  for (size_t at = 0; at < f->count && put < at_once; at++) {
    const odst_entry *question = &f->entries[at];
    if (question->error != OPEN) continue;
    odst_put_get(&request, (uint32_t)at, 0, question->protocol, question->zone,
                 &question->reply_source, &question->reply_destination);
    put++;
  }
  long answer = kernel->send(kernel, fd, request.bytes, request.used, 0);
  return answer < 0 ? answer : (long)put;
}

/* Reads the answers to `expected` questions; false when some were dropped, or -errno in *error. */
static bool receive_answers(const odst_kernel *kernel, int fd, flight *f, size_t expected,
                            long *error) {
  size_t wanted = f->open - expected;
  while (f->open > wanted && f->refused == 0) {
    odst_answer datagram;
    odst_messages messages;
    long length = odst_receive(kernel, fd, &datagram, MSG_DONTWAIT, &messages);
    if (length == -ENOBUFS) continue;
    if (length < 0) {
      *error = length == -EAGAIN ? 0 : length;
      return false;
    }
    odst_entry entry;
    odst_message message;
    while ((message = odst_next_message(&messages, &entry)).kind != ODST_NO_MESSAGE)
      if (message.kind == ODST_ENTRY || message.kind == ODST_ERROR) settle(f, &message, &entry);
  }
  return true;
}

static long fly(const odst_kernel *kernel, int fd, flight *f) {
  size_t at_once = f->count;
  while (f->open > 0) {
    long sent = send_open(kernel, fd, f, at_once);
    if (sent < 0) return sent;
    size_t before = f->open;
    long error = 0;
    bool complete = receive_answers(kernel, fd, f, (size_t)sent, &error);
    if (f->refused < 0) return f->refused;
    if (complete) continue;
    if (error < 0) return error;
    /* All that was answered is read: the rest was dropped. One alone always fits. */
    if (f->open == before && at_once == 1) return -ENOBUFS;
    at_once = at_once > 1 ? at_once / 2 : 1;
  }
  return 0;
}

static bool is_question(const odst_entry *entry) {
  return (entry->reply_source.family == 4 || entry->reply_source.family == 6) &&
         entry->reply_source.family == entry->reply_destination.family;
}

/* What was not answered has the reason why in its place. */
static void fail_open(odst_entry *entries, size_t count, long error) {
  for (size_t at = 0; at < count; at++)
    if (entries[at].error == OPEN) entries[at].error = (int32_t)error;
}

long odst_lookup_entries(const odst_kernel *kernel, odst_entry *entries, size_t count,
                         odst_attempt *attempt) {
  for (size_t at = 0; at < count; at++)
    entries[at].error = is_question(&entries[at]) ? OPEN : -EINVAL;
  long fd = odst_ctnetlink_open(kernel, attempt);
  if (fd < 0) {
    fail_open(entries, count, fd);
    return fd;
  }
  enlarge(kernel, (int)fd, SO_RCVBUFFORCE, SO_RCVBUF, RECEIVE_BUFFER);
  enlarge(kernel, (int)fd, SO_SNDBUFFORCE, SO_SNDBUF, SEND_BUFFER);
  long answer = 0;
  for (size_t at = 0; at < count && answer >= 0; at += IN_FLIGHT) {
    flight f = {.entries = entries + at, .count = count - at < IN_FLIGHT ? count - at : IN_FLIGHT};
    for (size_t i = 0; i < f.count; i++)
      if (f.entries[i].error == OPEN) f.open++;
    answer = fly(kernel, (int)fd, &f);
  }
  if (answer < 0) fail_open(entries, count, answer);
  odst_record(attempt, "ctnetlink get", "conntrack", answer);
  kernel->close(kernel, (int)fd);
  return answer;
}
