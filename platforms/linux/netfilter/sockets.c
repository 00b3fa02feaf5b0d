/*
 * sockets.c - SO_ORIGINAL_DST of many sockets, with one system call for each.
 *
 * The level goes by the peer's address, and asking for that would be a second call. So the level
 * that the last socket answered at is tried first: a socket of the other kind says ENOENT or
 * EOPNOTSUPP there and is asked again at its own (getorigdst, ipv6_getorigdst).
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "address.h"
#include "flows.h"

enum { SO_ORIGINAL_DST = 80 };

static long ask(const odst_kernel *kernel, int fd, bool six, odst_endpoint *original) {
  odst_sockaddr address;
  size_t length = six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  long answer = kernel->getsockopt(kernel, fd, six ? SOL_IPV6 : SOL_IP, SO_ORIGINAL_DST, &address,
                                   &length);
  if (answer < 0) return answer;
  return odst_endpoint_read(&address, length, original) ? 0 : -EAFNOSUPPORT;
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
