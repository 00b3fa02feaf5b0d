/*
 * What a program of FreeBSD 12.1 (amd64) printed of its own headers: checked against the pinned
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
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/ipl.h>
#include <netinet/ip_compat.h>
#include <netinet/ip_fil.h>
#include <netinet/ip_nat.h>
#include <stddef.h>
#include <stdint.h>

_Static_assert((uint32_t)DIOCNATLOOK == 0xc04c4417u, "FreeBSD 12.1");
_Static_assert((uint32_t)AF_INET == 2u, "FreeBSD 12.1");
_Static_assert((uint32_t)AF_INET6 == 28u, "FreeBSD 12.1");
_Static_assert((uint32_t)PF_INOUT == 0u, "FreeBSD 12.1");
_Static_assert((uint32_t)PF_IN == 1u, "FreeBSD 12.1");
_Static_assert((uint32_t)PF_OUT == 2u, "FreeBSD 12.1");
_Static_assert((uint32_t)IPPROTO_TCP == 6u, "FreeBSD 12.1");
_Static_assert((uint32_t)IPPROTO_UDP == 17u, "FreeBSD 12.1");
_Static_assert((uint32_t)IPFILTER_VERSION == 5010200u, "FreeBSD 12.1");
_Static_assert((uint32_t)SIOCGNATL == 0xc038723fu, "FreeBSD 12.1");
_Static_assert((uint32_t)SIOCGENITER == 0xc038725cu, "FreeBSD 12.1");
_Static_assert((uint32_t)SIOCIPFDELTOK == 0xc004725eu, "FreeBSD 12.1");
_Static_assert((uint32_t)IPFOBJ_NATLOOKUP == 9u, "FreeBSD 12.1");
_Static_assert((uint32_t)IPFOBJ_GENITER == 16u, "FreeBSD 12.1");
_Static_assert((uint32_t)IPFGENITER_NAT == 1u, "FreeBSD 12.1");
_Static_assert((uint32_t)IPN_TCP == 1u, "FreeBSD 12.1");
_Static_assert((uint32_t)IPN_UDP == 2u, "FreeBSD 12.1");
_Static_assert((uint32_t)IP_RECVDSTADDR == 7u, "FreeBSD 12.1");
_Static_assert((uint32_t)IP_ORIGDSTADDR == 27u, "FreeBSD 12.1");
_Static_assert((uint32_t)IPV6_ORIGDSTADDR == 72u, "FreeBSD 12.1");
_Static_assert((uint32_t)IPPROTO_IP == 0u, "FreeBSD 12.1");
_Static_assert((uint32_t)IP_BINDANY == 24u, "FreeBSD 12.1");
_Static_assert((uint32_t)IPPROTO_IPV6 == 41u, "FreeBSD 12.1");
_Static_assert((uint32_t)IPV6_BINDANY == 64u, "FreeBSD 12.1");

_Static_assert(sizeof(struct pfioc_natlook) == 76, "FreeBSD 12.1");
_Static_assert(offsetof(struct pfioc_natlook, saddr) == 0, "FreeBSD 12.1");
_Static_assert(offsetof(struct pfioc_natlook, daddr) == 16, "FreeBSD 12.1");
_Static_assert(offsetof(struct pfioc_natlook, rsaddr) == 32, "FreeBSD 12.1");
_Static_assert(offsetof(struct pfioc_natlook, rdaddr) == 48, "FreeBSD 12.1");
_Static_assert(offsetof(struct pfioc_natlook, sport) == 64, "FreeBSD 12.1");
_Static_assert(offsetof(struct pfioc_natlook, dport) == 66, "FreeBSD 12.1");
_Static_assert(offsetof(struct pfioc_natlook, rsport) == 68, "FreeBSD 12.1");
_Static_assert(offsetof(struct pfioc_natlook, rdport) == 70, "FreeBSD 12.1");
_Static_assert(offsetof(struct pfioc_natlook, af) == 72, "FreeBSD 12.1");
_Static_assert(offsetof(struct pfioc_natlook, proto) == 73, "FreeBSD 12.1");
_Static_assert(offsetof(struct pfioc_natlook, direction) == 74, "FreeBSD 12.1");
_Static_assert(sizeof(ipfobj_t) == 56, "FreeBSD 12.1");
_Static_assert(offsetof(ipfobj_t, ipfo_rev) == 0, "FreeBSD 12.1");
_Static_assert(offsetof(ipfobj_t, ipfo_size) == 4, "FreeBSD 12.1");
_Static_assert(offsetof(ipfobj_t, ipfo_ptr) == 8, "FreeBSD 12.1");
_Static_assert(offsetof(ipfobj_t, ipfo_type) == 16, "FreeBSD 12.1");
_Static_assert(offsetof(ipfobj_t, ipfo_offset) == 20, "FreeBSD 12.1");
_Static_assert(offsetof(ipfobj_t, ipfo_retval) == 24, "FreeBSD 12.1");
_Static_assert(sizeof(natlookup_t) == 64, "FreeBSD 12.1");
_Static_assert(offsetof(natlookup_t, nl_inipaddr) == 0, "FreeBSD 12.1");
_Static_assert(offsetof(natlookup_t, nl_outipaddr) == 16, "FreeBSD 12.1");
_Static_assert(offsetof(natlookup_t, nl_realipaddr) == 32, "FreeBSD 12.1");
_Static_assert(offsetof(natlookup_t, nl_v) == 48, "FreeBSD 12.1");
_Static_assert(offsetof(natlookup_t, nl_flags) == 52, "FreeBSD 12.1");
_Static_assert(offsetof(natlookup_t, nl_inport) == 56, "FreeBSD 12.1");
_Static_assert(offsetof(natlookup_t, nl_outport) == 58, "FreeBSD 12.1");
_Static_assert(offsetof(natlookup_t, nl_realport) == 60, "FreeBSD 12.1");
_Static_assert(sizeof(ipfgeniter_t) == 16, "FreeBSD 12.1");
_Static_assert(offsetof(ipfgeniter_t, igi_type) == 0, "FreeBSD 12.1");
_Static_assert(offsetof(ipfgeniter_t, igi_nitems) == 4, "FreeBSD 12.1");
_Static_assert(offsetof(ipfgeniter_t, igi_data) == 8, "FreeBSD 12.1");
_Static_assert(sizeof(nat_t) == 560, "FreeBSD 12.1");
_Static_assert(offsetof(nat_t, nat_next) == 56, "FreeBSD 12.1");
_Static_assert(offsetof(nat_t, nat_odst6) == 272, "FreeBSD 12.1");
_Static_assert(offsetof(nat_t, nat_osrc6) == 288, "FreeBSD 12.1");
_Static_assert(offsetof(nat_t, nat_ndst6) == 304, "FreeBSD 12.1");
_Static_assert(offsetof(nat_t, nat_nsrc6) == 320, "FreeBSD 12.1");
_Static_assert(offsetof(nat_t, nat_odport) == 372, "FreeBSD 12.1");
_Static_assert(offsetof(nat_t, nat_osport) == 368, "FreeBSD 12.1");
_Static_assert(offsetof(nat_t, nat_ndport) == 428, "FreeBSD 12.1");
_Static_assert(offsetof(nat_t, nat_pr) == 484, "FreeBSD 12.1");
_Static_assert(offsetof(nat_t, nat_v) == 548, "FreeBSD 12.1");
_Static_assert(offsetof(nat_t, nat_redir) == 556, "FreeBSD 12.1");
_Static_assert(sizeof(struct sockaddr_in) == 16, "FreeBSD 12.1");
_Static_assert(offsetof(struct sockaddr_in, sin_len) == 0, "FreeBSD 12.1");
_Static_assert(offsetof(struct sockaddr_in, sin_family) == 1, "FreeBSD 12.1");
_Static_assert(offsetof(struct sockaddr_in, sin_port) == 2, "FreeBSD 12.1");
_Static_assert(offsetof(struct sockaddr_in, sin_addr) == 4, "FreeBSD 12.1");
_Static_assert(sizeof(struct sockaddr_in6) == 28, "FreeBSD 12.1");
_Static_assert(offsetof(struct sockaddr_in6, sin6_len) == 0, "FreeBSD 12.1");
_Static_assert(offsetof(struct sockaddr_in6, sin6_family) == 1, "FreeBSD 12.1");
_Static_assert(offsetof(struct sockaddr_in6, sin6_port) == 2, "FreeBSD 12.1");
_Static_assert(offsetof(struct sockaddr_in6, sin6_addr) == 8, "FreeBSD 12.1");
_Static_assert(offsetof(struct sockaddr_in6, sin6_scope_id) == 24, "FreeBSD 12.1");
