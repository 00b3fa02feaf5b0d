/* netinet/ip_fil.h - how IPFilter of NetBSD 10.99.12 takes its arguments, ipf(4). */
#ifndef ODST_ABI_NETINET_IP_FIL_H
#define ODST_ABI_NETINET_IP_FIL_H

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/types.h>

typedef u_int32_t u_32_t;

typedef union i6addr {
  u_32_t i6[4];
  struct in_addr in4;
  void *vptr[2];
} i6addr_t;

/* Every request hands over one of these, which points to the real argument. */
typedef struct ipfobj {
  u_32_t ipfo_rev;  /* IPFILTER_VERSION */
  u_32_t ipfo_size; /* of what ipfo_ptr points to */
  void *ipfo_ptr;
  int ipfo_type;
  int ipfo_offset;
  int ipfo_retval;
  unsigned char ipfo_xxxpad[28];
} ipfobj_t;

typedef struct ipfgeniter {
  int igi_type;
  int igi_nitems;
  void *igi_data;
} ipfgeniter_t;

#define IPFOBJ_NATLOOKUP 9
#define IPFOBJ_GENITER 16
#define IPFGENITER_NAT 1

#define SIOCGENITER _IOWR('r', 92, struct ipfobj)
#define SIOCIPFDELTOK _IOWR('r', 94, int)

#endif
