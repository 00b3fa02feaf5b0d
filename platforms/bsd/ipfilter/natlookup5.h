/* natlookup5.h - the addresses of a natlookup in IPFilter 5: IPv4 or IPv6, said by nl_v. */
#ifndef ODST_IPFILTER_NATLOOKUP5_H
#define ODST_IPFILTER_NATLOOKUP5_H

_Static_assert(sizeof(natlookup_t) == 64, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert(offsetof(natlookup_t, nl_realipaddr) == 32, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert(offsetof(natlookup_t, nl_v) == 48, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert(offsetof(natlookup_t, nl_inport) == 56, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert(offsetof(natlookup_t, nl_realport) == 60, "FreeBSD 12.1, NetBSD 10.99.12");

static inline void odst_natlookup_write(natlookup_t *look, const odst_flow *flow) {
  size_t length = flow->local.family == 4 ? 4 : 16;
  look->nl_v = flow->local.family == 4 ? 4 : 6;
  memcpy(&look->nl_inipaddr, flow->local.address, length);
  memcpy(&look->nl_outipaddr, flow->peer.address, length);
}

static inline void odst_natlookup_read(const natlookup_t *look, odst_endpoint *original) {
  memcpy(original->address, &look->nl_realipaddr, original->family == 4 ? 4 : 16);
}

#endif
