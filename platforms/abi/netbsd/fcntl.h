/* fcntl.h - open(2) of NetBSD 10.99.12. */
#ifndef ODST_ABI_FCNTL_H
#define ODST_ABI_FCNTL_H

#define O_RDONLY 0

#endif
