/*
 * replay_kernel.h - a kernel that answers from a script, in order, and compares what it is
 * asked byte for byte with what a real kernel was asked.
 */
#ifndef ODST_REPLAY_KERNEL_H
#define ODST_REPLAY_KERNEL_H

#include "kernel.h"

enum { REPLAY_CALLS = 64, REPLAY_BUFFERS = 3, REPLAY_BYTES = 24576 };

typedef struct {
  size_t length;
  unsigned char bytes[REPLAY_BYTES];
} replay_buffer;

/* One call as it was recorded. `arguments` are the scalars: numbers, a path. */
typedef struct {
  char name[16];
  char arguments[96];
  long result; /* or -errno of that system */
  size_t nin, nout;
  replay_buffer in[REPLAY_BUFFERS], out[REPLAY_BUFFERS];
} replay_call;

typedef struct {
  replay_call *calls;
  size_t ncalls, next;
  char mismatch[512]; /* empty as long as everything is as recorded */
  int open_descriptors, mappings;
} replay_script;

odst_kernel replay_kernel(replay_script *script);

#endif
