/*
 * ipfilter - `rdr` of IPFilter on FreeBSD, undone by reading the NAT table on /dev/ipnat.
 *
 * SIOCGNATL, the request for one session, panics FreeBSD: the kernel looks the session up with a
 * packet description in which a pointer is NULL (page fault in kernel mode, observed on 12.1; the
 * code of current releases is the same). It is only made when the caller said `unsafe`.
 */
#include "../../bsd/ipfilter/natlookup.h"
#include "sessions.h"

/* A token that an earlier walk of this process left behind ends the table at once: once more. */
static void iterate(const odst_kernel *kernel, int fd, const odst_flow *flow,
                    odst_attempt *attempt) {
  if (odst_ipf_walk(kernel, fd, flow, attempt) == ODST_IPF_NOTHING)
    odst_ipf_walk(kernel, fd, flow, attempt);
}

static void lookup(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  if (flow->fd >= 0 && !odst_flow_ask(kernel, flow, attempt)) return;
  long fd = odst_ipf_open(kernel, attempt);
  if (fd < 0) return;
  if (flow->unsafe) odst_ipf_lookup(kernel, (int)fd, flow, attempt);
  else iterate(kernel, (int)fd, flow, attempt);
  kernel->close(kernel, (int)fd);
}

/* A session between documentation addresses exists nowhere: reading the table to its end says
 * that it can be read. Never with SIOCGNATL. */
static void probe(const odst_kernel *kernel, const odst_question *question,
                  odst_attempt *attempt) {
  odst_flow flow = {.fd = -1,
                    .protocol = question->protocol,
                    .peer = odst_foreign_endpoint(question->family),
                    .local = odst_foreign_endpoint(question->family)};
  lookup(kernel, &flow, attempt);
}

const odst_mechanism odst_ipfilter = {
    .name = "ipfilter",
    .lookup = lookup,
    .probe = probe,
};
