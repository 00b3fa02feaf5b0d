/*
 * tproxy2 - Balabit's TPROXY 2 for Linux 2.4 and 2.6: option IP_TPROXY with a structure that names the
 * operation. Source: ip_tproxy.c of the patch, 2.0.6, and Zorp, which was written for it.
 *
 * A socket is bound to an address and a port of this host first, and then *assigned* a foreign
 * address; the patch's NAT translates between the two. What its table redirects is NAT as well, so that
 * SO_ORIGINAL_DST tells the original destination.
 *
 * TPROXY 1.2 used options 20 to 25, which today are other options (20 is IP_ORIGDSTADDR, 24
 * IP_BIND_ADDRESS_NO_PORT): those numbers are never tried.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "attempt.h"
#include "ip_tproxy.h"

enum { SO_ORIGINAL_DST = 80 }; /* linux/netfilter_ipv4.h, which clashes with netinet/in.h */
enum { BACKLOG = 128 };

static bool ask_version(const odst_kernel *kernel, int fd, odst_attempt *attempt) {
  struct in_tproxy version = {.operation = TPROXY_VERSION};
  size_t length = sizeof version;
  long answer = kernel->getsockopt(kernel, fd, SOL_IP, ODST_IP_TPROXY, &version, &length);
  odst_step *step = odst_record(attempt, "getsockopt", "SOL_IP IP_TPROXY (TPROXY_VERSION)", answer);
  if (answer < 0) return false;
  odst_detail(step, "version ");
  odst_detail_number(step, version.value.version >> 24);
  odst_detail(step, ".");
  odst_detail_number(step, version.value.version >> 16 & 0xff);
  odst_detail(step, ".");
  odst_detail_number(step, version.value.version & 0xffff);
  return true;
}

static long request(const odst_kernel *kernel, int fd, const struct in_tproxy *wanted,
                    const char *name, odst_attempt *attempt) {
  long answer = kernel->setsockopt(kernel, fd, SOL_IP, ODST_IP_TPROXY, wanted, sizeof *wanted);
  odst_record(attempt, "setsockopt", name, answer);
  return answer;
}

static struct in_tproxy about(uint32_t operation, const odst_endpoint *endpoint) {
  struct in_tproxy wanted;
  memset(&wanted, 0, sizeof wanted);
  wanted.operation = operation;
  memcpy(&wanted.value.foreign.address, endpoint->address, 4);
  wanted.value.foreign.port = htons(endpoint->port);
  return wanted;
}

static long set_flags(const odst_kernel *kernel, int fd, uint32_t flags, const char *name,
                      odst_attempt *attempt) {
  struct in_tproxy wanted = {.operation = TPROXY_FLAGS, .value.flags = flags};
  return request(kernel, fd, &wanted, name, attempt);
}

static void look_for_table(const odst_kernel *kernel, odst_attempt *attempt) {
  long fd = kernel->open(kernel, "/proc/net/tproxy", O_RDONLY);
  odst_record(attempt, "open", "/proc/net/tproxy", fd < 0 ? fd : 0);
  if (fd >= 0) kernel->close(kernel, (int)fd);
}

/* A datagram's destination comes with it, in a control message; nothing can be asked afterwards. */
static void lookup(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  if (flow->fd < 0) {
    look_for_table(kernel, attempt);
    return;
  }
  if (!odst_flow_ask(kernel, flow, attempt)) return;
  if (!ask_version(kernel, flow->fd, attempt) || flow->protocol == ODST_UDP) return;
  odst_sockaddr address;
  size_t length = sizeof(struct sockaddr_in);
  memset(&address, 0, sizeof address);
  long answer = kernel->getsockopt(kernel, flow->fd, SOL_IP, SO_ORIGINAL_DST, &address, &length);
  odst_record(attempt, "getsockopt", "SOL_IP SO_ORIGINAL_DST", answer);
  if (answer >= 0) attempt->found = odst_endpoint_read(&address, length, &attempt->original);
}

static void prepare(const odst_kernel *kernel, int fd, const odst_question *question,
                    odst_attempt *attempt) {
  if (!ask_version(kernel, fd, attempt)) return;
  if (question->operation != ODST_ACCEPT || question->protocol != ODST_UDP) return;
  int on = 1;
  odst_record(attempt, "setsockopt", "SOL_IP IP_RECVORIGADDRS",
              kernel->setsockopt(kernel, fd, SOL_IP, ODST_IP_RECVORIGADDRS, &on, sizeof on));
}

/* Zorp's order: listening first, so that no client is sent to a socket that would refuse it. */
static void open_to_clients(const odst_kernel *kernel, int fd, const odst_question *question,
                            odst_attempt *attempt) {
  if (question->protocol == ODST_TCP) {
    long answer = kernel->listen(kernel, fd, BACKLOG);
    odst_record(attempt, "listen", "fd", answer);
    if (answer < 0) return;
  }
  set_flags(kernel, fd, ITP_LISTEN, "SOL_IP IP_TPROXY (TPROXY_FLAGS ITP_LISTEN)", attempt);
}

static void assign(const odst_kernel *kernel, int fd, const odst_question *question,
                   const odst_endpoint *foreign, const odst_endpoint *target,
                   odst_attempt *attempt) {
  struct in_tproxy wanted = about(TPROXY_ASSIGN, foreign);
  if (request(kernel, fd, &wanted, "SOL_IP IP_TPROXY (TPROXY_ASSIGN)", attempt) < 0) return;
  if (question->operation == ODST_ACCEPT) {
    open_to_clients(kernel, fd, question, attempt);
    return;
  }
  /* Optional: lets several sockets share the foreign address, towards different targets. */
  if (target->family == 4) {
    wanted = about(TPROXY_CONNECT, target);
    if (request(kernel, fd, &wanted, "SOL_IP IP_TPROXY (TPROXY_CONNECT)", attempt) < 0) return;
  }
  set_flags(kernel, fd, ITP_CONNECT, "SOL_IP IP_TPROXY (TPROXY_FLAGS ITP_CONNECT)", attempt);
}

/*
 * To assign a socket that is not bound is refused, with EINVAL, and only after the privilege was
 * checked: so the answer tells all, and nothing is assigned. Assigning for real would leave something
 * behind: UNASSIGN and close do not take back an assignment of a TCP socket that has no flags yet.
 */
static void probe_assignment(const odst_kernel *kernel, int fd, const odst_question *question,
                             odst_attempt *attempt) {
  odst_endpoint foreign = odst_foreign_endpoint(question->family);
  struct in_tproxy wanted = about(TPROXY_ASSIGN, &foreign);
  request(kernel, fd, &wanted, "SOL_IP IP_TPROXY (TPROXY_ASSIGN)", attempt);
  odst_detail(&attempt->steps[attempt->nsteps - 1], "to a socket that is not bound");
}

static void probe(const odst_kernel *kernel, const odst_question *question,
                  odst_attempt *attempt) {
  bool udp = question->protocol == ODST_UDP;
  look_for_table(kernel, attempt);
  long fd = kernel->socket(kernel, AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
  odst_record(attempt, "socket", udp ? "AF_INET SOCK_DGRAM" : "AF_INET SOCK_STREAM",
              fd < 0 ? fd : 0);
  if (fd < 0) return;
  if (ask_version(kernel, (int)fd, attempt) && question->operation != ODST_LOOKUP)
    probe_assignment(kernel, (int)fd, question, attempt);
  kernel->close(kernel, (int)fd);
}

const odst_mechanism odst_tproxy2 = {
    .name = "tproxy2",
    .lookup = lookup,
    .prepare = prepare,
    .assign = assign,
    .probe = probe,
};
