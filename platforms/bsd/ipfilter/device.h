/*
 * device.h - how /dev/ipnat is spoken to: every request is an ipfobj that points to the real
 * argument and names its type, size and the version of IPFilter that it was compiled for.
 * Sources: ipnat(4), netinet/ip_fil.h and ip_nat.h of IPFilter 5.1.2.
 * Layout as printed by FreeBSD 12.1 and NetBSD 10.99.12 on amd64.
 */
#ifndef ODST_IPFILTER_DEVICE_H
#define ODST_IPFILTER_DEVICE_H

#include <sys/param.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/ipl.h>
#include <netinet/ip_compat.h>
#include <netinet/ip_fil.h>
#include <netinet/ip_nat.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

#include "address.h"
#include "attempt.h"

_Static_assert(sizeof(ipfobj_t) == 56, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert(offsetof(ipfobj_t, ipfo_ptr) == 8, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert(offsetof(ipfobj_t, ipfo_type) == 16, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert(IPFOBJ_NATLOOKUP == 9, "FreeBSD 12.1, NetBSD 10.99.12");
_Static_assert((uint32_t)SIOCGNATL == 0xc038723fu, "FreeBSD 12.1, NetBSD 10.99.12");

static inline void odst_ipf_port_write(void *field, uint16_t port) {
  uint8_t bytes[2] = {(uint8_t)(port >> 8), (uint8_t)port};
  memcpy(field, bytes, sizeof bytes);
}

static inline uint16_t odst_ipf_port_read(const void *field) {
  uint8_t bytes[2];
  memcpy(bytes, field, sizeof bytes);
  return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* Read-only is enough for lookups, as observed on both systems. */
static inline long odst_ipf_open(const odst_kernel *kernel, odst_attempt *attempt) {
  long fd = kernel->open(kernel, "/dev/ipnat", O_RDONLY);
  odst_record(attempt, "open", "/dev/ipnat", fd < 0 ? fd : 0);
  return fd;
}

static inline ipfobj_t odst_ipf_object(int type, void *argument, size_t size) {
  ipfobj_t object;
  memset(&object, 0, sizeof object);
  object.ipfo_rev = IPFILTER_VERSION;
  object.ipfo_size = (uint32_t)size;
  object.ipfo_ptr = argument;
  object.ipfo_type = type;
  return object;
}

#endif
