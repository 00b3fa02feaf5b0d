/*
 * rdomain.h - routing domains, rdomain(4): a socket lives in one, and two of them may use the
 * same addresses for different connections.
 */
#ifndef ODST_OPENBSD_RDOMAIN_H
#define ODST_OPENBSD_RDOMAIN_H

#include <sys/types.h>
#include <sys/socket.h>

#include "attempt.h"

/* The routing table of the flow's socket, where there is one; the caller's word otherwise. */
static inline void odst_ask_rdomain(const odst_kernel *kernel, odst_flow *flow,
                                    odst_attempt *attempt) {
  int table = 0;
  size_t length = sizeof table;
  if (flow->fd < 0) return;
  long answer = kernel->getsockopt(kernel, flow->fd, SOL_SOCKET, SO_RTABLE, &table, &length);
  odst_record_value(attempt, "getsockopt", "SOL_SOCKET SO_RTABLE", answer, (uint32_t)table);
  if (answer >= 0) flow->rdomain = (uint16_t)table;
}

/* Puts a fresh socket where the flow is. Sockets start in their process's own routing table. */
static inline long odst_enter_rdomain(const odst_kernel *kernel, int fd, uint16_t rdomain,
                                      odst_attempt *attempt) {
  int own = 0, wanted = rdomain;
  size_t length = sizeof own;
  long answer = kernel->getsockopt(kernel, fd, SOL_SOCKET, SO_RTABLE, &own, &length);
  if (answer < 0 || own == wanted) return answer;
  answer = kernel->setsockopt(kernel, fd, SOL_SOCKET, SO_RTABLE, &wanted, sizeof wanted);
  odst_record_value(attempt, "setsockopt", "SOL_SOCKET SO_RTABLE", answer, rdomain);
  return answer;
}

#endif
