/*
 * What a program of OpenBSD 7.6 (amd64) printed of its own headers: checked against the pinned
 * headers whenever the replay is built, and against a real system's by scripts/test-cross.
 * Written by scripts/bsd-cases/derive.ts.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <net/pfvar.h>
#include <stddef.h>
#include <stdint.h>

_Static_assert((uint32_t)DIOCNATLOOK == 0xc0504417u, "OpenBSD 7.6");
_Static_assert((uint32_t)AF_INET == 2u, "OpenBSD 7.6");
_Static_assert((uint32_t)AF_INET6 == 24u, "OpenBSD 7.6");
_Static_assert((uint32_t)PF_INOUT == 0u, "OpenBSD 7.6");
_Static_assert((uint32_t)PF_IN == 1u, "OpenBSD 7.6");
_Static_assert((uint32_t)PF_OUT == 2u, "OpenBSD 7.6");
_Static_assert((uint32_t)IPPROTO_TCP == 6u, "OpenBSD 7.6");
_Static_assert((uint32_t)IPPROTO_UDP == 17u, "OpenBSD 7.6");
_Static_assert((uint32_t)DIOCGETSTATES == 0xc0104419u, "OpenBSD 7.6");
_Static_assert((uint32_t)IP_RECVDSTADDR == 7u, "OpenBSD 7.6");
_Static_assert((uint32_t)IP_RECVDSTPORT == 33u, "OpenBSD 7.6");
_Static_assert((uint32_t)IPV6_RECVPKTINFO == 36u, "OpenBSD 7.6");
_Static_assert((uint32_t)IPV6_RECVDSTPORT == 64u, "OpenBSD 7.6");
_Static_assert((uint32_t)SOL_SOCKET == 65535u, "OpenBSD 7.6");
_Static_assert((uint32_t)SO_BINDANY == 0x1000u, "OpenBSD 7.6");

_Static_assert(sizeof(struct pfioc_natlook) == 80, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, saddr) == 0, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, daddr) == 16, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, rsaddr) == 32, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, rdaddr) == 48, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, rdomain) == 64, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, rrdomain) == 66, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, sport) == 68, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, dport) == 70, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, rsport) == 72, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, rdport) == 74, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, af) == 76, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, proto) == 77, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, direction) == 78, "OpenBSD 7.6");
_Static_assert(sizeof(struct pfioc_states) == 16, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_states, ps_len) == 0, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_states, ps_u) == 8, "OpenBSD 7.6");
_Static_assert(sizeof(struct pfsync_state_key) == 40, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state_key, addr) == 0, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state_key, port) == 32, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state_key, rdomain) == 36, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state_key, af) == 38, "OpenBSD 7.6");
_Static_assert(sizeof(struct pfsync_state) == 264, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state, id) == 0, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state, ifname) == 8, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state, key) == 24, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state, af) == 250, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state, proto) == 251, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state, direction) == 252, "OpenBSD 7.6");
_Static_assert(sizeof(struct sockaddr_in) == 16, "OpenBSD 7.6");
_Static_assert(offsetof(struct sockaddr_in, sin_len) == 0, "OpenBSD 7.6");
_Static_assert(offsetof(struct sockaddr_in, sin_family) == 1, "OpenBSD 7.6");
_Static_assert(offsetof(struct sockaddr_in, sin_port) == 2, "OpenBSD 7.6");
_Static_assert(offsetof(struct sockaddr_in, sin_addr) == 4, "OpenBSD 7.6");
_Static_assert(sizeof(struct sockaddr_in6) == 28, "OpenBSD 7.6");
_Static_assert(offsetof(struct sockaddr_in6, sin6_len) == 0, "OpenBSD 7.6");
_Static_assert(offsetof(struct sockaddr_in6, sin6_family) == 1, "OpenBSD 7.6");
_Static_assert(offsetof(struct sockaddr_in6, sin6_port) == 2, "OpenBSD 7.6");
_Static_assert(offsetof(struct sockaddr_in6, sin6_addr) == 8, "OpenBSD 7.6");
_Static_assert(offsetof(struct sockaddr_in6, sin6_scope_id) == 24, "OpenBSD 7.6");
