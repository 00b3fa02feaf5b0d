/*
 * divert - PF's `divert-to`: the packet keeps its addresses and goes to a local socket.
 *
 * TCP: the accepted socket's own name is the original destination, pf.conf(5). UDP: each datagram
 * carries it in IP_RECVDSTADDR and IP_RECVDSTPORT (IPV6_PKTINFO and IPV6_RECVDSTPORT), ip(4).
 * Observed on OpenBSD 7.6. Redirecting takes PF and root; the socket takes no privilege.
 */
#include <fcntl.h>

#include "../../bsd/socket.h"
#include "../rdomain.h"

static const odst_option receive_original[2][2] = {
    {{IPPROTO_IP, IP_RECVDSTADDR, "IPPROTO_IP IP_RECVDSTADDR"},
     {IPPROTO_IP, IP_RECVDSTPORT, "IPPROTO_IP IP_RECVDSTPORT"}},
    {{IPPROTO_IPV6, IPV6_RECVPKTINFO, "IPPROTO_IPV6 IPV6_RECVPKTINFO"},
     {IPPROTO_IPV6, IPV6_RECVDSTPORT, "IPPROTO_IPV6 IPV6_RECVDSTPORT"}},
};

static void lookup(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  if (flow->fd >= 0 && !odst_flow_ask(kernel, flow, attempt)) return;
  odst_ask_rdomain(kernel, flow, attempt);
  long control = odst_open_socket(kernel, flow->local.family, ODST_UDP, attempt);
  if (control < 0) return;
  if (odst_enter_rdomain(kernel, (int)control, flow->rdomain, attempt) >= 0)
    odst_lookup_by_name(kernel, (int)control, flow, attempt);
  kernel->close(kernel, (int)control);
}

/* Address and port come in a message each. */
static void ask_for_original(const odst_kernel *kernel, int fd, uint8_t family,
                             odst_attempt *attempt) {
  const odst_option *options = receive_original[family == 6];
  if (odst_set_option(kernel, fd, &options[0], attempt) >= 0)
    odst_set_option(kernel, fd, &options[1], attempt);
}

/* A listener for TCP needs nothing; one for UDP needs to be told where each datagram went. */
static void prepare(const odst_kernel *kernel, int fd, const odst_question *question,
                    odst_attempt *attempt) {
  if (question->protocol == ODST_UDP) ask_for_original(kernel, fd, question->family, attempt);
}

/* divert-to is a rule of PF: without its device there is none. Opening it changes nothing. */
static void probe_device(const odst_kernel *kernel, odst_attempt *attempt) {
  long fd = kernel->open(kernel, "/dev/pf", O_RDONLY);
  odst_record(attempt, "open", "/dev/pf", fd < 0 ? fd : 0);
  if (fd >= 0) kernel->close(kernel, (int)fd);
}

static void probe(const odst_kernel *kernel, const odst_question *question,
                  odst_attempt *attempt) {
  if (question->protocol != ODST_UDP) {
    probe_device(kernel, attempt);
    return;
  }
  long fd = odst_open_socket(kernel, question->family, ODST_UDP, attempt);
  if (fd < 0) return;
  ask_for_original(kernel, (int)fd, question->family, attempt);
  kernel->close(kernel, (int)fd);
}

const odst_mechanism odst_divert = {
    .name = "divert",
    .lookup = lookup,
    .prepare = prepare,
    .probe = probe,
};
