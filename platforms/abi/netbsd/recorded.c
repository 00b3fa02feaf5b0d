/*
 * What a program of NetBSD 10.99.12 (amd64) printed of its own headers: checked against the pinned
 * headers whenever the replay is built, and against a real system's by scripts/test-cross.
 * Written by scripts/bsd-cases/derive.ts.
 */
#include <sys/param.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <net/pfvar.h>
#include <net/npf.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/ipl.h>
#include <netinet/ip_compat.h>
#include <netinet/ip_fil.h>
#include <netinet/ip_nat.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  void *buf;
  size_t len;
  int flags;
} odst_nvlist_ref;
#define nvlist_ref_t odst_nvlist_ref

_Static_assert((uint32_t)DIOCNATLOOK == 0xc04c4417u, "NetBSD 10.99.12");
_Static_assert((uint32_t)AF_INET == 2u, "NetBSD 10.99.12");
_Static_assert((uint32_t)AF_INET6 == 24u, "NetBSD 10.99.12");
_Static_assert((uint32_t)PF_INOUT == 0u, "NetBSD 10.99.12");
_Static_assert((uint32_t)PF_IN == 1u, "NetBSD 10.99.12");
_Static_assert((uint32_t)PF_OUT == 2u, "NetBSD 10.99.12");
_Static_assert((uint32_t)IPPROTO_TCP == 6u, "NetBSD 10.99.12");
_Static_assert((uint32_t)IPPROTO_UDP == 17u, "NetBSD 10.99.12");
_Static_assert((uint32_t)IPFILTER_VERSION == 5010200u, "NetBSD 10.99.12");
_Static_assert((uint32_t)SIOCGNATL == 0xc038723fu, "NetBSD 10.99.12");
_Static_assert((uint32_t)SIOCGENITER == 0xc038725cu, "NetBSD 10.99.12");
_Static_assert((uint32_t)SIOCIPFDELTOK == 0xc004725eu, "NetBSD 10.99.12");
_Static_assert((uint32_t)IPFOBJ_NATLOOKUP == 9u, "NetBSD 10.99.12");
_Static_assert((uint32_t)IPFOBJ_GENITER == 16u, "NetBSD 10.99.12");
_Static_assert((uint32_t)IPFGENITER_NAT == 1u, "NetBSD 10.99.12");
_Static_assert((uint32_t)IPN_TCP == 1u, "NetBSD 10.99.12");
_Static_assert((uint32_t)IPN_UDP == 2u, "NetBSD 10.99.12");
_Static_assert((uint32_t)IOC_NPF_CONN_LOOKUP == 0xc0184e6cu, "NetBSD 10.99.12");
_Static_assert((uint32_t)IOC_NPF_VERSION == 0x40044e64u, "NetBSD 10.99.12");
_Static_assert((uint32_t)NPF_VERSION == 22u, "NetBSD 10.99.12");
_Static_assert((uint32_t)IPPROTO_IP == 0u, "NetBSD 10.99.12");
_Static_assert((uint32_t)IP_BINDANY == 27u, "NetBSD 10.99.12");
_Static_assert((uint32_t)IPPROTO_IPV6 == 41u, "NetBSD 10.99.12");
_Static_assert((uint32_t)IPV6_BINDANY == 64u, "NetBSD 10.99.12");

_Static_assert(sizeof(struct pfioc_natlook) == 76, "NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, saddr) == 0, "NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, daddr) == 16, "NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, rsaddr) == 32, "NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, rdaddr) == 48, "NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, sport) == 64, "NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, dport) == 66, "NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, rsport) == 68, "NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, rdport) == 70, "NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, af) == 72, "NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, proto) == 73, "NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, direction) == 74, "NetBSD 10.99.12");
_Static_assert(sizeof(ipfobj_t) == 56, "NetBSD 10.99.12");
_Static_assert(offsetof(ipfobj_t, ipfo_rev) == 0, "NetBSD 10.99.12");
_Static_assert(offsetof(ipfobj_t, ipfo_size) == 4, "NetBSD 10.99.12");
_Static_assert(offsetof(ipfobj_t, ipfo_ptr) == 8, "NetBSD 10.99.12");
_Static_assert(offsetof(ipfobj_t, ipfo_type) == 16, "NetBSD 10.99.12");
_Static_assert(offsetof(ipfobj_t, ipfo_offset) == 20, "NetBSD 10.99.12");
_Static_assert(offsetof(ipfobj_t, ipfo_retval) == 24, "NetBSD 10.99.12");
_Static_assert(sizeof(natlookup_t) == 64, "NetBSD 10.99.12");
_Static_assert(offsetof(natlookup_t, nl_inipaddr) == 0, "NetBSD 10.99.12");
_Static_assert(offsetof(natlookup_t, nl_outipaddr) == 16, "NetBSD 10.99.12");
_Static_assert(offsetof(natlookup_t, nl_realipaddr) == 32, "NetBSD 10.99.12");
_Static_assert(offsetof(natlookup_t, nl_v) == 48, "NetBSD 10.99.12");
_Static_assert(offsetof(natlookup_t, nl_flags) == 52, "NetBSD 10.99.12");
_Static_assert(offsetof(natlookup_t, nl_inport) == 56, "NetBSD 10.99.12");
_Static_assert(offsetof(natlookup_t, nl_outport) == 58, "NetBSD 10.99.12");
_Static_assert(offsetof(natlookup_t, nl_realport) == 60, "NetBSD 10.99.12");
_Static_assert(sizeof(ipfgeniter_t) == 16, "NetBSD 10.99.12");
_Static_assert(offsetof(ipfgeniter_t, igi_type) == 0, "NetBSD 10.99.12");
_Static_assert(offsetof(ipfgeniter_t, igi_nitems) == 4, "NetBSD 10.99.12");
_Static_assert(offsetof(ipfgeniter_t, igi_data) == 8, "NetBSD 10.99.12");
_Static_assert(sizeof(nat_t) == 536, "NetBSD 10.99.12");
_Static_assert(offsetof(nat_t, nat_next) == 32, "NetBSD 10.99.12");
_Static_assert(offsetof(nat_t, nat_odst6) == 248, "NetBSD 10.99.12");
_Static_assert(offsetof(nat_t, nat_osrc6) == 264, "NetBSD 10.99.12");
_Static_assert(offsetof(nat_t, nat_ndst6) == 280, "NetBSD 10.99.12");
_Static_assert(offsetof(nat_t, nat_nsrc6) == 296, "NetBSD 10.99.12");
_Static_assert(offsetof(nat_t, nat_odport) == 348, "NetBSD 10.99.12");
_Static_assert(offsetof(nat_t, nat_osport) == 344, "NetBSD 10.99.12");
_Static_assert(offsetof(nat_t, nat_ndport) == 404, "NetBSD 10.99.12");
_Static_assert(offsetof(nat_t, nat_pr) == 460, "NetBSD 10.99.12");
_Static_assert(offsetof(nat_t, nat_v) == 524, "NetBSD 10.99.12");
_Static_assert(offsetof(nat_t, nat_redir) == 532, "NetBSD 10.99.12");
_Static_assert(sizeof(nvlist_ref_t) == 24, "NetBSD 10.99.12");
_Static_assert(offsetof(nvlist_ref_t, buf) == 0, "NetBSD 10.99.12");
_Static_assert(offsetof(nvlist_ref_t, len) == 8, "NetBSD 10.99.12");
_Static_assert(offsetof(nvlist_ref_t, flags) == 16, "NetBSD 10.99.12");
