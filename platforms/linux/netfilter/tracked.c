/*
 * tracked.c - the connections of one local port, out of the whole conntrack table.
 */
#include "attempt.h"
#include "ctnetlink.h"
#include "host.h"

typedef struct {
  uint8_t protocol;
  uint16_t port;
  odst_tracked_visitor visit;
  void *context;
} selection;

/* The reply direction starts at the socket that answers. */
static void select_entry(void *context, const odst_entry *entry) {
  const selection *s = context;
  if (entry->protocol != s->protocol || entry->reply_source.port != s->port) return;
  odst_tracked tracked = {.local = entry->reply_source,
                          .peer = entry->reply_destination,
                          .original = entry->original_destination,
                          .zone = entry->zone};
  s->visit(s->context, &tracked);
}

bool odst_visit_tracked(const odst_kernel *kernel, uint8_t family, uint8_t protocol, uint16_t port,
                        odst_tracked_visitor visit, void *context, odst_attempt *attempt) {
  long fd = odst_ctnetlink_open(kernel, attempt);
  if (fd < 0) return false;
  selection selected = {protocol, port, visit, context};
  long answer = odst_ctnetlink_dump(kernel, (int)fd, family, select_entry, &selected);
  odst_record(attempt, "ctnetlink dump", "conntrack", answer);
  kernel->close(kernel, (int)fd);
  return answer >= 0;
}
