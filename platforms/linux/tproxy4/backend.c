/*
 * tproxy4 - TPROXY: the packet keeps its addresses, the socket gets a foreign one.
 *
 * The kernel asserts nothing about an interception: the accepted socket simply *is* bound to the
 * address that the client asked for (net/ipv4/netfilter/nf_tproxy_ipv4.c). What can be read is
 * the inherited IP_TRANSPARENT bit, and whether the address is this host's own.
 * Setting the option needs CAP_NET_ADMIN or CAP_NET_RAW (net/ipv4/ip_sockglue.c).
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "../tcp_info.h"
#include "address.h"
#include "attempt.h"

/* linux/in.h and linux/in6.h: the second clashes with netinet/in.h. */
enum { ODST_IP_TRANSPARENT = 19, ODST_IPV6_TRANSPARENT = 75 };
enum { ODST_IP_RECVORIGDSTADDR = 20, ODST_IPV6_RECVORIGDSTADDR = 74 };

typedef struct {
  int level, number;
  const char *name;
} socket_option;

static const socket_option transparent[2] = {
    {SOL_IP, ODST_IP_TRANSPARENT, "SOL_IP IP_TRANSPARENT"},
    {SOL_IPV6, ODST_IPV6_TRANSPARENT, "SOL_IPV6 IPV6_TRANSPARENT"},
};
static const socket_option receive_original[2] = {
    {SOL_IP, ODST_IP_RECVORIGDSTADDR, "SOL_IP IP_RECVORIGDSTADDR"},
    {SOL_IPV6, ODST_IPV6_RECVORIGDSTADDR, "SOL_IPV6 IPV6_RECVORIGDSTADDR"},
};

static const socket_option *by_family(const socket_option options[2], uint8_t family) {
  return &options[family == 4 ? 0 : 1];
}

static long get_flag(const odst_kernel *kernel, int fd, const socket_option *option,
                     odst_attempt *attempt) {
  int value = 0;
  size_t length = sizeof value;
  long answer = kernel->getsockopt(kernel, fd, option->level, option->number, &value, &length);
  odst_record_value(attempt, "getsockopt", option->name, answer, (uint32_t)value);
  return answer < 0 ? answer : value;
}

static long set_flag(const odst_kernel *kernel, int fd, const socket_option *option,
                     odst_attempt *attempt) {
  int on = 1;
  long answer = kernel->setsockopt(kernel, fd, option->level, option->number, &on, sizeof on);
  odst_record(attempt, "setsockopt", option->name, answer);
  return answer;
}

static long bind_to(const odst_kernel *kernel, int fd, uint8_t family,
                    const odst_endpoint *endpoint, const char *detail, odst_attempt *attempt) {
  odst_sockaddr address;
  size_t length = odst_endpoint_write(endpoint, family, &address);
  long answer = kernel->bind(kernel, fd, &address, length);
  odst_detail(odst_record(attempt, "bind", "foreign address", answer), detail);
  return answer;
}

static long open_socket(const odst_kernel *kernel, uint8_t family, uint16_t protocol,
                        odst_attempt *attempt) {
  static const char *const names[2][2] = {{"AF_INET SOCK_STREAM", "AF_INET6 SOCK_STREAM"},
                                          {"AF_INET SOCK_DGRAM", "AF_INET6 SOCK_DGRAM"}};
  bool udp = protocol == ODST_UDP;
  long fd = kernel->socket(kernel, family == 4 ? AF_INET : AF_INET6,
                           udp ? SOCK_DGRAM : SOCK_STREAM, 0);
  odst_record(attempt, "socket", names[udp][family == 6], fd < 0 ? fd : 0);
  return fd;
}

/* Does the address belong to this host? A plain bind says so without reading any table. */
static void control_bind(const odst_kernel *kernel, const odst_endpoint *address,
                         const char *target, odst_attempt *attempt) {
  long fd = kernel->socket(kernel, address->family == 4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
  if (fd < 0) {
    odst_record(attempt, "socket", "SOCK_DGRAM", fd);
    return;
  }
  odst_endpoint any_port = *address;
  any_port.port = 0;
  odst_sockaddr bound;
  size_t length = odst_endpoint_write(&any_port, address->family, &bound);
  long answer = kernel->bind(kernel, (int)fd, &bound, length);
  odst_detail(odst_record(attempt, "bind", target, answer), "control: without the option");
  kernel->close(kernel, (int)fd);
}

static uint8_t socket_family(const odst_kernel *kernel, int fd) {
  odst_sockaddr address;
  size_t length = sizeof address;
  memset(&address, 0, sizeof address);
  if (kernel->getsockname(kernel, fd, &address, &length) < 0) return 0;
  return odst_sockaddr_family(&address);
}

/* A socket that spoofs its source looks like an intercepted one: transparent, with a foreign name. */
static void ask_opener(const odst_kernel *kernel, int fd, odst_attempt *attempt) {
  static const char *const openers[] = {"opener not told", "opened by the peer",
                                        "opened by this end"};
  struct tcp_info info;
  size_t length = sizeof info;
  memset(&info, 0, sizeof info);
  long answer = kernel->getsockopt(kernel, fd, IPPROTO_TCP, TCP_INFO, &info, &length);
  odst_step *step = odst_record(attempt, "getsockopt", "IPPROTO_TCP TCP_INFO", answer);
  if (answer >= 0) odst_detail(step, openers[odst_tcp_opener(&info, length)]);
}

static void lookup(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  if (flow->fd < 0) {
    control_bind(kernel, &flow->local, "local address", attempt);
    return;
  }
  if (!odst_flow_ask(kernel, flow, attempt)) return;
  const socket_option *bit = by_family(transparent, socket_family(kernel, flow->fd));
  attempt->found = get_flag(kernel, flow->fd, bit, attempt) == 1;
  attempt->original = flow->local;
  if (!attempt->found) return;
  if (flow->protocol == ODST_TCP) ask_opener(kernel, flow->fd, attempt);
  control_bind(kernel, &flow->local, "local address", attempt);
}

static void prepare(const odst_kernel *kernel, int fd, const odst_question *question,
                    odst_attempt *attempt) {
  if (set_flag(kernel, fd, by_family(transparent, question->family), attempt) < 0) return;
  if (question->operation != ODST_ACCEPT || question->protocol != ODST_UDP) return;
  /* A dual-stack socket gets IPv4 datagrams with the IPv4 message: it needs both options. */
  set_flag(kernel, fd, by_family(receive_original, question->family), attempt);
  if (question->family == 6) set_flag(kernel, fd, by_family(receive_original, 4), attempt);
}

/* Reading the bit on a fresh socket, or asking for the control message, changes nothing. */
static void probe_lookup(const odst_kernel *kernel, int fd, const odst_question *question,
                         odst_attempt *attempt) {
  if (question->protocol == ODST_TCP) {
    get_flag(kernel, fd, by_family(transparent, question->family), attempt);
    return;
  }
  const socket_option *message = by_family(receive_original, question->family);
  if (set_flag(kernel, fd, message, attempt) < 0) return;
  get_flag(kernel, fd, message, attempt);
}

/* connect() of a datagram socket sends nothing, but asks for a route from the foreign source:
 * IP_FREEBIND, which also lets bind() pass, answers ENETUNREACH here. */
static void probe_route(const odst_kernel *kernel, int fd, uint8_t family, odst_attempt *attempt) {
  odst_endpoint loopback = {.family = family, .port = 9};
  loopback.address[family == 4 ? 0 : 15] = family == 4 ? 127 : 1;
  if (family == 4) loopback.address[3] = 1;
  odst_sockaddr address;
  size_t length = odst_endpoint_write(&loopback, family, &address);
  long answer = kernel->connect(kernel, fd, &address, length);
  odst_detail(odst_record(attempt, "connect", "loopback", answer),
              "datagram socket: asks for a route, sends nothing");
}

static void probe(const odst_kernel *kernel, const odst_question *question,
                  odst_attempt *attempt) {
  odst_endpoint foreign = odst_foreign_endpoint(question->family);
  long fd = open_socket(kernel, question->family, question->protocol, attempt);
  if (fd < 0) return;
  if (question->operation == ODST_LOOKUP) {
    probe_lookup(kernel, (int)fd, question, attempt);
  } else {
    control_bind(kernel, &foreign, "foreign address", attempt);
    bool bound = set_flag(kernel, (int)fd, by_family(transparent, question->family), attempt) >= 0 &&
                 bind_to(kernel, (int)fd, question->family, &foreign, "with the option",
                         attempt) >= 0;
    if (bound && question->operation == ODST_SPOOF && question->protocol == ODST_UDP)
      probe_route(kernel, (int)fd, question->family, attempt);
  }
  kernel->close(kernel, (int)fd);
}

const odst_mechanism odst_tproxy4 = {
    .name = "tproxy4",
    .lookup = lookup,
    .prepare = prepare,
    .probe = probe,
};
