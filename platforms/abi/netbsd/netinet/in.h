/* netinet/in.h - IPv4 and IPv6 addresses and options of NetBSD 10.99.12, ip(4), ip6(4). */
#ifndef ODST_ABI_NETINET_IN_H
#define ODST_ABI_NETINET_IN_H

#include <sys/types.h>

#define IPPROTO_IP 0
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define IPPROTO_IPV6 41
#define IPPROTO_RAW 255

#define IP_RECVDSTADDR 7
#define IP_BINDANY 27
#define IPV6_PKTINFO 46
#define IPV6_BINDANY 64

struct in_addr {
  in_addr_t s_addr;
};

struct in6_addr {
  uint8_t s6_addr[16] __attribute__((aligned(4)));
};

struct sockaddr_in {
  uint8_t sin_len;
  sa_family_t sin_family;
  in_port_t sin_port;
  struct in_addr sin_addr;
  char sin_zero[8];
};

struct sockaddr_in6 {
  uint8_t sin6_len;
  sa_family_t sin6_family;
  in_port_t sin6_port;
  uint32_t sin6_flowinfo;
  struct in6_addr sin6_addr;
  uint32_t sin6_scope_id;
};

#endif
