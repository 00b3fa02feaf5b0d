/* sys/socket.h - addresses and options of NetBSD 10.99.12, socket(2), getsockopt(2). */
#ifndef ODST_ABI_SYS_SOCKET_H
#define ODST_ABI_SYS_SOCKET_H

#include <sys/types.h>

#define AF_INET 2
#define AF_INET6 24

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3

#define SOL_SOCKET 0xffff

struct sockaddr {
  uint8_t sa_len;
  sa_family_t sa_family;
  char sa_data[14];
};

#endif
