/*
 * message.c - where a datagram was sent to: NetBSD tells the address, IP_RECVDSTADDR of ip(4) and
 * IPV6_PKTINFO of ip6(4), and no port: the socket's own stands in. Both are those after
 * translation (observed on NetBSD 10.99.12): look the original up.
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

static uint16_t own_port(const odst_kernel *kernel, int fd) {
  odst_sockaddr name;
  odst_endpoint local;
  size_t length = sizeof name;
  memset(&name, 0, sizeof name);
  if (kernel->getsockname(kernel, fd, &name, &length) < 0) return 0;
  return odst_endpoint_read(&name, length, &local) ? local.port : 0;
}

bool odst_message_destination(const odst_kernel *kernel, int fd, void *msghdr,
                              odst_endpoint *destination) {
  struct msghdr *header = msghdr;
  memset(destination, 0, sizeof *destination);
  for (struct cmsghdr *at = CMSG_FIRSTHDR(header); at != NULL; at = CMSG_NXTHDR(header, at)) {
    bool v4 = is(at, IPPROTO_IP, IP_RECVDSTADDR, 4);
    if (!v4 && !is(at, IPPROTO_IPV6, IPV6_PKTINFO, 16)) continue;
    destination->family = v4 ? 4 : 6;
    memcpy(destination->address, CMSG_DATA(at), v4 ? 4 : 16);
  }
  if (destination->family != 0) destination->port = own_port(kernel, fd);
  return destination->family != 0;
}
