/* net/if.h - interfaces of NetBSD 10.99.12, networking(4). */
#ifndef ODST_ABI_NET_IF_H
#define ODST_ABI_NET_IF_H

#include <sys/ioctl.h>
#include <sys/types.h>

#define IFNAMSIZ 16

struct ifreq {
  char ifr_name[IFNAMSIZ];
  union {
    uint64_t aligned;
    char space[128]; /* a sockaddr_storage */
  } ifr_ifru;
};

/* The list of interfaces: a name for each address, or once where an interface has none. */
struct ifconf {
  int ifc_len;
  union {
    void *ifcu_buf;
    struct ifreq *ifcu_req;
  } ifc_ifcu;
};
#define ifc_buf ifc_ifcu.ifcu_buf
#define ifc_req ifc_ifcu.ifcu_req

#define SIOCGIFCONF _IOWR('i', 38, struct ifconf)

#endif
