/* errno.h - error numbers of OpenBSD 7.6, errno(2). */
#ifndef ODST_ABI_ERRNO_H
#define ODST_ABI_ERRNO_H

#include "../common/errno_bsd.h"

#define EILSEQ 84
#define EOVERFLOW 87
#define ECANCELED 88
#define EIDRM 89
#define ENOMSG 90
#define ENOTSUP 91
#define EBADMSG 92
#define EPROTO 95

#endif
