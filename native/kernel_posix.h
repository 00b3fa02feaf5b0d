/*
 * kernel_posix.h - the part of the kernel table that every Unix has, over its own libc.
 * Each native/kernel_<os>.c builds odst_host_kernel from it.
 */
#ifndef ODST_KERNEL_POSIX_H
#define ODST_KERNEL_POSIX_H

#include "kernel.h"

long odst_posix_socket(const odst_kernel *, int domain, int type, int protocol);
long odst_posix_close(const odst_kernel *, int fd);
long odst_posix_bind(const odst_kernel *, int fd, const void *address, size_t length);
long odst_posix_connect(const odst_kernel *, int fd, const void *address, size_t length);
long odst_posix_listen(const odst_kernel *, int fd, int backlog);
long odst_posix_accept(const odst_kernel *, int fd, void *address, size_t *length);
long odst_posix_getsockname(const odst_kernel *, int fd, void *address, size_t *length);
long odst_posix_getpeername(const odst_kernel *, int fd, void *address, size_t *length);
long odst_posix_getsockopt(const odst_kernel *, int fd, int level, int name, void *value,
                           size_t *length);
long odst_posix_setsockopt(const odst_kernel *, int fd, int level, int name, const void *value,
                           size_t length);
long odst_posix_send(const odst_kernel *, int fd, const void *bytes, size_t length, int flags);
long odst_posix_receive(const odst_kernel *, int fd, void *bytes, size_t length, int flags);
long odst_posix_sendto(const odst_kernel *, int fd, const void *bytes, size_t length, int flags,
                       const void *address, size_t address_length);
long odst_posix_recvmsg(const odst_kernel *, int fd, void *msghdr, int flags);
long odst_posix_poll(const odst_kernel *, void *pollfds, size_t count, int milliseconds);
long odst_posix_open(const odst_kernel *, const char *path, int flags);
long odst_posix_ioctl(const odst_kernel *, int fd, unsigned long request, void *argument);
long odst_posix_map(const odst_kernel *, size_t length, void **memory);
long odst_posix_unmap(const odst_kernel *, void *memory, size_t length);

#define ODST_POSIX_KERNEL                                                              \
  .socket = odst_posix_socket, .close = odst_posix_close, .bind = odst_posix_bind,     \
  .connect = odst_posix_connect, .listen = odst_posix_listen,                          \
  .accept = odst_posix_accept, .getsockname = odst_posix_getsockname,                  \
  .getpeername = odst_posix_getpeername, .getsockopt = odst_posix_getsockopt,          \
  .setsockopt = odst_posix_setsockopt, .send = odst_posix_send,                        \
  .receive = odst_posix_receive, .sendto = odst_posix_sendto,                          \
  .recvmsg = odst_posix_recvmsg, .poll = odst_posix_poll, .open = odst_posix_open,     \
  .ioctl = odst_posix_ioctl, .map = odst_posix_map, .unmap = odst_posix_unmap

#endif
