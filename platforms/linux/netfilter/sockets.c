/*
 * sockets.c - SO_ORIGINAL_DST of many sockets, with one system call for each.
 *
 * The level goes by the peer's address, and asking for that would be a second call. So the level
 * that the last socket answered at is tried first: a socket of the other kind says ENOENT or
 * EOPNOTSUPP there and is asked again at its own (getorigdst, ipv6_getorigdst).
 */
#include <errno.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "flows.h"

enum { SO_ORIGINAL_DST = 80 };

/* One system call and a few moves: the kernel fills in the very sockaddr that belongs to the level. */
static inline long ask4(const odst_kernel *kernel, int fd, odst_endpoint *original) {
  struct sockaddr_in in;
  size_t length = sizeof in;
  long answer = kernel->getsockopt(kernel, fd, SOL_IP, SO_ORIGINAL_DST, &in, &length);
  if (answer < 0) return answer;
  original->family = 4;
  original->port = ntohs(in.sin_port);
  original->scope = 0;
  memcpy(original->address, &in.sin_addr, sizeof in.sin_addr);
  memset(original->address + sizeof in.sin_addr, 0, sizeof original->address - sizeof in.sin_addr);
  return 0;
}

static inline long ask6(const odst_kernel *kernel, int fd, odst_endpoint *original) {
  struct sockaddr_in6 in6;
  size_t length = sizeof in6;
  long answer = kernel->getsockopt(kernel, fd, SOL_IPV6, SO_ORIGINAL_DST, &in6, &length);
  if (answer < 0) return answer;
  original->family = 6;
  original->port = ntohs(in6.sin6_port);
  original->scope = in6.sin6_scope_id;
  memcpy(original->address, &in6.sin6_addr, sizeof in6.sin6_addr);
  return 0;
}

static inline long ask(const odst_kernel *kernel, int fd, bool six, odst_endpoint *original) {
  return six ? ask6(kernel, fd, original) : ask4(kernel, fd, original);
}

void odst_lookup_sockets(const odst_kernel *kernel, const int32_t *sockets, size_t count,
                         odst_endpoint *originals, int32_t *errors) {
  bool six = false;
  for (size_t at = 0; at < count; at++) {
    originals[at].family = 0;
    long first = ask(kernel, sockets[at], six, &originals[at]);
    long answer = first;
    if (first == -ENOENT || first == -EOPNOTSUPP) {
      answer = ask(kernel, sockets[at], !six, &originals[at]);
      if (answer == 0) six = !six;
      /* The level that the socket does not have says nothing of the connection. */
      else if (answer == -EOPNOTSUPP) answer = first;
    }
    errors[at] = (int32_t)-answer;
  }
}
