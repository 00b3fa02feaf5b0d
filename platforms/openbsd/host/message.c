/*
 * message.c - where a datagram was sent to: address and port come in a message each,
 * IP_RECVDSTADDR and IP_RECVDSTPORT, IPV6_PKTINFO and IPV6_RECVDSTPORT, ip(4), ip6(4).
 * After divert-to both are those that the client used (observed on OpenBSD 7.6).
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <string.h>

#include "address.h"
#include "host.h"

static bool is(const struct cmsghdr *message, int level, int type, size_t length) {
  return message->cmsg_level == level && message->cmsg_type == type &&
         message->cmsg_len >= CMSG_LEN(length);
}

static void take_address(struct cmsghdr *message, uint8_t family, odst_endpoint *destination) {
  destination->family = family;
  memcpy(destination->address, CMSG_DATA(message), family == 4 ? 4 : 16);
}

bool odst_message_destination(const odst_kernel *kernel, int fd, void *msghdr,
                              odst_endpoint *destination) {
  (void)kernel, (void)fd;
  struct msghdr *header = msghdr;
  memset(destination, 0, sizeof *destination);
  for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at != NULL; at = CMSG_NXTHDR(header, at)) {
    if (is(at, IPPROTO_IP, IP_RECVDSTADDR, 4)) take_address(at, 4, destination);
    if (is(at, IPPROTO_IPV6, IPV6_PKTINFO, 16)) take_address(at, 6, destination);
    if (is(at, IPPROTO_IP, IP_RECVDSTPORT, 2) || is(at, IPPROTO_IPV6, IPV6_RECVDSTPORT, 2)) {
      const uint8_t *port = (const uint8_t *)CMSG_DATA(at);
      destination->port = (uint16_t)(port[0] << 8 | port[1]);
    }
  }
  return destination->family != 0;
}
