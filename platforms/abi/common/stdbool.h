/* stdbool.h - C11 7.18. */
#ifndef ODST_ABI_STDBOOL_H
#define ODST_ABI_STDBOOL_H

#define bool _Bool
#define true 1
#define false 0

#endif
