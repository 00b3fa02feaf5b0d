/*
 * interfaces.h - the names of the host's interfaces, SIOCGIFCONF of networking(4): NPF only finds
 * a connection under the interface that it came in by, which no socket tells.
 */
#ifndef ODST_NPF_INTERFACES_H
#define ODST_NPF_INTERFACES_H

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <net/if.h>

#include "attempt.h"

_Static_assert(IFNAMSIZ == ODST_INTERFACE, "interface names are of one length");

/* Addresses rather than interfaces: an interface is listed once for each. */
enum { ODST_NPF_LISTED = 128 };

typedef struct {
  char names[ODST_NPF_LISTED][IFNAMSIZ];
  size_t count;
} odst_interfaces;

static inline void odst_interfaces_add(odst_interfaces *list, const char name[IFNAMSIZ]) {
  for (size_t at = 0; at < list->count; at++)
    if (strncmp(list->names[at], name, IFNAMSIZ) == 0) return;
  if (list->count == ODST_NPF_LISTED) return;
  memcpy(list->names[list->count], name, IFNAMSIZ);
  list->names[list->count++][IFNAMSIZ - 1] = '\0';
}

static inline void odst_interfaces_read(const odst_kernel *kernel, odst_interfaces *list,
                                        odst_attempt *attempt) {
  struct ifreq entries[ODST_NPF_LISTED];
  struct ifconf request;
  list->count = 0;
  long fd = kernel->socket(kernel, AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) {
    odst_record(attempt, "socket", "AF_INET SOCK_DGRAM", fd);
    return;
  }
  memset(&request, 0, sizeof request);
  request.ifc_len = sizeof entries;
  request.ifc_req = entries;
  long answer = kernel->ioctl(kernel, (int)fd, SIOCGIFCONF, &request);
  kernel->close(kernel, (int)fd);
  odst_step *step = odst_record(attempt, "ioctl", "SIOCGIFCONF", answer);
  if (answer < 0) return;
  size_t count = request.ifc_len < 0 ? 0 : (size_t)request.ifc_len / sizeof *entries;
  for (size_t at = 0; at < count && at < ODST_NPF_LISTED; at++)
    odst_interfaces_add(list, entries[at].ifr_name);
  odst_detail(step, "interfaces: ");
  odst_detail_number(step, (uint32_t)list->count);
}

#endif
