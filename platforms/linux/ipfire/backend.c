/*
 * ipfire - the IPFIRE-wall module's getsockopt(SOL_IP, 200): a table of its own, keyed by the
 * redirected connection. Source: kernel/ipfi_translation.c of IPFIRE-wall 1.99.5.
 *
 * Only ever *get*: as a set option, 200 is MRT_INIT and would start a multicast routing daemon's
 * work (linux/mroute.h). Where the kernel has CONFIG_IP_MROUTE, it also answers the get before
 * the module could, with EOPNOTSUPP.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "attempt.h"

enum { SO_IPFI_GETORIG_DST = 200 };

static long ask(const odst_kernel *kernel, int fd, odst_sockaddr *address, size_t *length,
                odst_attempt *attempt) {
  memset(address, 0, sizeof *address);
  *length = sizeof(struct sockaddr_in);
  long answer =
      kernel->getsockopt(kernel, fd, SOL_IP, SO_IPFI_GETORIG_DST, address, length);
  odst_record(attempt, "getsockopt", "SOL_IP 200 (SO_IPFI_GETORIG_DST)", answer);
  return answer;
}

static void lookup(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  if (flow->fd < 0 || !odst_flow_ask(kernel, flow, attempt)) return;
  odst_sockaddr address;
  size_t length;
  if (ask(kernel, flow->fd, &address, &length, attempt) < 0) return;
  attempt->found = odst_endpoint_read(&address, length, &attempt->original);
}

static void probe(const odst_kernel *kernel, const odst_question *question,
                  odst_attempt *attempt) {
  (void)question; /* the module knows one row only: lookup, IPv4, TCP */
  long fd = kernel->socket(kernel, AF_INET, SOCK_STREAM, 0);
  odst_record(attempt, "socket", "AF_INET SOCK_STREAM", fd < 0 ? fd : 0);
  if (fd < 0) return;
  odst_sockaddr address;
  size_t length;
  ask(kernel, (int)fd, &address, &length, attempt);
  kernel->close(kernel, (int)fd);
}

const odst_mechanism odst_ipfire = {
    .name = "ipfire",
    .lookup = lookup,
    .probe = probe,
};
