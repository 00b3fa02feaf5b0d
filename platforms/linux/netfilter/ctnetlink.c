#include "ctnetlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "address.h"
#include "attempt.h"
#include "message.h"
#include "request.h"

long odst_ctnetlink_open(const odst_kernel *kernel, odst_attempt *attempt) {
  long fd = kernel->socket(kernel, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  odst_record(attempt, "socket", "NETLINK_NETFILTER", fd < 0 ? fd : 0);
  if (fd < 0) return fd;
  /* An emulated kernel may never answer: a diagnostic tool must not hang. */
  struct timeval patience = {.tv_sec = 2};
  kernel->setsockopt(kernel, (int)fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

/* A dump ends with NLMSG_DONE, a keyed question with its acknowledgement; an error ends both. */
static long converse(const odst_kernel *kernel, int fd, const odst_request *question,
                     odst_entry_visitor visit, void *context) {
  long answer = kernel->send(kernel, fd, question->bytes, question->used, 0);
  if (answer < 0) return answer;
  for (;;) {
    odst_answer datagram;
    odst_messages messages;
    answer = odst_receive(kernel, fd, &datagram, 0, &messages);
    if (answer < 0) return answer;
    odst_entry entry;
    odst_message message;
    while ((message = odst_next_message(&messages, &entry)).kind != ODST_NO_MESSAGE) {
      if (message.kind == ODST_DONE || message.kind == ODST_ERROR) return message.error;
      if (message.kind == ODST_ENTRY) visit(context, &entry);
    }
  }
}

long odst_ctnetlink_dump(const odst_kernel *kernel, int fd, uint8_t family,
                         odst_entry_visitor visit, void *context) {
  _Alignas(struct nlmsghdr) unsigned char bytes[ODST_REQUEST_SIZE];
  odst_request question = {.bytes = bytes};
  odst_put_dump(&question, &(odst_selection){.family = family});
  return converse(kernel, fd, &question, visit, context);
}

bool odst_entry_is(const odst_entry *entry, uint16_t protocol, const odst_endpoint *local,
                   const odst_endpoint *peer) {
  /* Connection tracking sees the subflows of MPTCP as plain TCP. */
  return entry->protocol == (protocol == ODST_MPTCP ? ODST_TCP : protocol) &&
         ((odst_endpoint_equal(&entry->reply_source, local) &&
           odst_endpoint_equal(&entry->reply_destination, peer)) ||
          (odst_endpoint_equal(&entry->original_source, local) &&
           odst_endpoint_equal(&entry->original_destination, peer)));
}

typedef struct {
  const odst_flow *flow;
  odst_entry *entry;
  bool found;
} search;

static void keep_match(void *context, const odst_entry *entry) {
  search *s = context;
  if (s->found || !odst_entry_is(entry, s->flow->protocol, &s->flow->local, &s->flow->peer)) return;
  *s->entry = *entry;
  s->found = true;
}

bool odst_ctnetlink_find(const odst_kernel *kernel, int fd, const odst_flow *flow,
                         odst_entry *entry, odst_attempt *attempt) {
  bool any_zone = flow->zone == ODST_ZONE_ANY;
  search state = {.flow = flow, .entry = entry};
  long answer;
  if (any_zone) {
    answer = odst_ctnetlink_dump(kernel, fd, flow->local.family, keep_match, &state);
  } else {
    _Alignas(struct nlmsghdr) unsigned char bytes[ODST_REQUEST_SIZE];
    odst_request question = {.bytes = bytes};
    odst_put_get(&question, 1, NLM_F_ACK, flow->protocol, (uint16_t)flow->zone, &flow->local,
                 &flow->peer);
    answer = converse(kernel, fd, &question, keep_match, &state);
  }
  if (answer >= 0 && !state.found) answer = -ENOENT;
  odst_step *step =
      odst_record(attempt, any_zone ? "ctnetlink dump" : "ctnetlink get", "conntrack", answer);
  odst_detail(step, "zone ");
  if (answer >= 0) odst_detail_number(step, entry->zone);
  else if (any_zone) odst_detail(step, "any");
  else odst_detail_number(step, (uint32_t)flow->zone);
  return answer >= 0;
}
