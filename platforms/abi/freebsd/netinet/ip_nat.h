/* netinet/ip_nat.h - NAT lookups and sessions of IPFilter 5.1.2 in FreeBSD 12.1, ipnat(4). */
#ifndef ODST_ABI_NETINET_IP_NAT_H
#define ODST_ABI_NETINET_IP_NAT_H

#include <netinet/ip_fil.h>

/* in: the local address and port; out: the peer's; real: the answer. Ports in network order. */
typedef struct natlookup {
  i6addr_t nl_inipaddr;
  i6addr_t nl_outipaddr;
  i6addr_t nl_realipaddr;
  int nl_v; /* 4 or 6 */
  int nl_flags;
  u_int16_t nl_inport;
  u_int16_t nl_outport;
  u_int16_t nl_realport;
} natlookup_t;

#define IPN_TCP 0x00001
#define IPN_UDP 0x00002

#define SIOCGNATL _IOWR('r', 63, struct ipfobj)

/* A session: o for the addresses that the client used, n for those after NAT. What lies between
 * the fields that are read is the kernel's own, and its size differs by release. */
typedef struct nat {
  char nat_lock_and_links[56];
  struct nat *nat_next;
  char nat_rule_and_timers[208];
  i6addr_t nat_odst6;
  i6addr_t nat_osrc6;
  i6addr_t nat_ndst6;
  i6addr_t nat_nsrc6;
  char nat_counters[32];
  union {
    struct {
      u_32_t ts_sport;
      u_32_t ts_dport;
    } nat_unt;
    char any[56];
  } nat_unold, nat_unnew;
  int nat_use;
  int nat_pr[2];
  char nat_direction_and_interfaces[56];
  int nat_v[2];
  unsigned nat_redir;
} nat_t;

#define nat_osport nat_unold.nat_unt.ts_sport
#define nat_odport nat_unold.nat_unt.ts_dport
#define nat_ndport nat_unnew.nat_unt.ts_dport

#endif
