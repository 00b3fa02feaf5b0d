/* net/npf.h - what /dev/npf of NetBSD 10.99.12 takes and answers, npf(4). */
#ifndef ODST_ABI_NET_NPF_H
#define ODST_ABI_NET_NPF_H

#include <sys/ioctl.h>

#define NPF_VERSION 22

#define IOC_NPF_VERSION _IOR('N', 100, int)
/* nvlist_ref_t is of nv.h, which NetBSD does not install. */
#define IOC_NPF_CONN_LOOKUP _IOWR('N', 108, nvlist_ref_t)

#endif
