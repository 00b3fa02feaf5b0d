/*
 * descriptor.c - another process's socket. /proc/PID/fd/N of a socket cannot be opened (ENXIO):
 * pidfd_getfd(2), Linux 5.6, is the only way to ask it anything.
 */
#include "attempt.h"
#include "host.h"

long odst_take_descriptor(const odst_kernel *kernel, int pid, int target, odst_attempt *attempt) {
  long pidfd = kernel->pidfd_open(kernel, pid, 0);
  if (pidfd < 0) {
    odst_record(attempt, "pidfd_open", "process", pidfd);
    return pidfd;
  }
  long fd = kernel->pidfd_getfd(kernel, (int)pidfd, target, 0);
  odst_record(attempt, "pidfd_getfd", "process", fd < 0 ? fd : 0);
  kernel->close(kernel, (int)pidfd);
  return fd;
}
