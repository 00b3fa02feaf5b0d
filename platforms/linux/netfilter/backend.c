/*
 * netfilter - NAT by REDIRECT or DNAT, undone by asking connection tracking.
 *
 * TCP: getsockopt SO_ORIGINAL_DST on the accepted socket, net/netfilter/nf_conntrack_proto.c
 * (getorigdst, ipv6_getorigdst): unprivileged, searches zone 0 of the socket's own namespace.
 * UDP, and connections of which only the addresses are known: ctnetlink, needs CAP_NET_ADMIN.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "attempt.h"
#include "ctnetlink.h"

/* linux/netfilter_ipv4.h and linux/netfilter_ipv6/ip6_tables.h, which clash with netinet/in.h. */
enum { SO_ORIGINAL_DST = 80 };
/* The next number: netfilter registers [80, 81), so a kernel that answers 81 answers anything. */
enum { UNREGISTERED_OPTION = 81 };

static long ask_option(const odst_kernel *kernel, int fd, uint8_t family, int option,
                       odst_sockaddr *address, size_t *length) {
  memset(address, 0, sizeof *address);
  *length = family == 4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
  return kernel->getsockopt(kernel, fd, family == 4 ? SOL_IP : SOL_IPV6, option, address, length);
}

/* The level goes by the peer's family: an IPv4 client on a dual-stack socket is tracked as IPv4. */
static void lookup_socket(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  odst_sockaddr address;
  size_t length;
  long answer = ask_option(kernel, flow->fd, flow->peer.family, SO_ORIGINAL_DST, &address, &length);
  odst_record(attempt, "getsockopt",
              flow->peer.family == 4 ? "SOL_IP SO_ORIGINAL_DST" : "SOL_IPV6 IP6T_SO_ORIGINAL_DST",
              answer);
  if (answer < 0) return;
  attempt->found = odst_endpoint_read(&address, length, &attempt->original);
}

static void lookup_tables(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  long fd = odst_ctnetlink_open(kernel, attempt);
  if (fd < 0) return;
  odst_entry entry;
  if (odst_ctnetlink_find(kernel, (int)fd, flow, &entry, attempt)) {
    attempt->found = true;
    attempt->original = entry.original_destination;
    flow->zone = entry.zone;
  }
  kernel->close(kernel, (int)fd);
}

static void lookup(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  if (flow->fd < 0) {
    lookup_tables(kernel, flow, attempt);
    return;
  }
  if (!odst_flow_ask(kernel, flow, attempt)) return;
  if (flow->protocol == ODST_UDP) lookup_tables(kernel, flow, attempt);
  else lookup_socket(kernel, flow, attempt);
}

/* An unconnected socket has no entry: ENOENT is the handler speaking, ENOPROTOOPT its absence. */
static void probe_option(const odst_kernel *kernel, uint8_t family, odst_attempt *attempt) {
  const char *domain = family == 4 ? "AF_INET SOCK_STREAM" : "AF_INET6 SOCK_STREAM";
  long fd = kernel->socket(kernel, family == 4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
  odst_record(attempt, "socket", domain, fd < 0 ? fd : 0);
  if (fd < 0) return;
  odst_sockaddr address;
  size_t length;
  long answer = ask_option(kernel, (int)fd, family, SO_ORIGINAL_DST, &address, &length);
  odst_record(attempt, "getsockopt",
              family == 4 ? "SOL_IP SO_ORIGINAL_DST" : "SOL_IPV6 IP6T_SO_ORIGINAL_DST", answer);
  answer = ask_option(kernel, (int)fd, family, UNREGISTERED_OPTION, &address, &length);
  odst_step *control = odst_record(
      attempt, "getsockopt", family == 4 ? "SOL_IP 81" : "SOL_IPV6 81", answer);
  odst_detail(control, "control: a number that netfilter does not register");
  kernel->close(kernel, (int)fd);
}

/* A flow between documentation addresses exists nowhere: ENOENT is the table speaking. */
static void probe_tables(const odst_kernel *kernel, uint8_t family, uint16_t protocol,
                         odst_attempt *attempt) {
  odst_flow flow = {.fd = -1,
                    .protocol = protocol,
                    .peer = odst_foreign_endpoint(family),
                    .local = odst_foreign_endpoint(family)};
  flow.peer.port = flow.local.port = 9; /* discard, RFC 863 */
  long fd = odst_ctnetlink_open(kernel, attempt);
  if (fd < 0) return;
  odst_entry entry;
  odst_ctnetlink_find(kernel, (int)fd, &flow, &entry, attempt);
  kernel->close(kernel, (int)fd);
}

static void probe(const odst_kernel *kernel, const odst_question *question,
                  odst_attempt *attempt) {
  if (question->protocol == ODST_UDP)
    probe_tables(kernel, question->family, question->protocol, attempt);
  else
    probe_option(kernel, question->family, attempt);
}

const odst_mechanism odst_netfilter = {
    .name = "netfilter",
    .lookup = lookup,
    .probe = probe,
};
