/* net/pfvar.h - what /dev/pf of OpenBSD 7.6 takes and answers, pf(4). */
#ifndef ODST_ABI_NET_PFVAR_H
#define ODST_ABI_NET_PFVAR_H

#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/types.h>

enum { PF_INOUT, PF_IN, PF_OUT };
enum { PF_SK_WIRE, PF_SK_STACK };

struct pf_addr {
  u_int32_t space[4]; /* an in_addr or an in6_addr */
};

/* saddr and daddr as the socket sees them; rsaddr and rdaddr are the answer. Ports are in network
 * order. */
struct pfioc_natlook {
  struct pf_addr saddr, daddr, rsaddr, rdaddr;
  u_int16_t rdomain, rrdomain;
  u_int16_t sport, dport, rsport, rdport;
  sa_family_t af;
  u_int8_t proto;
  u_int8_t direction;
};

#define DIOCNATLOOK _IOWR('D', 23, struct pfioc_natlook)

/* One state as DIOCGETSTATES answers it. Ports are in network order. */
struct pfsync_state_key {
  struct pf_addr addr[2];
  u_int16_t port[2];
  u_int16_t rdomain;
  sa_family_t af;
  u_int8_t pad;
};

struct pfsync_state {
  u_int64_t id;
  char ifname[IFNAMSIZ];
  struct pfsync_state_key key[2];
  char peers_rules_and_counters[146];
  sa_family_t af;
  u_int8_t proto;
  u_int8_t direction;
  char times_and_flags[11];
} __attribute__((packed));

struct pfioc_states {
  size_t ps_len;
  union {
    caddr_t psu_buf;
    struct pfsync_state *psu_states;
  } ps_u;
};
#define ps_buf ps_u.psu_buf
#define ps_states ps_u.psu_states

#define DIOCGETSTATES _IOWR('D', 25, struct pfioc_states)

#endif
