/*
 * entry.c - reads one conntrack entry out of a netlink message that is not trusted to be whole.
 */
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "ctnetlink.h"

typedef struct {
  const unsigned char *at;
  size_t left;
} attributes;

/* The next attribute, or false at the end or where a length points outside the message. */
static bool next(attributes *list, uint16_t *type, attributes *value) {
  struct nlattr head;
  if (list->left < sizeof head) return false;
  memcpy(&head, list->at, sizeof head);
  if (head.nla_len < sizeof head || head.nla_len > list->left) return false;
  *type = head.nla_type & NLA_TYPE_MASK;
  *value = (attributes){list->at + sizeof head, head.nla_len - sizeof head};
  size_t step = NLA_ALIGN(head.nla_len);
  if (step > list->left) step = list->left;
  list->at += step;
  list->left -= step;
  return true;
}

static uint16_t big_endian16(const attributes *value) {
  return (uint16_t)(value->at[0] << 8 | value->at[1]);
}

static void read_address(const attributes *value, size_t length, odst_endpoint *endpoint) {
  if (value->left != length) return;
  endpoint->family = length == 4 ? 4 : 6;
  memcpy(endpoint->address, value->at, length);
}

static void read_addresses(attributes list, odst_endpoint *source, odst_endpoint *destination) {
  uint16_t type;
  attributes value;
  while (next(&list, &type, &value)) {
    if (type == CTA_IP_V4_SRC) read_address(&value, 4, source);
    if (type == CTA_IP_V4_DST) read_address(&value, 4, destination);
    if (type == CTA_IP_V6_SRC) read_address(&value, 16, source);
    if (type == CTA_IP_V6_DST) read_address(&value, 16, destination);
  }
}

static void read_ports(attributes list, odst_entry *entry, odst_endpoint *source,
                       odst_endpoint *destination) {
  uint16_t type;
  attributes value;
  while (next(&list, &type, &value)) {
    if (type == CTA_PROTO_NUM && value.left >= 1) entry->protocol = value.at[0];
    if (type == CTA_PROTO_SRC_PORT && value.left >= 2) source->port = big_endian16(&value);
    if (type == CTA_PROTO_DST_PORT && value.left >= 2) destination->port = big_endian16(&value);
  }
}

static void read_tuple(attributes list, odst_entry *entry, odst_endpoint *source,
                       odst_endpoint *destination) {
  uint16_t type;
  attributes value;
  while (next(&list, &type, &value)) {
    if (type == CTA_TUPLE_IP) read_addresses(value, source, destination);
    if (type == CTA_TUPLE_PROTO) read_ports(value, entry, source, destination);
  }
}

bool odst_entry_read(const unsigned char *body, size_t length, odst_entry *entry) {
  memset(entry, 0, sizeof *entry);
  if (length < sizeof(struct nfgenmsg)) return false;
  attributes list = {body + sizeof(struct nfgenmsg), length - sizeof(struct nfgenmsg)};
  uint16_t type;
  attributes value;
  while (next(&list, &type, &value)) {
    if (type == CTA_TUPLE_ORIG)
      read_tuple(value, entry, &entry->original_source, &entry->original_destination);
    if (type == CTA_TUPLE_REPLY)
      read_tuple(value, entry, &entry->reply_source, &entry->reply_destination);
    if (type == CTA_ZONE && value.left >= 2) entry->zone = big_endian16(&value);
  }
  return entry->original_source.family != 0 && entry->original_destination.family != 0 &&
         entry->reply_source.family != 0 && entry->reply_destination.family != 0;
}
