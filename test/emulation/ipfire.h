/*
 * ipfire.h - getsockopt(SOL_IP, 200) as IPFIRE-wall 1.99.5 answers it. The order of the checks is that
 * of the recordings of the original: kind of socket, length, entry, pointer.
 */
#ifndef EMULATION_IPFIRE_H
#define EMULATION_IPFIRE_H

#include "option.h"

enum { SOCKADDR_IN = 16 };

static __always_inline int ipfire_find(struct sock *socket, struct flow *answer) {
  struct inet_sock *inet = (struct inet_sock *)socket;
  struct flow_key key = {};
  key.peer = BPF_CORE_READ(socket, __sk_common.skc_daddr);
  key.peer_port = BPF_CORE_READ(socket, __sk_common.skc_dport);
  key.local = BPF_CORE_READ(socket, __sk_common.skc_rcv_saddr);
  key.local_port = BPF_CORE_READ(inet, inet_sport);
  struct flow *flow = bpf_map_lookup_elem(&flows, &key);
  if (flow == 0) return 0;
  *answer = *flow;
  return 1;
}

static __always_inline int ipfire_get(struct bpf_sockopt *context) {
  struct settings *kernel = current_settings();
  struct counters *count = current_counters();
  if (kernel == 0 || count == 0) return 1;
  __sync_fetch_and_add(&count->get_200, 1);
  if (!is_length_readable()) return refuse(context, EFAULT);
  if (!kernel->ipfire) return refuse(context, ENOPROTOOPT);
  struct sock *socket = kernel_socket(context);
  if (!is_named(protocol_name(socket), 'T', 'C', 'P')) {
    __sync_fetch_and_add(&count->logged, 1);
    return refuse(context, ENOPROTOOPT);
  }
  if (context->optlen < SOCKADDR_IN) {
    __sync_fetch_and_add(&count->logged, 1);
    return refuse(context, EINVAL);
  }
  struct flow flow = {};
  if (!ipfire_find(socket, &flow)) return refuse(context, ENOENT);
  keep_the_callers_bytes(context);
  __u8 *value = context->optval;
  if ((void *)(value + SOCKADDR_IN) > context->optval_end) return refuse(context, EFAULT);
  *(__u16 *)value = FAMILY_INET;
  *(__be16 *)(value + 2) = flow.port;
  *(__be32 *)(value + 4) = flow.address;
  for (int at = 0; at < 8; at++) value[8 + at] = flow.stale[at];
  context->retval = 0;
  return 1;
}

#endif
