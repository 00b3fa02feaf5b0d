/*
 * bindany - a socket bound to an address that no interface has, to accept for it or to send from
 * it: IP_BINDANY and IPV6_BINDANY of FreeBSD (PRIV_NETINET_BINDANY) and NetBSD, SO_BINDANY of
 * OpenBSD (super-user). Sources: ip(4), ip6(4), getsockopt(2); sys/netinet/ip_output.c.
 * Observed: FreeBSD 12.1, NetBSD 10.99.12, OpenBSD 7.6. Clearing the option takes the same
 * privilege as setting it, so it is never cleared: the socket is closed.
 */
#include "../socket.h"

/* Which of the two a system has is told by its headers. */
#if defined(SO_BINDANY)
static const odst_option bind_any[2] = {
    {SOL_SOCKET, SO_BINDANY, "SOL_SOCKET SO_BINDANY"},
    {SOL_SOCKET, SO_BINDANY, "SOL_SOCKET SO_BINDANY"},
};
#else
static const odst_option bind_any[2] = {
    {IPPROTO_IP, IP_BINDANY, "IPPROTO_IP IP_BINDANY"},
    {IPPROTO_IPV6, IPV6_BINDANY, "IPPROTO_IPV6 IPV6_BINDANY"},
};
#endif

static void prepare(const odst_kernel *kernel, int fd, const odst_question *question,
                    odst_attempt *attempt) {
  odst_set_option(kernel, fd, &bind_any[question->family == 6], attempt);
}

/* The same bind twice, without the option and with it: only the difference says something. */
static void probe(const odst_kernel *kernel, const odst_question *question,
                  odst_attempt *attempt) {
  odst_endpoint foreign = odst_foreign_endpoint(question->family);
  long fd = odst_open_socket(kernel, question->family, question->protocol, attempt);
  if (fd < 0) return;
  odst_control_bind(kernel, (int)fd, &foreign, "foreign address", attempt);
  bool refused = attempt->steps[attempt->nsteps - 1].error != 0;
  if (refused &&
      odst_set_option(kernel, (int)fd, &bind_any[question->family == 6], attempt) >= 0)
    odst_bind_to(kernel, (int)fd, &foreign, "foreign address", "with the option", attempt);
  kernel->close(kernel, (int)fd);
}

const odst_mechanism odst_bindany = {
    .name = "bindany",
    .prepare = prepare,
    .probe = probe,
};
