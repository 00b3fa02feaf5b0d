/*
 * address.h - endpoints to and from the system's sockaddr.
 */
#ifndef ODST_ADDRESS_H
#define ODST_ADDRESS_H

#include "mechanism.h"

enum { ODST_SOCKADDR_SIZE = 128 }; /* as struct sockaddr_storage */

typedef union {
  unsigned char bytes[ODST_SOCKADDR_SIZE];
  uint64_t aligned;
} odst_sockaddr;

/*
 * Reads an AF_INET or AF_INET6 sockaddr. An IPv4-mapped IPv6 address (::ffff:a.b.c.d, RFC 4291
 * section 2.5.5.2) becomes the IPv4 address that is meant. Answers false for any other family.
 */
bool odst_endpoint_read(const odst_sockaddr *address, size_t length, odst_endpoint *endpoint);

/* Writes a sockaddr for a socket of `family` (4 or 6; an IPv4 endpoint is mapped for 6). */
size_t odst_endpoint_write(const odst_endpoint *endpoint, uint8_t family, odst_sockaddr *address);

/* Address family (4, 6, or 0 for anything else) of a sockaddr as it stands, mapped or not. */
uint8_t odst_sockaddr_family(const odst_sockaddr *address);

bool odst_endpoint_equal(const odst_endpoint *a, const odst_endpoint *b);

/* Fills flow->local and flow->peer by getsockname and getpeername, one step each. */
bool odst_flow_ask(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt);

/* The address 198.51.100.77 or 2001:db8:ffff::77: documentation ranges (RFC 5737, RFC 3849),
 * which no host owns, so that a bind to it tells a foreign address from a local one. */
odst_endpoint odst_foreign_endpoint(uint8_t family);

#endif
