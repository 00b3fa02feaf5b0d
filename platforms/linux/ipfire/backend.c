/*
 * ipfire - the IPFIRE-wall module's getsockopt(SOL_IP, 200): a table of its own, keyed by the
 * redirected connection. Source: kernel/ipfi_translation.c of IPFIRE-wall 1.99.5, which was also run
 * and recorded (recorded.json beside this file).
 *
 * Only ever *get*: as a set option, 200 is MRT_INIT and would start a multicast routing daemon's
 * work (linux/mroute.h). Where the kernel has CONFIG_IP_MROUTE, it also answers the get before
 * the module could, with EOPNOTSUPP.
 */
#define _GNU_SOURCE /* O_CLOEXEC, SO_DOMAIN */
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "attempt.h"

enum { SO_IPFI_GETORIG_DST = 200 };
/* kernel/ipfi.h: MAX_LINKS - 3 and on. */
enum { NETLINK_IPFI_DATA = 29, NETLINK_IPFI_CONTROL = 30, NETLINK_IPFI_GUI = 31 };

/* Only sin_port and sin_addr are read: the module leaves kernel memory in sin_zero. */
static long ask(const odst_kernel *kernel, int fd, odst_endpoint *original, odst_attempt *attempt) {
  odst_sockaddr address;
  size_t length = sizeof(struct sockaddr_in);
  memset(&address, 0, sizeof address);
  long answer = kernel->getsockopt(kernel, fd, SOL_IP, SO_IPFI_GETORIG_DST, &address, &length);
  odst_record(attempt, "getsockopt", "SOL_IP 200 (SO_IPFI_GETORIG_DST)", answer);
  if (answer >= 0) odst_endpoint_read(&address, length, original);
  return answer;
}

static bool opens(const odst_kernel *kernel, const char *path, odst_attempt *attempt) {
  long fd = kernel->open(kernel, path, O_RDONLY | O_CLOEXEC);
  odst_record(attempt, "open", path, fd < 0 ? fd : 0);
  if (fd >= 0) kernel->close(kernel, (int)fd);
  return fd >= 0;
}

static void open_netlink(const odst_kernel *kernel, int protocol, const char *name,
                         odst_attempt *attempt) {
  long fd = kernel->socket(kernel, AF_NETLINK, SOCK_RAW, protocol);
  odst_record(attempt, "socket", name, fd < 0 ? fd : 0);
  if (fd >= 0) kernel->close(kernel, (int)fd);
}

/*
 * The module's traces. Opening a netlink protocol that nobody has registered makes the kernel run
 * modprobe (netlink_create in net/netlink/af_netlink.c), so it is opened only to confirm what shows
 * already, or where /proc/modules does not tell. Any user may do all of this.
 */
static void look_for_module(const odst_kernel *kernel, odst_attempt *attempt) {
  bool shows = opens(kernel, "/proc/IPFIRE/policy", attempt);
  shows = opens(kernel, "/sys/module/ipfi/initstate", attempt) || shows;
  bool told = opens(kernel, "/proc/modules", attempt);
  if (told && !shows) return;
  open_netlink(kernel, NETLINK_IPFI_DATA, "AF_NETLINK SOCK_RAW 29", attempt);
  open_netlink(kernel, NETLINK_IPFI_CONTROL, "AF_NETLINK SOCK_RAW 30", attempt);
  open_netlink(kernel, NETLINK_IPFI_GUI, "AF_NETLINK SOCK_RAW 31", attempt);
}

static uint32_t kind(const odst_kernel *kernel, int fd, int option, const char *name,
                     odst_attempt *attempt) {
  int value = 0;
  size_t length = sizeof value;
  long answer = kernel->getsockopt(kernel, fd, SOL_SOCKET, option, &value, &length);
  odst_record_value(attempt, "getsockopt", name, answer, (uint32_t)value);
  return (uint32_t)value;
}

/*
 * The module answers for AF_INET sockets of plain TCP alone, and writes a line to the kernel log when
 * it is asked about another: such a socket is not asked. One without a peer is: the entry outlives
 * the connection.
 */
static void lookup(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  if (flow->fd < 0) {
    opens(kernel, "/proc/IPFIRE/policy", attempt);
    return;
  }
  odst_flow_ask(kernel, flow, attempt);
  if (attempt->steps[0].error != 0) return;
  if (kind(kernel, flow->fd, SO_DOMAIN, "SOL_SOCKET SO_DOMAIN", attempt) != AF_INET) return;
  if (kind(kernel, flow->fd, SO_TYPE, "SOL_SOCKET SO_TYPE", attempt) != SOCK_STREAM) return;
  if (kind(kernel, flow->fd, SO_PROTOCOL, "SOL_SOCKET SO_PROTOCOL", attempt) != ODST_TCP) return;
  attempt->found = ask(kernel, flow->fd, &attempt->original, attempt) >= 0;
}

/* A socket that is not connected has no entry: ENOENT is the module speaking. */
static void probe(const odst_kernel *kernel, const odst_question *question,
                  odst_attempt *attempt) {
  (void)question; /* the module knows one row only: lookup, IPv4, TCP */
  long fd = kernel->socket(kernel, AF_INET, SOCK_STREAM, 0);
  odst_record(attempt, "socket", "AF_INET SOCK_STREAM", fd < 0 ? fd : 0);
  if (fd < 0) return;
  odst_endpoint nowhere;
  ask(kernel, (int)fd, &nowhere, attempt);
  kernel->close(kernel, (int)fd);
  look_for_module(kernel, attempt);
}

const odst_mechanism odst_ipfire = {
    .name = "ipfire",
    .lookup = lookup,
    .probe = probe,
};
