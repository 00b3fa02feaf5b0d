/*
 * events.c - changes of the table as the kernel tells them: nf_conntrack_eventmask_report() and
 * ctnetlink_conntrack_event() in net/netfilter.
 *
 * Updates are not asked for: one connection has several, and none changes where it goes.
 *
 * Every event is a datagram of its own. One that finds the receive buffer full is dropped and
 * counted (netlink_overrun), so that the loss is known exactly. The option that would make the kernel
 * hold up packets instead (NETLINK_BROADCAST_ERROR) is never set: who only watches must not do that.
 */
#define _DEFAULT_SOURCE /* SO_RCVBUFFORCE */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "attempt.h"
#include "ctnetlink.h"
#include "message.h"

/* SO_MEMINFO, Linux 4.12; its last number is SK_MEMINFO_DROPS of linux/sock_diag.h. */
enum { MEMINFO_OPTION = 55, MEMINFO_NUMBERS = 9, MEMINFO_DROPS = 8 };

/* Beyond net.core.rmem_max with CAP_NET_ADMIN (SO_RCVBUFFORCE), up to it without. */
static void enlarge(const odst_kernel *kernel, int fd, size_t buffer) {
  int size = buffer > 0x3fffffff ? 0x3fffffff : (int)buffer;
  long answer = kernel->setsockopt(kernel, fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  if (answer < 0) kernel->setsockopt(kernel, fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

long odst_events_open(const odst_kernel *kernel, size_t buffer, odst_attempt *attempt) {
  long fd = odst_ctnetlink_open(kernel, attempt);
  if (fd < 0) return fd;
  enlarge(kernel, (int)fd, buffer);
  struct sockaddr_nl groups;
  memset(&groups, 0, sizeof groups);
  groups.nl_family = AF_NETLINK;
  groups.nl_groups = NF_NETLINK_CONNTRACK_NEW | NF_NETLINK_CONNTRACK_DESTROY;
  long answer = kernel->bind(kernel, (int)fd, &groups, sizeof groups);
  odst_record(attempt, "bind", "ctnetlink events", answer);
  if (answer >= 0) return fd;
  kernel->close(kernel, (int)fd);
  return answer;
}

static int64_t drops(const odst_kernel *kernel, int fd) {
  uint32_t numbers[MEMINFO_NUMBERS] = {0};
  size_t length = sizeof numbers;
  long answer = kernel->getsockopt(kernel, fd, SOL_SOCKET, MEMINFO_OPTION, numbers, &length);
  return answer < 0 || length < sizeof numbers ? -1 : (int64_t)numbers[MEMINFO_DROPS];
}

odst_heard odst_events_read(const odst_kernel *kernel, int fd, int milliseconds,
                            odst_entry *entries, size_t room) {
  odst_heard heard = {0};
  struct pollfd watched = {.fd = fd, .events = POLLIN};
  long ready = kernel->poll(kernel, &watched, 1, milliseconds);
  if (ready < 0 && ready != -EINTR) heard.count = ready;
  while (ready > 0 && (size_t)heard.count < room) {
    odst_answer datagram;
    odst_messages messages;
    long answer = odst_receive(kernel, fd, &datagram, MSG_DONTWAIT, &messages);
    if (answer == -EAGAIN) break;
    if (answer == -ENOBUFS) { /* said once for each overrun; what was queued is still there */
      heard.overrun = true;
      continue;
    }
    if (answer < 0) {
      heard.count = answer;
      break;
    }
    odst_message message;
    while ((size_t)heard.count < room &&
           (message = odst_next_message(&messages, &entries[heard.count])).kind != ODST_NO_MESSAGE)
      if (message.kind == ODST_ENTRY) heard.count++;
  }
  heard.lost = drops(kernel, fd);
  return heard;
}
