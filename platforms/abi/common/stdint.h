/* stdint.h - from what the compiler says about itself, C11 7.20. */
#ifndef ODST_ABI_STDINT_H
#define ODST_ABI_STDINT_H

typedef __INT32_TYPE__ int32_t;
typedef __UINT8_TYPE__ uint8_t;
typedef __UINT16_TYPE__ uint16_t;
typedef __UINT32_TYPE__ uint32_t;
typedef __UINT64_TYPE__ uint64_t;

#endif
