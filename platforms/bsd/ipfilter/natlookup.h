/*
 * natlookup.h - SIOCGNATL: one keyed request for the original destination, ipnat(4).
 * `in` is the local address, `out` the peer, `real` the answer. nl_v must be 4 or 6 and nl_flags
 * must name the protocol, else ESRCH; IPFilter that is not enabled answers EIO.
 * Observed on NetBSD 10.99.12. FreeBSD 12.1 panics: see platforms/freebsd/ipfilter/backend.c.
 */
#ifndef ODST_IPFILTER_NATLOOKUP_H
#define ODST_IPFILTER_NATLOOKUP_H

#include "device.h"

/* IPFilter 4 has no nl_v and only IPv4. */
#if IPFILTER_VERSION >= 5000000
#include "natlookup5.h"
#else
#include "natlookup4.h"
#endif

static inline void odst_ipf_lookup(const odst_kernel *kernel, int fd, const odst_flow *flow,
                                   odst_attempt *attempt) {
  natlookup_t look;
  memset(&look, 0, sizeof look);
  odst_natlookup_write(&look, flow);
  odst_ipf_port_write(&look.nl_inport, flow->local.port);
  odst_ipf_port_write(&look.nl_outport, flow->peer.port);
  look.nl_flags = flow->protocol == ODST_UDP ? IPN_UDP : IPN_TCP;
  ipfobj_t object = odst_ipf_object(IPFOBJ_NATLOOKUP, &look, sizeof look);
  long answer = kernel->ioctl(kernel, fd, SIOCGNATL, &object);
  odst_record(attempt, "ioctl", "/dev/ipnat SIOCGNATL", answer);
  if (answer < 0) return;
  attempt->found = true;
  attempt->original.family = flow->local.family;
  attempt->original.port = odst_ipf_port_read(&look.nl_realport);
  odst_natlookup_read(&look, &attempt->original);
}

#endif
