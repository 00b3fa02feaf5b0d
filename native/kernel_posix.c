#define _GNU_SOURCE
#include "kernel_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static long answer(long result) { return result < 0 ? -errno : result; }

/* Descriptors never leak into a child: SOCK_CLOEXEC is in every system that this builds on. */
long odst_posix_socket(const odst_kernel *kernel, int domain, int type, int protocol) {
  (void)kernel;
  return answer(socket(domain, type | SOCK_CLOEXEC, protocol));
}

long odst_posix_close(const odst_kernel *kernel, int fd) {
  (void)kernel;
  return answer(close(fd));
}

long odst_posix_bind(const odst_kernel *kernel, int fd, const void *address, size_t length) {
  (void)kernel;
  return answer(bind(fd, address, (socklen_t)length));
}

long odst_posix_connect(const odst_kernel *kernel, int fd, const void *address, size_t length) {
  (void)kernel;
  return answer(connect(fd, address, (socklen_t)length));
}

long odst_posix_listen(const odst_kernel *kernel, int fd, int backlog) {
  (void)kernel;
  return answer(listen(fd, backlog));
}

long odst_posix_accept(const odst_kernel *kernel, int fd, void *address, size_t *length) {
  (void)kernel;
  socklen_t socklen = (socklen_t)*length;
  long result;
  do result = answer(accept4(fd, address, &socklen, SOCK_CLOEXEC | SOCK_NONBLOCK));
  while (result == -EINTR);
  *length = socklen;
  return result;
}

long odst_posix_getsockname(const odst_kernel *kernel, int fd, void *address, size_t *length) {
  (void)kernel;
  socklen_t socklen = (socklen_t)*length;
  long result = answer(getsockname(fd, address, &socklen));
  *length = socklen;
  return result;
}

long odst_posix_getpeername(const odst_kernel *kernel, int fd, void *address, size_t *length) {
  (void)kernel;
  socklen_t socklen = (socklen_t)*length;
  long result = answer(getpeername(fd, address, &socklen));
  *length = socklen;
  return result;
}

long odst_posix_getsockopt(const odst_kernel *kernel, int fd, int level, int name, void *value,
                           size_t *length) {
  (void)kernel;
  socklen_t socklen = (socklen_t)*length;
  long result = answer(getsockopt(fd, level, name, value, &socklen));
  *length = socklen;
  return result;
}

long odst_posix_setsockopt(const odst_kernel *kernel, int fd, int level, int name,
                           const void *value, size_t length) {
  (void)kernel;
  return answer(setsockopt(fd, level, name, value, (socklen_t)length));
}

/* An interrupted call is asked again: a signal must not look like an answer of the kernel. */
long odst_posix_send(const odst_kernel *kernel, int fd, const void *bytes, size_t length,
                     int flags) {
  (void)kernel;
  long result;
  do result = answer(send(fd, bytes, length, flags));
  while (result == -EINTR);
  return result;
}

long odst_posix_receive(const odst_kernel *kernel, int fd, void *bytes, size_t length, int flags) {
  (void)kernel;
  long result;
  do result = answer(recv(fd, bytes, length, flags));
  while (result == -EINTR);
  return result;
}

long odst_posix_sendto(const odst_kernel *kernel, int fd, const void *bytes, size_t length,
                       int flags, const void *address, size_t address_length) {
  (void)kernel;
  long result;
  do result = answer(sendto(fd, bytes, length, flags, address, (socklen_t)address_length));
  while (result == -EINTR);
  return result;
}

long odst_posix_recvmsg(const odst_kernel *kernel, int fd, void *msghdr, int flags) {
  (void)kernel;
  long result;
  do result = answer(recvmsg(fd, msghdr, flags));
  while (result == -EINTR);
  return result;
}

/* Not asked again after a signal: the caller counts the time. */
long odst_posix_poll(const odst_kernel *kernel, void *pollfds, size_t count, int milliseconds) {
  (void)kernel;
  return answer(poll(pollfds, count, milliseconds));
}

long odst_posix_open(const odst_kernel *kernel, const char *path, int flags) {
  (void)kernel;
  return answer(open(path, flags | O_CLOEXEC));
}

long odst_posix_ioctl(const odst_kernel *kernel, int fd, unsigned long request, void *argument) {
  (void)kernel;
  return answer(ioctl(fd, request, argument));
}

long odst_posix_map(const odst_kernel *kernel, size_t length, void **memory) {
  (void)kernel;
  *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  return *memory == MAP_FAILED ? -errno : 0;
}

long odst_posix_unmap(const odst_kernel *kernel, void *memory, size_t length) {
  (void)kernel;
  return answer(munmap(memory, length));
}
