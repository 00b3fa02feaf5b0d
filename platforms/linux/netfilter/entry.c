/*
 * entry.c - reads one conntrack entry out of a netlink message that is not trusted to be whole.
 */
#include "entry.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

typedef struct {
  const unsigned char *at;
  size_t left;
} attributes;

/* One direction of an entry, where its parts belong. */
typedef struct {
  odst_endpoint *source, *destination;
  uint16_t *zone;
  uint8_t *icmp_type, *icmp_code;
  uint16_t *protocol;
} direction;

/* The next attribute, or false at the end or where a length points outside the message. */
static inline bool next(attributes *list, uint16_t *type, attributes *value) {
  struct nlattr head;
  if (list->left < sizeof head) return false;
  memcpy(&head, list->at, sizeof head);
  if (head.nla_len < sizeof head || head.nla_len > list->left) return false;
  *type = head.nla_type & NLA_TYPE_MASK;
  *value = (attributes){list->at + sizeof head, head.nla_len - sizeof head};
  size_t step = NLA_ALIGN((size_t)head.nla_len);
  if (step > list->left) step = list->left;
  list->at += step;
  list->left -= step;
  return true;
}

static void read8(const attributes *value, uint8_t *number) {
  if (value->left >= 1) *number = value->at[0];
}

static void read16(const attributes *value, uint16_t *number) {
  if (value->left >= 2) *number = (uint16_t)(value->at[0] << 8 | value->at[1]);
}

static void read32(const attributes *value, uint32_t *number) {
  if (value->left < 4) return;
  const unsigned char *at = value->at;
  *number = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void read_address(const attributes *value, size_t length, odst_endpoint *endpoint) {
  if (value->left != length) return;
  endpoint->family = length == 4 ? 4 : 6;
  memcpy(endpoint->address, value->at, length);
}

static void read_addresses(attributes list, const direction *to) {
  uint16_t type;
  attributes value;
  while (next(&list, &type, &value)) {
    switch (type) {
      case CTA_IP_V4_SRC: read_address(&value, 4, to->source); break;
      case CTA_IP_V4_DST: read_address(&value, 4, to->destination); break;
      case CTA_IP_V6_SRC: read_address(&value, 16, to->source); break;
      case CTA_IP_V6_DST: read_address(&value, 16, to->destination); break;
      default: break;
    }
  }
}

static void read_ports(attributes list, const direction *to) {
  uint16_t type;
  attributes value;
  while (next(&list, &type, &value)) {
    switch (type) {
      case CTA_PROTO_NUM:
        if (value.left >= 1) *to->protocol = value.at[0];
        break;
      case CTA_PROTO_SRC_PORT: read16(&value, &to->source->port); break;
      case CTA_PROTO_DST_PORT: read16(&value, &to->destination->port); break;
      case CTA_PROTO_ICMP_ID:
      case CTA_PROTO_ICMPV6_ID: read16(&value, &to->source->port); break;
      case CTA_PROTO_ICMP_TYPE:
      case CTA_PROTO_ICMPV6_TYPE: read8(&value, to->icmp_type); break;
      case CTA_PROTO_ICMP_CODE:
      case CTA_PROTO_ICMPV6_CODE: read8(&value, to->icmp_code); break;
      default: break;
    }
  }
}

static void read_tuple(attributes list, const direction *to) {
  uint16_t type;
  attributes value;
  while (next(&list, &type, &value)) {
    switch (type) {
      case CTA_TUPLE_IP: read_addresses(value, to); break;
      case CTA_TUPLE_PROTO: read_ports(value, to); break;
      case CTA_TUPLE_ZONE: read16(&value, to->zone); break;
      default: break;
    }
  }
}

/* Source and destination are of one family, or it is no tuple. */
static bool is_whole(const odst_endpoint *source, const odst_endpoint *destination) {
  return source->family != 0 && source->family == destination->family;
}

static void read_tcp_state(attributes list, odst_entry *entry) {
  uint16_t type;
  attributes value, state;
  while (next(&list, &type, &value)) {
    if (type != CTA_PROTOINFO_TCP) continue;
    while (next(&value, &type, &state))
      if (type == CTA_PROTOINFO_TCP_STATE) read8(&state, &entry->tcp_state);
  }
}

bool odst_entry_read(const unsigned char *body, size_t length, odst_entry *entry) {
  memset(entry, 0, sizeof *entry);
  if (length < sizeof(struct nfgenmsg)) return false;
  const direction original = {&entry->original_source, &entry->original_destination, &entry->zone,
                              &entry->icmp_type,       &entry->icmp_code,            &entry->protocol};
  const direction reply = {&entry->reply_source,    &entry->reply_destination, &entry->reply_zone,
                           &entry->reply_icmp_type, &entry->reply_icmp_code,   &entry->protocol};
  attributes list = {body + sizeof(struct nfgenmsg), length - sizeof(struct nfgenmsg)};
  uint16_t type;
  attributes value;
  while (next(&list, &type, &value)) {
    switch (type) {
      case CTA_TUPLE_ORIG: read_tuple(value, &original); break;
      case CTA_TUPLE_REPLY: read_tuple(value, &reply); break;
      case CTA_ZONE:
        read16(&value, &entry->zone);
        read16(&value, &entry->reply_zone);
        break;
      case CTA_STATUS: read32(&value, &entry->status); break;
      case CTA_TIMEOUT: read32(&value, &entry->timeout); break;
      case CTA_MARK: read32(&value, &entry->mark); break;
      case CTA_ID: read32(&value, &entry->id); break;
      case CTA_PROTOINFO: read_tcp_state(value, entry); break;
      default: break;
    }
  }
  return is_whole(&entry->original_source, &entry->original_destination) &&
         is_whole(&entry->reply_source, &entry->reply_destination);
}
