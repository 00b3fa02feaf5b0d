/*
 * message.c - where a datagram was sent to: IP_RECVORIGDSTADDR and IPV6_RECVORIGDSTADDR, whose
 * messages hold a whole sockaddr (ip(7), net/ipv4/ip_sockglue.c, net/ipv6/datagram.c); and
 * IP_ORIGADDRS of the TPROXY 2 patch, which holds both ends as they were before NAT.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "../tproxy2/ip_tproxy.h"
#include "address.h"
#include "host.h"

/* linux/in.h and linux/in6.h: the second clashes with netinet/in.h. */
enum { ODST_IP_ORIGDSTADDR = 20, ODST_IPV6_ORIGDSTADDR = 74 };

/* musl's CMSG_NXTHDR compares a size with a distance. */
#pragma GCC diagnostic ignored "-Wsign-compare"

static bool is_destination(const struct cmsghdr *message) {
  return (message->cmsg_level == SOL_IP && message->cmsg_type == ODST_IP_ORIGDSTADDR) ||
         (message->cmsg_level == SOL_IPV6 && message->cmsg_type == ODST_IPV6_ORIGDSTADDR);
}

bool odst_message_destination(const odst_kernel *kernel, int fd, void *msghdr,
                              odst_endpoint *destination) {
  (void)kernel, (void)fd;
  struct msghdr *header = msghdr;
  for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at != NULL; at = CMSG_NXTHDR(header, at)) {
    size_t length = at->cmsg_len - CMSG_LEN(0);
    if (at->cmsg_level == SOL_IP && at->cmsg_type == ODST_IP_RECVORIGADDRS &&
        odst_origaddrs_read(CMSG_DATA(at), length, destination))
      return true;
    if (!is_destination(at)) continue;
    odst_sockaddr address;
    if (length > sizeof address) length = sizeof address;
    memset(&address, 0, sizeof address);
    memcpy(address.bytes, CMSG_DATA(at), length);
    if (odst_endpoint_read(&address, length, destination)) return true;
  }
  return false;
}
