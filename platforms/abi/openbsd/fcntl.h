/* fcntl.h - open(2) of OpenBSD 7.6. */
#ifndef ODST_ABI_FCNTL_H
#define ODST_ABI_FCNTL_H

#define O_RDONLY 0

#endif
