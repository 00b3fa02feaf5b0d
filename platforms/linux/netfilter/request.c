#include "request.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

/* CTA_STATUS_MASK, which older headers lack. A kernel that does not know it sends every entry. */
enum { STATUS_MASK = 26 };

static size_t open_nest(odst_request *r, uint16_t type) {
  size_t at = r->used;
  struct nlattr head = {.nla_len = 0, .nla_type = (uint16_t)(type | NLA_F_NESTED)};
  memcpy(r->bytes + at, &head, sizeof head);
  r->used += sizeof head;
  return at;
}

static void close_nest(odst_request *r, size_t at) {
  uint16_t length = (uint16_t)(r->used - at);
  memcpy(r->bytes + at, &length, sizeof length);
}

static void put(odst_request *r, uint16_t type, const void *value, size_t length) {
  struct nlattr head = {.nla_len = (uint16_t)(sizeof head + length), .nla_type = type};
  size_t step = NLA_ALIGN(sizeof head + length);
  memset(r->bytes + r->used, 0, step);
  memcpy(r->bytes + r->used, &head, sizeof head);
  memcpy(r->bytes + r->used + sizeof head, value, length);
  r->used += step;
}

static void put16(odst_request *r, uint16_t type, uint16_t value) {
  unsigned char bytes[2] = {(unsigned char)(value >> 8), (unsigned char)value};
  put(r, type, bytes, sizeof bytes);
}

static void put32(odst_request *r, uint16_t type, uint32_t value) {
  unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                            (unsigned char)(value >> 8), (unsigned char)value};
  put(r, type, bytes, sizeof bytes);
}

static size_t begin(odst_request *r, uint8_t family) {
  size_t start = r->used;
  struct nfgenmsg generic = {
      .nfgen_family = family == 0 ? AF_UNSPEC : family == 4 ? AF_INET : AF_INET6,
      .version = NFNETLINK_V0,
  };
  r->used += NLMSG_HDRLEN;
  memcpy(r->bytes + r->used, &generic, sizeof generic);
  r->used += NLMSG_ALIGN(sizeof generic);
  return start;
}

static void finish(odst_request *r, size_t start, uint32_t sequence, uint16_t flags) {
  struct nlmsghdr head = {
      .nlmsg_len = (uint32_t)(r->used - start),
      .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
      .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags),
      .nlmsg_seq = sequence,
  };
  memcpy(r->bytes + start, &head, sizeof head);
}

/* Connection tracking sees the subflows of MPTCP as plain TCP. */
static uint8_t wire_protocol(uint16_t protocol) {
  return (uint8_t)(protocol == ODST_MPTCP ? ODST_TCP : protocol);
}

void odst_put_get(odst_request *r, uint32_t sequence, uint16_t flags, uint16_t protocol,
                  uint16_t zone, const odst_endpoint *local, const odst_endpoint *peer) {
  bool four = local->family == 4;
  size_t length = four ? 4 : 16;
  uint8_t number = wire_protocol(protocol);
  size_t start = begin(r, local->family);
  /* The direction local -> peer is how the intercepted socket answers its client. */
  size_t tuple = open_nest(r, CTA_TUPLE_REPLY);
  size_t ip = open_nest(r, CTA_TUPLE_IP);
  put(r, four ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, local->address, length);
  put(r, four ? CTA_IP_V4_DST : CTA_IP_V6_DST, peer->address, length);
  close_nest(r, ip);
  size_t proto = open_nest(r, CTA_TUPLE_PROTO);
  put(r, CTA_PROTO_NUM, &number, sizeof number);
  put16(r, CTA_PROTO_SRC_PORT, local->port);
  put16(r, CTA_PROTO_DST_PORT, peer->port);
  close_nest(r, proto);
  close_nest(r, tuple);
  if (zone != 0) put16(r, CTA_ZONE, zone);
  finish(r, start, sequence, flags);
}

void odst_put_dump(odst_request *r, const odst_selection *selection) {
  size_t start = begin(r, selection->family);
  if (selection->status_mask != 0) {
    put32(r, CTA_STATUS, selection->status_value);
    put32(r, STATUS_MASK, selection->status_mask);
  }
  finish(r, start, 1, NLM_F_DUMP);
}
