/*
 * capture.c - packets as they pass the interfaces of a namespace, packet(7). Needs CAP_NET_RAW.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "attempt.h"
#include "host.h"

long odst_open_capture(const odst_kernel *kernel, odst_attempt *attempt) {
  /* SOCK_DGRAM: without the link-layer header, so that every interface looks alike. */
  long fd = kernel->socket(kernel, AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, htons(ETH_P_ALL));
  odst_record(attempt, "socket", "AF_PACKET", fd < 0 ? fd : 0);
  return fd;
}

long odst_read_capture(const odst_kernel *kernel, int fd, void *bytes, size_t room,
                       odst_packet *packet) {
  struct sockaddr_ll from;
  memset(&from, 0, sizeof from);
  memset(packet, 0, sizeof *packet);
  struct iovec part = {bytes, room};
  struct msghdr header = {
      .msg_name = &from, .msg_namelen = sizeof from, .msg_iov = &part, .msg_iovlen = 1};
  long answer = kernel->recvmsg(kernel, fd, &header, MSG_DONTWAIT);
  if (answer < 0) return answer;
  packet->length = (size_t)answer;
  packet->outgoing = from.sll_pkttype == PACKET_OUTGOING;
  packet->overheard = from.sll_pkttype == PACKET_OTHERHOST;
  struct ifreq name;
  memset(&name, 0, sizeof name);
  name.ifr_ifindex = from.sll_ifindex;
  if (kernel->ioctl(kernel, fd, SIOCGIFNAME, &name) >= 0)
    memcpy(packet->interface, name.ifr_name, sizeof packet->interface - 1);
  return answer;
}
