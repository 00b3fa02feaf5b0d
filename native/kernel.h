/*
 * kernel.h - the one door to the kernel.
 *
 * Every backend asks the operating system through this table and nothing else, so that the same
 * source links into the addon (native/kernel_<os>.c), into a test binary with a fake kernel that
 * replays recordings, and into a bare program that is handed raw system calls (native/README.md).
 *
 * Every call answers its result, or -errno: no thread-local errno, no libc behind it.
 * Lengths of addresses and options are size_t on all systems.
 * A member that a system does not have is NULL; only that system's own backends use it.
 */
#ifndef ODST_KERNEL_H
#define ODST_KERNEL_H

#include <stddef.h>
#include <stdint.h>

typedef struct odst_kernel odst_kernel;

struct odst_kernel {
  void *state; /* for a fake kernel or a harness; the backends never touch it */

  long (*socket)(const odst_kernel *, int domain, int type, int protocol);
  long (*close)(const odst_kernel *, int fd);
  long (*bind)(const odst_kernel *, int fd, const void *address, size_t length);
  long (*connect)(const odst_kernel *, int fd, const void *address, size_t length);
  long (*listen)(const odst_kernel *, int fd, int backlog);
  long (*accept)(const odst_kernel *, int fd, void *address, size_t *length);
  long (*getsockname)(const odst_kernel *, int fd, void *address, size_t *length);
  long (*getpeername)(const odst_kernel *, int fd, void *address, size_t *length);
  long (*getsockopt)(const odst_kernel *, int fd, int level, int name, void *value, size_t *length);
  long (*setsockopt)(const odst_kernel *, int fd, int level, int name, const void *value,
                     size_t length);
  long (*send)(const odst_kernel *, int fd, const void *bytes, size_t length, int flags);
  long (*receive)(const odst_kernel *, int fd, void *bytes, size_t length, int flags);
  long (*sendto)(const odst_kernel *, int fd, const void *bytes, size_t length, int flags,
                 const void *address, size_t address_length);
  long (*recvmsg)(const odst_kernel *, int fd, void *msghdr, int flags);
  long (*poll)(const odst_kernel *, void *pollfds, size_t count, int milliseconds);
  long (*open)(const odst_kernel *, const char *path, int flags);
  long (*ioctl)(const odst_kernel *, int fd, unsigned long request, void *argument);

  /* Anonymous zeroed memory, for tables that no stack holds, and memory that the kernel itself
   * mapped into the caller as an answer (NetBSD's nvlists). A harness may leave both NULL: a
   * backend then reads what fits on its stack and says so, and leaves such an answer mapped. */
  long (*map)(const odst_kernel *, size_t length, void **memory);
  long (*unmap)(const odst_kernel *, void *memory, size_t length);

  /* Linux only: namespaces(7), pidfd_open(2), pidfd_getfd(2). */
  long (*unshare)(const odst_kernel *, int flags);
  long (*setns)(const odst_kernel *, int fd, int type);
  long (*pidfd_open)(const odst_kernel *, int pid, unsigned flags);
  long (*pidfd_getfd)(const odst_kernel *, int pidfd, int target, unsigned flags);

  /* Linux only: bpf(2), for queries. */
  long (*bpf)(const odst_kernel *, int command, void *attributes, size_t length);
};

/* The system that this build runs on. */
extern const odst_kernel odst_host_kernel;

#endif
