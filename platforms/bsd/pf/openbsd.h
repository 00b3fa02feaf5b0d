/*
 * openbsd.h - PF of OpenBSD: addresses belong to a routing domain, and DIOCNATLOOK of 7.6 answers
 * ENOENT to everything (the hash of the key that it searches with is never set, and states are
 * compared by it). So on ENOENT the states themselves are read with DIOCGETSTATES.
 * Layout as printed by OpenBSD 7.6 on amd64; pfsync_state is packed.
 */
#ifndef ODST_PF_OPENBSD_H
#define ODST_PF_OPENBSD_H

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <net/pfvar.h>
#include <stddef.h>
#include <string.h>

#include "../../openbsd/rdomain.h"
#include "attempt.h"

_Static_assert(sizeof(struct pfioc_natlook) == 80, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, rdaddr) == 48, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, rdomain) == 64, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, sport) == 68, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, rdport) == 74, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, af) == 76, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfioc_natlook, direction) == 78, "OpenBSD 7.6");
_Static_assert((uint32_t)DIOCNATLOOK == 0xc0504417u, "OpenBSD 7.6");
_Static_assert(PF_IN == 1 && PF_OUT == 2, "OpenBSD 7.6");
_Static_assert((uint32_t)DIOCGETSTATES == 0xc0104419u, "OpenBSD 7.6");
_Static_assert(sizeof(struct pfsync_state) == 264, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state, key) == 24, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state, proto) == 251, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state, direction) == 252, "OpenBSD 7.6");
_Static_assert(sizeof(struct pfsync_state_key) == 40, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state_key, port) == 32, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state_key, rdomain) == 36, "OpenBSD 7.6");
_Static_assert(offsetof(struct pfsync_state_key, af) == 38, "OpenBSD 7.6");

static inline void odst_pf_ask_domain(const odst_kernel *kernel, odst_flow *flow,
                                      odst_attempt *attempt) {
  odst_ask_rdomain(kernel, flow, attempt);
}

static inline void odst_pf_domain(struct pfioc_natlook *look, const odst_flow *flow) {
  look->rdomain = flow->rdomain;
}

#include "states.h"

#endif
