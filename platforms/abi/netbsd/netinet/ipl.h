/* netinet/ipl.h - the version of IPFilter in NetBSD 10.99.12. */
#ifndef ODST_ABI_NETINET_IPL_H
#define ODST_ABI_NETINET_IPL_H

#define IPFILTER_VERSION 5010200

#endif
