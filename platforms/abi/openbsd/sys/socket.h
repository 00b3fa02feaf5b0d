/* sys/socket.h - addresses and options of OpenBSD 7.6, socket(2), getsockopt(2). */
#ifndef ODST_ABI_SYS_SOCKET_H
#define ODST_ABI_SYS_SOCKET_H

#include <sys/types.h>

#define AF_INET 2
#define AF_INET6 24

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3

#define SOL_SOCKET 0xffff

#define SO_BINDANY 0x1000
#define SO_RTABLE 0x1021

struct sockaddr {
  uint8_t sa_len;
  sa_family_t sa_family;
  char sa_data[14];
};

struct iovec;

struct msghdr {
  void *msg_name;
  socklen_t msg_namelen;
  struct iovec *msg_iov;
  unsigned msg_iovlen;
  void *msg_control;
  socklen_t msg_controllen;
  int msg_flags;
};

struct cmsghdr {
  socklen_t cmsg_len;
  int cmsg_level;
  int cmsg_type;
};

/* Messages and their data begin at multiples of eight, on amd64. */
#define ODST_CMSG_ALIGN(length) (((size_t)(length) + 7) & ~(size_t)7)
#define CMSG_LEN(length) (ODST_CMSG_ALIGN(sizeof(struct cmsghdr)) + (length))
#define CMSG_DATA(message) ((unsigned char *)(message) + ODST_CMSG_ALIGN(sizeof(struct cmsghdr)))
#define CMSG_FIRSTHDR(header)                                      \
  ((header)->msg_controllen >= sizeof(struct cmsghdr)              \
       ? (struct cmsghdr *)(header)->msg_control                   \
       : (struct cmsghdr *)0)
#define CMSG_NXTHDR(header, message)                                                    \
  ((char *)(message) + ODST_CMSG_ALIGN((message)->cmsg_len) + sizeof(struct cmsghdr) >  \
           (char *)(header)->msg_control + (header)->msg_controllen                     \
       ? (struct cmsghdr *)0                                                            \
       : (struct cmsghdr *)(void *)((char *)(message) + ODST_CMSG_ALIGN((message)->cmsg_len)))

#endif
