#include "ctnetlink.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "address.h"
#include "attempt.h"

enum { REQUEST_SIZE = 256, ANSWER_SIZE = 32768 };

typedef struct {
  _Alignas(struct nlmsghdr) unsigned char bytes[REQUEST_SIZE];
  size_t used;
} request;

static size_t open_nest(request *r, uint16_t type) {
  size_t at = r->used;
  struct nlattr head = {.nla_len = 0, .nla_type = (uint16_t)(type | NLA_F_NESTED)};
  memcpy(r->bytes + at, &head, sizeof head);
  r->used += sizeof head;
  return at;
}

static void close_nest(request *r, size_t at) {
  uint16_t length = (uint16_t)(r->used - at);
  memcpy(r->bytes + at, &length, sizeof length);
}

static void put(request *r, uint16_t type, const void *value, size_t length) {
  struct nlattr head = {.nla_len = (uint16_t)(sizeof head + length), .nla_type = type};
  memcpy(r->bytes + r->used, &head, sizeof head);
  memcpy(r->bytes + r->used + sizeof head, value, length);
  r->used += NLA_ALIGN(sizeof head + length);
}

static void put16(request *r, uint16_t type, uint16_t value) {
  unsigned char bytes[2] = {(unsigned char)(value >> 8), (unsigned char)value};
  put(r, type, bytes, sizeof bytes);
}

/* Connection tracking sees the subflows of MPTCP as plain TCP. */
static uint8_t wire_protocol(const odst_flow *flow) {
  return (uint8_t)(flow->protocol == ODST_MPTCP ? ODST_TCP : flow->protocol);
}

/* The direction local -> peer: how the intercepted socket answers its client. */
static void put_tuple(request *r, const odst_flow *flow) {
  bool four = flow->local.family == 4;
  size_t length = four ? 4 : 16;
  size_t tuple = open_nest(r, CTA_TUPLE_REPLY);
  size_t ip = open_nest(r, CTA_TUPLE_IP);
  put(r, four ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, flow->local.address, length);
  put(r, four ? CTA_IP_V4_DST : CTA_IP_V6_DST, flow->peer.address, length);
  close_nest(r, ip);
  size_t proto = open_nest(r, CTA_TUPLE_PROTO);
  uint8_t number = wire_protocol(flow);
  put(r, CTA_PROTO_NUM, &number, sizeof number);
  put16(r, CTA_PROTO_SRC_PORT, flow->local.port);
  put16(r, CTA_PROTO_DST_PORT, flow->peer.port);
  close_nest(r, proto);
  close_nest(r, tuple);
}

static void begin(request *r, uint8_t family) {
  memset(r, 0, sizeof *r);
  struct nfgenmsg generic = {
      .nfgen_family = family == 4 ? AF_INET : AF_INET6,
      .version = NFNETLINK_V0,
  };
  r->used = NLMSG_HDRLEN;
  memcpy(r->bytes + r->used, &generic, sizeof generic);
  r->used += NLMSG_ALIGN(sizeof generic);
}

static void finish(request *r, uint16_t flags) {
  struct nlmsghdr head = {
      .nlmsg_len = (uint32_t)r->used,
      .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
      .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
      .nlmsg_seq = 1,
  };
  memcpy(r->bytes, &head, sizeof head);
}

typedef struct {
  odst_entry_visitor visit;
  void *context;
  bool finished;
  long error; /* -errno as the kernel reported it in NLMSG_ERROR */
} conversation;

/* A dump ends with NLMSG_DONE; a keyed answer bears NLM_F_MULTI and yet no NLMSG_DONE follows
 * (ctnetlink_fill_info), so that one is asked for with NLM_F_ACK and ends with an error of 0. */
static void read_message(conversation *c, const struct nlmsghdr *head, const unsigned char *body,
                         size_t length) {
  if (head->nlmsg_type == NLMSG_ERROR) {
    int32_t error = -EPROTO;
    if (length >= sizeof error) memcpy(&error, body, sizeof error);
    c->error = error;
    c->finished = true;
    return;
  }
  if (head->nlmsg_type == NLMSG_DONE) {
    c->finished = true;
    return;
  }
  odst_entry entry;
  if (odst_entry_read(body, length, &entry)) c->visit(c->context, &entry);
}

static void read_datagram(conversation *c, const unsigned char *bytes, size_t length) {
  while (length >= NLMSG_HDRLEN && !c->finished) {
    struct nlmsghdr head;
    memcpy(&head, bytes, sizeof head);
    if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len > length) return;
    read_message(c, &head, bytes + NLMSG_HDRLEN, head.nlmsg_len - NLMSG_HDRLEN);
    size_t step = NLMSG_ALIGN(head.nlmsg_len);
    if (step > length) return;
    bytes += step;
    length -= step;
  }
}

static long converse(const odst_kernel *kernel, int fd, const request *question,
                     odst_entry_visitor visit, void *context) {
  conversation state = {.visit = visit, .context = context};
  long answer = kernel->send(kernel, fd, question->bytes, question->used, 0);
  while (answer >= 0 && !state.finished) {
    _Alignas(struct nlmsghdr) unsigned char bytes[ANSWER_SIZE];
    answer = kernel->receive(kernel, fd, bytes, sizeof bytes, 0);
    if (answer == 0) answer = -EPROTO;
    if (answer > 0) read_datagram(&state, bytes, (size_t)answer);
  }
  if (answer < 0) return answer;
  return state.error < 0 ? state.error : 0;
}

long odst_ctnetlink_open(const odst_kernel *kernel, odst_attempt *attempt) {
  long fd = kernel->socket(kernel, AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  odst_record(attempt, "socket", "NETLINK_NETFILTER", fd < 0 ? fd : 0);
  if (fd < 0) return fd;
  /* An emulated kernel may never answer: a diagnostic tool must not hang. */
  struct timeval patience = {.tv_sec = 2};
  kernel->setsockopt(kernel, (int)fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  return fd;
}

long odst_ctnetlink_dump(const odst_kernel *kernel, int fd, uint8_t family,
                         odst_entry_visitor visit, void *context) {
  request question;
  begin(&question, family);
  finish(&question, NLM_F_DUMP);
  return converse(kernel, fd, &question, visit, context);
}

typedef struct {
  const odst_flow *flow;
  odst_entry *entry;
  bool found;
} search;

static bool matches(const odst_entry *entry, const odst_flow *flow) {
  return entry->protocol == wire_protocol(flow) &&
         ((odst_endpoint_equal(&entry->reply_source, &flow->local) &&
           odst_endpoint_equal(&entry->reply_destination, &flow->peer)) ||
          (odst_endpoint_equal(&entry->original_source, &flow->local) &&
           odst_endpoint_equal(&entry->original_destination, &flow->peer)));
}

static void keep_match(void *context, const odst_entry *entry) {
  search *s = context;
  if (s->found || !matches(entry, s->flow)) return;
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
    request question;
    begin(&question, flow->local.family);
    put_tuple(&question, flow);
    if (flow->zone != 0) put16(&question, CTA_ZONE, (uint16_t)flow->zone);
    finish(&question, NLM_F_ACK);
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
