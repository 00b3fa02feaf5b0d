/*
 * ip_tproxy.h - what linux/netfilter_ipv4/ip_tproxy.h of Balabit's patch defines: no kernel header has
 * it any more. Operation, version and flags in host order, addresses and ports in network order.
 */
#ifndef ODST_IP_TPROXY_H
#define ODST_IP_TPROXY_H

#include <string.h>

#include "mechanism.h"

/* Set as an option, a datagram socket gets the message of the same number with every datagram. */
enum { ODST_IP_RECVORIGADDRS = 11273, ODST_IP_TPROXY = 11274 };
enum { TPROXY_VERSION = 0, TPROXY_ASSIGN = 1, TPROXY_FLAGS = 4, TPROXY_CONNECT = 6 };
enum { ITP_CONNECT = 1, ITP_LISTEN = 2 };

struct in_tproxy {
  uint32_t operation;
  union {
    uint32_t version; /* major << 24 | minor << 16 | patch */
    struct {
      uint32_t address;
      uint16_t port;
    } foreign;
    uint32_t flags;
  } value;
};
_Static_assert(sizeof(struct in_tproxy) == 12, "struct in_tproxy of ip_tproxy.h");

/* The control message: where a datagram came from and where it was meant to go, before NAT. */
struct in_origaddrs {
  uint8_t source[4], destination[4];
  uint8_t source_port[2], destination_port[2];
};
_Static_assert(sizeof(struct in_origaddrs) == 12, "struct in_origaddrs of ip_tproxy.h");

static inline bool odst_origaddrs_read(const void *message, size_t length,
                                       odst_endpoint *destination) {
  struct in_origaddrs addresses;
  if (length < sizeof addresses) return false;
  memcpy(&addresses, message, sizeof addresses);
  memset(destination, 0, sizeof *destination);
  destination->family = 4;
  destination->port =
      (uint16_t)(addresses.destination_port[0] << 8 | addresses.destination_port[1]);
  memcpy(destination->address, addresses.destination, sizeof addresses.destination);
  return true;
}

#endif
