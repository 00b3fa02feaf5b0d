/* stddef.h - from what the compiler says about itself, C11 7.19. */
#ifndef ODST_ABI_STDDEF_H
#define ODST_ABI_STDDEF_H

typedef __SIZE_TYPE__ size_t;
#define NULL ((void *)0)
#define offsetof(type, member) __builtin_offsetof(type, member)

#endif
