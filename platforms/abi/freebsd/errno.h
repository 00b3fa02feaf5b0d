/* errno.h - error numbers of FreeBSD 12.1, errno(2). */
#ifndef ODST_ABI_ERRNO_H
#define ODST_ABI_ERRNO_H

#include "../common/errno_bsd.h"

#define EIDRM 82
#define ENOMSG 83
#define EOVERFLOW 84
#define ECANCELED 85
#define EILSEQ 86
#define EBADMSG 89
#define EPROTO 92
#define ENOTCAPABLE 93
#define ECAPMODE 94
#define ENOTSUP EOPNOTSUPP

#endif
