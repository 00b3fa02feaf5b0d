/*
 * namespace.c - network namespaces by descriptor, network_namespaces(7).
 * A socket belongs for good to the namespace of the thread that made it.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "attempt.h"
#include "host.h"

/* linux/sockios.h since Linux 4.9 */
#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894C
#endif

static long current(const odst_kernel *kernel) {
  return kernel->open(kernel, "/proc/thread-self/ns/net", O_RDONLY);
}

/*
 * The way back, before there is a way in: /proc may not be mounted, and the namespace that this
 * thread is in may belong to another user namespace (`unshare -U` without -n, a container with the
 * host's network), so that leaving it would be allowed and returning not. setns(2) to where the
 * thread already is changes nothing and is checked alike (netns_install in net/core/net_namespace.c).
 */
static long open_current(const odst_kernel *kernel, odst_attempt *attempt) {
  long here = current(kernel);
  if (here < 0) {
    odst_record(attempt, "open", "/proc/thread-self/ns/net", here);
    return here;
  }
  long answer = kernel->setns(kernel, (int)here, CLONE_NEWNET);
  if (answer >= 0) return here;
  odst_record(attempt, "setns", "own network namespace", answer);
  kernel->close(kernel, (int)here);
  return answer;
}

static bool same_namespace(int a, int b) {
  struct stat first, second;
  return fstat(a, &first) == 0 && fstat(b, &second) == 0 && first.st_ino == second.st_ino &&
         first.st_dev == second.st_dev;
}

long odst_enter_namespace(const odst_kernel *kernel, int fd, odst_attempt *attempt) {
  long here = open_current(kernel, attempt);
  if (here < 0) return here;
  long answer = kernel->setns(kernel, fd, CLONE_NEWNET);
  odst_record(attempt, "setns", "network namespace", answer);
  if (answer < 0) {
    kernel->close(kernel, (int)here);
    return answer;
  }
  return here;
}

bool odst_leave_namespace(const odst_kernel *kernel, int token) {
  bool back = kernel->setns(kernel, token, CLONE_NEWNET) >= 0;
  long here = current(kernel);
  back = back && here >= 0 && same_namespace((int)here, token);
  if (here >= 0) kernel->close(kernel, (int)here);
  kernel->close(kernel, token);
  return back;
}

long odst_new_namespace(const odst_kernel *kernel, odst_attempt *attempt) {
  long here = open_current(kernel, attempt);
  if (here < 0) return here;
  long answer = kernel->unshare(kernel, CLONE_NEWNET);
  odst_record(attempt, "unshare", "CLONE_NEWNET", answer);
  if (answer < 0) {
    kernel->close(kernel, (int)here);
    return answer;
  }
  long created = current(kernel);
  if (created < 0) odst_record(attempt, "open", "/proc/thread-self/ns/net", created);
  if (!odst_leave_namespace(kernel, (int)here)) {
    if (created >= 0) kernel->close(kernel, (int)created);
    __builtin_trap(); /* a thread lost in another namespace must not touch the host */
  }
  return created;
}

long odst_socket_namespace(const odst_kernel *kernel, int fd, odst_attempt *attempt) {
  long answer = kernel->ioctl(kernel, fd, SIOCGSKNS, NULL);
  odst_record(attempt, "ioctl", "SIOCGSKNS", answer < 0 ? answer : 0);
  return answer;
}
