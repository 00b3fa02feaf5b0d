/*
 * ipfw - the rule action `fwd`: the packet keeps its addresses and goes to a local socket.
 *
 * TCP: the accepted socket's own name is the original destination. UDP: each datagram carries it
 * in the control message IP_ORIGDSTADDR or IPV6_ORIGDSTADDR. Sources: ipfw(8), ip(4) of FreeBSD.
 * Observed on FreeBSD 12.1. After `rdr` the message holds the translated address: look that up.
 */
#include "../../bsd/socket.h"

static const odst_option receive_original[2] = {
    {IPPROTO_IP, IP_ORIGDSTADDR, "IPPROTO_IP IP_ORIGDSTADDR"},
    {IPPROTO_IPV6, IPV6_ORIGDSTADDR, "IPPROTO_IPV6 IPV6_ORIGDSTADDR"},
};

static void lookup(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  if (flow->fd >= 0 && !odst_flow_ask(kernel, flow, attempt)) return;
  long control = odst_open_socket(kernel, flow->local.family, ODST_UDP, attempt);
  if (control < 0) return;
  odst_lookup_by_name(kernel, (int)control, flow, attempt);
  kernel->close(kernel, (int)control);
}

/* A listener for TCP needs nothing; one for UDP needs to be told where each datagram went. */
static void prepare(const odst_kernel *kernel, int fd, const odst_question *question,
                    odst_attempt *attempt) {
  if (question->protocol != ODST_UDP) return;
  odst_set_option(kernel, fd, &receive_original[question->family == 6], attempt);
}

/*
 * Is ipfw in the kernel? IP_FW3 on a raw socket without room for the header of a request: with
 * ipfw EINVAL, without ENOPROTOOPT, and nothing is done (rip_ctloutput in netinet/raw_ip.c,
 * ipfw_ctl3 in netpfil/ipfw/ip_fw_sockopt.c; from the sources, not observed).
 */
static void probe_module(const odst_kernel *kernel, odst_attempt *attempt) {
  long fd = kernel->socket(kernel, AF_INET, SOCK_RAW, IPPROTO_RAW);
  odst_record(attempt, "socket", "AF_INET SOCK_RAW IPPROTO_RAW", fd < 0 ? fd : 0);
  if (fd < 0) return;
  uint8_t no_room = 0;
  size_t length = sizeof no_room;
  long answer = kernel->getsockopt(kernel, (int)fd, IPPROTO_IP, IP_FW3, &no_room, &length);
  odst_detail(odst_record(attempt, "getsockopt", "IPPROTO_IP IP_FW3", answer),
              "one byte: too short for any request");
  kernel->close(kernel, (int)fd);
}

static void probe_message(const odst_kernel *kernel, const odst_question *question,
                          odst_attempt *attempt) {
  long fd = odst_open_socket(kernel, question->family, ODST_UDP, attempt);
  if (fd < 0) return;
  odst_set_option(kernel, (int)fd, &receive_original[question->family == 6], attempt);
  kernel->close(kernel, (int)fd);
}

static void probe(const odst_kernel *kernel, const odst_question *question,
                  odst_attempt *attempt) {
  if (question->protocol == ODST_UDP) probe_message(kernel, question, attempt);
  else probe_module(kernel, attempt);
}

const odst_mechanism odst_ipfw = {
    .name = "ipfw",
    .lookup = lookup,
    .prepare = prepare,
    .probe = probe,
};
