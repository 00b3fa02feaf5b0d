/* sys/types.h - integer names that the systems' own headers use. */
#ifndef ODST_ABI_SYS_TYPES_H
#define ODST_ABI_SYS_TYPES_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t sa_family_t, u_int8_t;
typedef uint16_t in_port_t, u_int16_t;
typedef uint32_t in_addr_t, u_int32_t, socklen_t;
typedef uint64_t u_int64_t;
typedef char *caddr_t;

#endif
