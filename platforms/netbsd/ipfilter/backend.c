/*
 * ipfilter - `rdr` of IPFilter on NetBSD, undone by SIOCGNATL on /dev/ipnat.
 */
#include "../../bsd/ipfilter/natlookup.h"

static void lookup(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  if (flow->fd >= 0 && !odst_flow_ask(kernel, flow, attempt)) return;
  long fd = odst_ipf_open(kernel, attempt);
  if (fd < 0) return;
  odst_ipf_lookup(kernel, (int)fd, flow, attempt);
  kernel->close(kernel, (int)fd);
}

/* A session between documentation addresses exists nowhere: ESRCH is the table speaking. */
static void probe(const odst_kernel *kernel, const odst_question *question,
                  odst_attempt *attempt) {
  odst_flow flow = {.fd = -1,
                    .protocol = question->protocol,
                    .peer = odst_foreign_endpoint(question->family),
                    .local = odst_foreign_endpoint(question->family)};
  flow.peer.port = flow.local.port = 9; /* discard, RFC 863 */
  lookup(kernel, &flow, attempt);
}

const odst_mechanism odst_ipfilter = {
    .name = "ipfilter",
    .lookup = lookup,
    .probe = probe,
};
