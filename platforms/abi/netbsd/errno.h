/* errno.h - error numbers of NetBSD 10.99.12, errno(2). */
#ifndef ODST_ABI_ERRNO_H
#define ODST_ABI_ERRNO_H

#include "../common/errno_bsd.h"

#define EIDRM 82
#define ENOMSG 83
#define EOVERFLOW 84
#define EILSEQ 85
#define ENOTSUP 86
#define ECANCELED 87
#define EBADMSG 88
#define ENODATA 89
#define ENOSR 90
#define ETIME 92
#define EPROTO 96

#endif
