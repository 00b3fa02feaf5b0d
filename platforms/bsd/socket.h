/*
 * socket.h - socket options and plain binds, as the mechanisms of the BSDs that leave the packet
 * unchanged ask for them. Header only, so that each backend links alone.
 */
#ifndef ODST_BSD_SOCKET_H
#define ODST_BSD_SOCKET_H

#include <sys/types.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "address.h"
#include "attempt.h"

/* Numbers come from the system's own headers: 27 is IP_BINDANY on NetBSD and IP_ORIGDSTADDR on
 * FreeBSD, and a number that a kernel gives another meaning is accepted without a word. */
typedef struct {
  int level, number;
  const char *name;
} odst_option;

static inline long odst_set_option(const odst_kernel *kernel, int fd, const odst_option *option,
                                   odst_attempt *attempt) {
  int on = 1;
  long answer = kernel->setsockopt(kernel, fd, option->level, option->number, &on, sizeof on);
  odst_record(attempt, "setsockopt", option->name, answer);
  return answer;
}

static inline long odst_open_socket(const odst_kernel *kernel, uint8_t family, uint16_t protocol,
                                    odst_attempt *attempt) {
  static const char *const names[2][2] = {{"AF_INET SOCK_STREAM", "AF_INET6 SOCK_STREAM"},
                                          {"AF_INET SOCK_DGRAM", "AF_INET6 SOCK_DGRAM"}};
  bool udp = protocol == ODST_UDP;
  long fd = kernel->socket(kernel, family == 4 ? AF_INET : AF_INET6,
                           udp ? SOCK_DGRAM : SOCK_STREAM, 0);
  odst_record(attempt, "socket", names[udp][family == 6], fd < 0 ? fd : 0);
  return fd;
}

static inline long odst_bind_to(const odst_kernel *kernel, int fd, const odst_endpoint *endpoint,
                                const char *target, const char *detail, odst_attempt *attempt) {
  odst_sockaddr address;
  size_t length = odst_endpoint_write(endpoint, endpoint->family, &address);
  long answer = kernel->bind(kernel, fd, &address, length);
  odst_detail(odst_record(attempt, "bind", target, answer), detail);
  return answer;
}

/* Does the address belong to this host? A plain bind says so without reading any table. */
static inline void odst_control_bind(const odst_kernel *kernel, int fd,
                                     const odst_endpoint *address, const char *target,
                                     odst_attempt *attempt) {
  odst_endpoint any_port = *address;
  any_port.port = 0;
  odst_bind_to(kernel, fd, &any_port, target, "control: without the option", attempt);
}

/*
 * Lookup where the packet was not rewritten: the socket's own name is where the client meant to
 * go. The kernel asserts nothing; whether the address is this host's own is what corroborates.
 * `control` is an unbound datagram socket of the flow's family, in the flow's routing domain.
 */
static inline void odst_lookup_by_name(const odst_kernel *kernel, int control, odst_flow *flow,
                                       odst_attempt *attempt) {
  odst_control_bind(kernel, control, &flow->local, "local address", attempt);
  if (flow->fd < 0) return;
  attempt->found = true;
  attempt->original = flow->local;
}

#endif
