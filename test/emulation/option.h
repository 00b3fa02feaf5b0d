/*
 * option.h - the maps, and how a program on the path of getsockopt and setsockopt answers.
 */
#ifndef EMULATION_OPTION_H
#define EMULATION_OPTION_H

#include "kernel.h"
#include "settings.h"

/* asm-generic/errno.h */
enum {
  EPERM = 1,
  ENOENT = 2,
  EFAULT = 14,
  EEXIST = 17,
  EINVAL = 22,
  ENOPROTOOPT = 92,
  EADDRINUSE = 98,
  ENOBUFS = 105,
};

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct settings);
} settings SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct counters);
} counters SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, struct flow_key);
  __type(value, struct flow);
} flows SEC(".maps");

static __always_inline struct settings *current_settings(void) {
  __u32 first = 0;
  return bpf_map_lookup_elem(&settings, &first);
}

static __always_inline struct counters *current_counters(void) {
  __u32 first = 0;
  return bpf_map_lookup_elem(&counters, &first);
}

/* getsockopt: the kernel has answered before the program runs; this answer replaces its own. */
static __always_inline int refuse(struct bpf_sockopt *context, int error) {
  context->retval = -error;
  return 1;
}

/* A length that cannot be read is 0 to the program (do_sock_getsockopt in net/socket.c), so the
 * caller's own is tried: every handler reads it first. */
static __always_inline int is_length_readable(void) {
  int length;
  return bpf_probe_read_user(&length, sizeof length, (void *)LENGTH_OF(system_call())) == 0;
}

enum { MOST_KEPT = 128 };

/* The kernel gives the caller the program's whole buffer back; a module writes only its answer. */
static __always_inline void keep_the_callers_bytes(struct bpf_sockopt *context) {
  __u8 bytes[MOST_KEPT] = {};
  __u32 length = context->optlen;
  if (length > MOST_KEPT) length = MOST_KEPT;
  bpf_probe_read_user(bytes, length, (void *)VALUE_OF(system_call()));
  __u8 *value = context->optval;
  for (int at = 0; at < MOST_KEPT; at++) {
    if ((void *)(value + at + 1) > context->optval_end) break;
    value[at] = bytes[at];
  }
}

static __always_inline int is_internet(struct bpf_sockopt *context) {
  __u32 family = context->sk->family;
  return (family == FAMILY_INET || family == FAMILY_INET6) &&
         context->sk->protocol != PROTOCOL_MPTCP;
}

#endif
