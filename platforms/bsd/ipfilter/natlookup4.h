/*
 * natlookup4.h - the addresses of a natlookup in IPFilter 4 (NetBSD up to 6): IPv4 alone. An IPv6
 * flow is asked about with zero addresses, which no session has. From ip_nat.h 4.1; not observed.
 */
#ifndef ODST_IPFILTER_NATLOOKUP4_H
#define ODST_IPFILTER_NATLOOKUP4_H

static inline void odst_natlookup_write(natlookup_t *look, const odst_flow *flow) {
  if (flow->local.family != 4) return;
  memcpy(&look->nl_inip, flow->local.address, 4);
  memcpy(&look->nl_outip, flow->peer.address, 4);
}

static inline void odst_natlookup_read(const natlookup_t *look, odst_endpoint *original) {
  memcpy(original->address, &look->nl_realip, 4);
}

#endif
