/* net/if.h - interfaces of OpenBSD 7.6, netintro(4). */
#ifndef ODST_ABI_NET_IF_H
#define ODST_ABI_NET_IF_H

#define IFNAMSIZ 16

#endif
