#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kernel_posix.h"

/* Same numbers on every architecture; older libcs do not name them (Linux 5.3 and 5.6). */
#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

static long answer(long result) { return result < 0 ? -errno : result; }

static long linux_unshare(const odst_kernel *kernel, int flags) {
  (void)kernel;
  return answer(unshare(flags));
}

static long linux_setns(const odst_kernel *kernel, int fd, int type) {
  (void)kernel;
  return answer(setns(fd, type));
}

static long linux_pidfd_open(const odst_kernel *kernel, int pid, unsigned flags) {
  (void)kernel;
  return answer(syscall(SYS_pidfd_open, pid, flags));
}

static long linux_pidfd_getfd(const odst_kernel *kernel, int pidfd, int target, unsigned flags) {
  (void)kernel;
  return answer(syscall(SYS_pidfd_getfd, pidfd, target, flags));
}

static long linux_bpf(const odst_kernel *kernel, int command, void *attributes, size_t length) {
  (void)kernel;
  return answer(syscall(SYS_bpf, command, attributes, length));
}

const odst_kernel odst_host_kernel = {
    ODST_POSIX_KERNEL,
    .unshare = linux_unshare,
    .setns = linux_setns,
    .pidfd_open = linux_pidfd_open,
    .pidfd_getfd = linux_pidfd_getfd,
    .bpf = linux_bpf,
};
