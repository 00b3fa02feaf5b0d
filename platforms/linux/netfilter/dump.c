/*
 * dump.c - the whole table, a datagram at a time.
 *
 * The kernel walks its hash buckets while entries come and go. When the entry is gone that it had
 * stopped at, it begins that bucket again (ctnetlink_dump_table), so that some entries come twice:
 * the last ones of each datagram are remembered and left out of the next.
 */
#include <errno.h>
#include <linux/netlink.h>

#include "address.h"
#include "attempt.h"
#include "ctnetlink.h"
#include "message.h"
#include "request.h"

bool odst_table_open(const odst_kernel *kernel, const odst_selection *selection,
                     odst_table *table, odst_attempt *attempt) {
  _Alignas(struct nlmsghdr) unsigned char bytes[ODST_REQUEST_SIZE];
  odst_request question = {.bytes = bytes};
  *table = (odst_table){.fd = -1};
  long fd = odst_ctnetlink_open(kernel, attempt);
  if (fd < 0) return false;
  odst_put_dump(&question, selection);
  long answer = kernel->send(kernel, (int)fd, question.bytes, question.used, 0);
  odst_record(attempt, "ctnetlink dump", "conntrack", answer < 0 ? answer : 0);
  if (answer < 0) {
    kernel->close(kernel, (int)fd);
    return false;
  }
  table->fd = (int)fd;
  return true;
}

static bool came_before(const odst_table *table, const odst_entry *entry) {
  for (size_t at = 0; at < table->nrecent; at++)
    if (table->recent[at].id == entry->id &&
        odst_endpoint_equal(&table->recent[at].source, &entry->original_source) &&
        odst_endpoint_equal(&table->recent[at].destination, &entry->original_destination))
      return true;
  return false;
}

static void remember(odst_table *table, const odst_entry *entries, size_t count) {
  size_t kept = count < ODST_RECENT ? count : ODST_RECENT;
  table->nrecent = kept;
  for (size_t at = 0; at < kept; at++) {
    const odst_entry *entry = &entries[count - kept + at];
    table->recent[at].id = entry->id;
    table->recent[at].source = entry->original_source;
    table->recent[at].destination = entry->original_destination;
  }
}

/* How many entries of one datagram were written, or -errno. */
static long read_datagram(const odst_kernel *kernel, odst_table *table, odst_entry *entries) {
  odst_answer datagram;
  odst_messages messages;
  long answer = odst_receive(kernel, table->fd, &datagram, 0, &messages);
  if (answer < 0) return answer;
  size_t count = 0, seen = 0;
  odst_message message;
  while (count < ODST_DATAGRAM_ENTRIES &&
         (message = odst_next_message(&messages, &entries[count])).kind != ODST_NO_MESSAGE) {
    if (message.kind == ODST_DONE || message.kind == ODST_ERROR) {
      table->over = true;
      if (message.error < 0) return message.error;
      break;
    }
    if (message.kind != ODST_ENTRY) continue;
    entries[count].event = ODST_PRESENT;
    if (seen++ < ODST_RECENT && came_before(table, &entries[count])) continue;
    count++;
  }
  remember(table, entries, count);
  return (long)count;
}

long odst_table_read(const odst_kernel *kernel, odst_table *table, odst_entry *entries,
                     size_t room) {
  size_t count = 0;
  while (!table->over && room - count >= ODST_DATAGRAM_ENTRIES) {
    long answer = read_datagram(kernel, table, entries + count);
    if (answer < 0) {
      table->over = true;
      return answer;
    }
    count += (size_t)answer;
  }
  return (long)count;
}

void odst_table_close(const odst_kernel *kernel, odst_table *table) {
  if (table->fd >= 0) kernel->close(kernel, table->fd);
  table->fd = -1;
}
