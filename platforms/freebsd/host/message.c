/*
 * message.c - where a datagram was sent to: IP_ORIGDSTADDR and IPV6_ORIGDSTADDR, whose messages
 * hold a whole sockaddr, ip(4), ip6(4). After ipfw fwd it is the address that the client used;
 * after a translation it is the translated one (both observed on FreeBSD 12.1).
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <string.h>

#include "address.h"
#include "host.h"

static bool is_destination(const struct cmsghdr *message) {
  return (message->cmsg_level == IPPROTO_IP && message->cmsg_type == IP_ORIGDSTADDR) ||
         (message->cmsg_level == IPPROTO_IPV6 && message->cmsg_type == IPV6_ORIGDSTADDR);
}

bool odst_message_destination(const odst_kernel *kernel, int fd, void *msghdr,
                              odst_endpoint *destination) {
  (void)kernel, (void)fd;
  struct msghdr *header = msghdr;
  for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at != NULL; at = CMSG_NXTHDR(header, at)) {
    if (!is_destination(at)) continue;
    odst_sockaddr address;
    size_t length = at->cmsg_len - CMSG_LEN(0);
    if (length > sizeof address) length = sizeof address;
    memset(&address, 0, sizeof address);
    memcpy(address.bytes, CMSG_DATA(at), length);
    if (odst_endpoint_read(&address, length, destination)) return true;
  }
  return false;
}
