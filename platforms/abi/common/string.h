/* string.h - the memory and string functions that the backends use: all that they take of libc. */
#ifndef ODST_ABI_STRING_H
#define ODST_ABI_STRING_H

#include <stddef.h>

void *memcpy(void *restrict, const void *restrict, size_t);
void *memset(void *, int, size_t);
int memcmp(const void *, const void *, size_t);
size_t strlen(const char *);
int strcmp(const char *, const char *);
int strncmp(const char *, const char *, size_t);

#endif
