/* net/pfvar.h - what /dev/pf of NetBSD 10.99.12 takes and answers, pf(4). */
#ifndef ODST_ABI_NET_PFVAR_H
#define ODST_ABI_NET_PFVAR_H

#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/types.h>

enum { PF_INOUT, PF_IN, PF_OUT };

struct pf_addr {
  u_int32_t space[4]; /* an in_addr or an in6_addr */
};

/* saddr and daddr as the socket sees them; rsaddr and rdaddr are the answer. Ports are in network
 * order. */
struct pfioc_natlook {
  struct pf_addr saddr, daddr, rsaddr, rdaddr;
  u_int16_t sport, dport, rsport, rdport;
  sa_family_t af;
  u_int8_t proto;
  u_int8_t direction;
};

#define DIOCNATLOOK _IOWR('D', 23, struct pfioc_natlook)

#endif
