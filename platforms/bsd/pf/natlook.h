/*
 * natlook.h - PF of FreeBSD and NetBSD: DIOCNATLOOK answers, and there is nothing else to ask.
 * Layout as printed by FreeBSD 12.1 and NetBSD 10.99.12 on amd64.
 */
#ifndef ODST_PF_NATLOOK_H
#define ODST_PF_NATLOOK_H

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <net/pfvar.h>
#include <stddef.h>
#include <string.h>

#include "mechanism.h"

_Static_assert(sizeof(struct pfioc_natlook) == 76, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, rdaddr) == 48, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, sport) == 64, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, rdport) == 70, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, af) == 72, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert(offsetof(struct pfioc_natlook, direction) == 74, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert((uint32_t)DIOCNATLOOK == 0xc04c4417u, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert(PF_IN == 1 && PF_OUT == 2, "FreeBSD 12.1, NetBSD 10.99.12");

static inline void odst_pf_ask_domain(const odst_kernel *kernel, odst_flow *flow,
                                      odst_attempt *attempt) {
  (void)kernel, (void)flow, (void)attempt;
}

static inline void odst_pf_domain(struct pfioc_natlook *look, const odst_flow *flow) {
  (void)look, (void)flow;
}

static inline void odst_pf_read_states(const odst_kernel *kernel, int fd, const odst_flow *flow,
                                       odst_attempt *attempt) {
  (void)kernel, (void)fd, (void)flow, (void)attempt;
}

#endif
