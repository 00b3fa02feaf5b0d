#include "replay_kernel.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static replay_script *script_of(const odst_kernel *kernel) { return kernel->state; }

static void mismatch(replay_script *script, const char *format, ...) {
  if (script->mismatch[0] != '\0') return;
  va_list list;
  va_start(list, format);
  vsnprintf(script->mismatch, sizeof script->mismatch, format, list);
  va_end(list);
}

/* The next call of the script, if it is this one; else NULL, and the mismatch is noted. */
static replay_call *expect(const odst_kernel *kernel, const char *name, const char *format, ...) {
  replay_script *script = script_of(kernel);
  char arguments[96];
  va_list list;
  va_start(list, format);
  vsnprintf(arguments, sizeof arguments, format, list);
  va_end(list);
  if (script->mismatch[0] != '\0') return NULL;
  if (script->next == script->ncalls) {
    mismatch(script, "%s %s: nothing more was recorded", name, arguments);
    return NULL;
  }
  replay_call *call = &script->calls[script->next];
  if (strcmp(call->name, name) != 0 || strcmp(call->arguments, arguments) != 0) {
    mismatch(script, "asked %s %s; recorded %s %s", name, arguments, call->name, call->arguments);
    return NULL;
  }
  script->next++;
  return call;
}

/* Compares a buffer with what was recorded; `pointer` is where a user pointer was zeroed, or -1. */
static void compare(replay_script *script, const replay_call *call, size_t at, const void *buffer,
                    size_t length, int pointer) {
  if (at >= call->nin) return;
  const replay_buffer *recorded = &call->in[at];
  unsigned char copy[REPLAY_BYTES];
  if (length != recorded->length || length > sizeof copy) {
    mismatch(script, "%s: buffer %zu is %zu bytes; recorded %zu", call->name, at, length,
             recorded->length);
    return;
  }
  memcpy(copy, buffer, length);
  if (pointer >= 0) memset(copy + pointer, 0, sizeof(void *));
  for (size_t byte = 0; byte < length; byte++)
    if (copy[byte] != recorded->bytes[byte])
      mismatch(script, "%s: buffer %zu differs at byte %zu: %02x; recorded %02x", call->name, at,
               byte, copy[byte], recorded->bytes[byte]);
}

/* Writes what was recorded, except over the pointer that the caller passed. */
static void deliver(replay_script *script, const replay_call *call, size_t at, void *buffer,
                    size_t room, int pointer) {
  if (at >= call->nout || call->result < 0) return;
  const replay_buffer *recorded = &call->out[at];
  if (recorded->length > room) {
    mismatch(script, "%s: room for %zu bytes; recorded %zu", call->name, room, recorded->length);
    return;
  }
  void *kept = NULL;
  if (pointer >= 0) memcpy(&kept, (char *)buffer + pointer, sizeof kept);
  memcpy(buffer, recorded->bytes, recorded->length);
  if (pointer >= 0) memcpy((char *)buffer + pointer, &kept, sizeof kept);
}

static void *pointer_at(const void *buffer, int offset) {
  void *pointer;
  memcpy(&pointer, (const char *)buffer + offset, sizeof pointer);
  return pointer;
}

static size_t size_at(const void *buffer, int offset, size_t width) {
  size_t size = 0;
  memcpy(&size, (const char *)buffer + offset, width);
  return size;
}

/* Where the requests keep their pointers: these numbers are the kernels', not the backends'. */
enum {
  SIOCGNATL = 0xc038723f,
  SIOCGENITER = 0xc038725c,
  DIOCGETSTATES = 0xc0104419,
  IOC_NPF_CONN_LOOKUP = 0xc0184e6c,
  SIOCGIFCONF = 0xc0106926,
};

static void ipfilter(replay_script *script, const replay_call *call, char *object, bool iterates) {
  char *argument = pointer_at(object, 8);
  size_t size = size_at(object, 4, 4);
  compare(script, call, 0, object, 56, 8);
  if (script->mismatch[0] != '\0') return;
  compare(script, call, 1, argument, size, iterates ? 8 : -1);
  if (script->mismatch[0] != '\0') return;
  deliver(script, call, 1, argument, size, iterates ? 8 : -1);
  if (iterates && call->nout > 2)
    deliver(script, call, 2, pointer_at(argument, 8), call->out[2].length, -1);
  deliver(script, call, 0, object, 56, 8);
}

/* {length, pointer} in, {length, pointer} out; what was read goes where the pointer leads. */
static void table(replay_script *script, const replay_call *call, char *request, size_t width) {
  compare(script, call, 0, request, 16, 8);
  if (call->nout > 1) deliver(script, call, 1, pointer_at(request, 8), size_at(request, 0, width), -1);
  deliver(script, call, 0, request, 16, 8);
}

/* The answer is memory that the kernel maps into the caller. */
static void npf(replay_script *script, const replay_call *call, char *reference) {
  compare(script, call, 1, pointer_at(reference, 0), size_at(reference, 8, 8), -1);
  compare(script, call, 0, reference, 24, 0);
  if (call->result < 0 || call->nout < 2) return;
  void *mapped = malloc(call->out[1].length);
  if (mapped == NULL) abort();
  memcpy(mapped, call->out[1].bytes, call->out[1].length);
  deliver(script, call, 0, reference, 24, -1);
  memcpy(reference, &mapped, sizeof mapped);
  script->mappings++;
}

static long replay_ioctl(const odst_kernel *kernel, int fd, unsigned long request, void *argument) {
  (void)fd;
  replay_script *script = script_of(kernel);
  replay_call *call = expect(kernel, "ioctl", "0x%lx", request);
  if (call == NULL) return -5;
  size_t size = request >> 16 & 0x1fff;
  switch (request) {
    case SIOCGNATL: ipfilter(script, call, argument, false); break;
    case SIOCGENITER: ipfilter(script, call, argument, true); break;
    case DIOCGETSTATES: table(script, call, argument, 8); break;
    case SIOCGIFCONF: table(script, call, argument, 4); break;
    case IOC_NPF_CONN_LOOKUP: npf(script, call, argument); break;
    default:
      compare(script, call, 0, argument, size, -1);
      deliver(script, call, 0, argument, size, -1);
  }
  return call->result;
}

static long replay_open(const odst_kernel *kernel, const char *path, int flags) {
  replay_call *call = expect(kernel, "open", "%s %d", path, flags);
  if (call == NULL) return -5;
  if (call->result >= 0) script_of(kernel)->open_descriptors++;
  return call->result;
}

static long replay_socket(const odst_kernel *kernel, int domain, int type, int protocol) {
  replay_call *call = expect(kernel, "socket", "%d %d %d", domain, type, protocol);
  if (call == NULL) return -5;
  if (call->result >= 0) script_of(kernel)->open_descriptors++;
  return call->result;
}

static long replay_close(const odst_kernel *kernel, int fd) {
  (void)fd;
  script_of(kernel)->open_descriptors--;
  return 0;
}

static long replay_bind(const odst_kernel *kernel, int fd, const void *address, size_t length) {
  (void)fd;
  replay_call *call = expect(kernel, "bind", "");
  if (call == NULL) return -5;
  compare(script_of(kernel), call, 0, address, length, -1);
  return call->result;
}

static long name(const odst_kernel *kernel, const char *which, void *address, size_t *length) {
  replay_call *call = expect(kernel, which, "");
  if (call == NULL) return -5;
  deliver(script_of(kernel), call, 0, address, *length, -1);
  if (call->nout > 0) *length = call->out[0].length;
  return call->result;
}

static long replay_getsockname(const odst_kernel *kernel, int fd, void *address, size_t *length) {
  (void)fd;
  return name(kernel, "getsockname", address, length);
}

static long replay_getpeername(const odst_kernel *kernel, int fd, void *address, size_t *length) {
  (void)fd;
  return name(kernel, "getpeername", address, length);
}

static long replay_getsockopt(const odst_kernel *kernel, int fd, int level, int option,
                              void *value, size_t *length) {
  (void)fd;
  replay_call *call = expect(kernel, "getsockopt", "%d %d", level, option);
  if (call == NULL) return -5;
  deliver(script_of(kernel), call, 0, value, *length, -1);
  return call->result;
}

static long replay_setsockopt(const odst_kernel *kernel, int fd, int level, int option,
                              const void *value, size_t length) {
  (void)fd;
  replay_call *call = expect(kernel, "setsockopt", "%d %d", level, option);
  if (call == NULL) return -5;
  compare(script_of(kernel), call, 0, value, length, -1);
  return call->result;
}

static long replay_map(const odst_kernel *kernel, size_t length, void **memory) {
  *memory = calloc(1, length);
  if (*memory == NULL) return -12;
  script_of(kernel)->mappings++;
  return 0;
}

static long replay_unmap(const odst_kernel *kernel, void *memory, size_t length) {
  (void)length;
  free(memory);
  script_of(kernel)->mappings--;
  return 0;
}

odst_kernel replay_kernel(replay_script *script) {
  return (odst_kernel){
      .state = script,
      .open = replay_open,
      .close = replay_close,
      .ioctl = replay_ioctl,
      .socket = replay_socket,
      .bind = replay_bind,
      .getsockname = replay_getsockname,
      .getpeername = replay_getpeername,
      .getsockopt = replay_getsockopt,
      .setsockopt = replay_setsockopt,
      .map = replay_map,
      .unmap = replay_unmap,
  };
}
