/*
 * tproxy2.h - the option IP_TPROXY of Balabit's patch 2.0.6, by the rules of its source.
 *
 * The module finds what a socket was assigned by the socket's local address and port, so this does,
 * too: a "sockref". What it does to packets is left to NAT rules: a socket that is about to connect
 * gets the mark CONNECT_MARK.
 */
#ifndef EMULATION_TPROXY2_H
#define EMULATION_TPROXY2_H

#include "option.h"

enum { VERSION = 0, ASSIGN = 1, UNASSIGN = 2, QUERY = 3, FLAGS = 4, ALLOC = 5, CONNECT = 6 };
enum {
  ITP_CONNECT = 1,
  ITP_LISTEN = 2,
  ITP_ESTABLISHED = 4,
  ITP_KIND = ITP_CONNECT | ITP_LISTEN | ITP_ESTABLISHED,
  ITP_ONCE = 0x10000,
  ITP_MARK = 0x20000,
  ITP_APPLIED = 0x40000,
  ITP_UNIDIR = 0x80000,
  CONNECT_ONLY = 0x1000000, /* not shown: the foreign address is another's, too */
};
enum { LEVEL_SOCKET = 1, SO_MARK = 36, CONNECT_MARK = 0x7470 };
enum { FIRST_FOREIGN_PORT = 40000, FOREIGN_PORTS = 64 };

struct in_tproxy {
  __u32 operation;
  union {
    __u32 version;
    struct {
      __be32 address;
      __be16 port;
    } foreign;
    __u32 flags;
  };
};

struct place {
  __be32 address;
  __be16 port;
  __u16 protocol;
};
struct sockref {
  struct place foreign;
  __be32 remote;
  __be16 remote_port;
  __u32 flags, sockets;
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 256);
  __type(key, struct place);
  __type(value, struct sockref);
} sockrefs SEC(".maps");

/* How many sockrefs have a foreign address, and whether all of them are harmless to another. */
struct taken {
  __u32 sockrefs, exclusive;
};
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 256);
  __type(key, struct place);
  __type(value, struct taken);
} foreign_addresses SEC(".maps");

/* The socket that was assigned a sockref: gone when the socket goes. */
struct {
  __uint(type, BPF_MAP_TYPE_SK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct place);
} assigned SEC(".maps");

static __always_inline int tproxy2_local(struct sock *socket, struct place *local) {
  __u32 name = protocol_name(socket);
  struct inet_sock *inet = (struct inet_sock *)socket;
  local->protocol = is_named(name, 'T', 'C', 'P')   ? PROTOCOL_TCP
                    : is_named(name, 'U', 'D', 'P') ? PROTOCOL_UDP
                                                    : 0;
  local->address = BPF_CORE_READ(socket, __sk_common.skc_rcv_saddr);
  local->port = BPF_CORE_READ(inet, inet_sport);
  return local->protocol;
}

/* A sockref with another remote end than the socket's own is not this socket's. */
static __always_inline struct sockref *tproxy2_find(struct sock *socket, struct place *local) {
  struct sockref *found = bpf_map_lookup_elem(&sockrefs, local);
  if (found == 0) return 0;
  __be32 remote = BPF_CORE_READ(socket, __sk_common.skc_daddr);
  __be16 port = BPF_CORE_READ(socket, __sk_common.skc_dport);
  if (remote == 0 && port == 0) return found;
  if (found->remote == 0 && found->remote_port == 0) return found;
  return found->remote == remote && found->remote_port == port ? found : 0;
}

static __always_inline void tproxy2_take(struct place *foreign, int exclusive) {
  struct taken *there = bpf_map_lookup_elem(&foreign_addresses, foreign);
  struct taken first = {1, exclusive};
  if (there == 0) bpf_map_update_elem(&foreign_addresses, foreign, &first, BPF_ANY);
  else there->sockrefs++;
}

static __always_inline void tproxy2_unhash(struct place *local, struct sockref *sockref) {
  struct place foreign = sockref->foreign;
  struct taken *there = bpf_map_lookup_elem(&foreign_addresses, &foreign);
  if (there != 0 && --there->sockrefs == 0) bpf_map_delete_elem(&foreign_addresses, &foreign);
  bpf_map_delete_elem(&sockrefs, local);
}

/* A TCP sockref without ITP_CONNECT or ITP_LISTEN stays: so the source has it. */
static __always_inline void tproxy2_drop(struct place *local, struct sockref *sockref, int own) {
  int unhash = local->protocol == PROTOCOL_UDP || sockref->flags & ITP_CONNECT ||
               (sockref->flags & ITP_LISTEN && own);
  if (sockref->flags & ITP_MARK) unhash = --sockref->sockets == 0;
  if (unhash) tproxy2_unhash(local, sockref);
}

static __always_inline int tproxy2_assign(struct bpf_sockopt *context, struct sock *socket,
                                          struct place *local, struct in_tproxy *request) {
  if (!is_network_administrator()) return EPERM;
  if (BPF_CORE_READ(socket, sk_socket, state) != STATE_UNCONNECTED) return EINVAL;
  if (local->address == 0 || local->port == 0) return EINVAL;
  struct sockref *there = bpf_map_lookup_elem(&sockrefs, local);
  if (there != 0) {
    if (request->foreign.address != 0 || request->foreign.port != 0) return EEXIST;
    there->sockets++;
    return 0;
  }
  struct sockref made = {.sockets = 1};
  made.foreign = *local; /* a mark-only one is found by its own address */
  int marks = request->foreign.address == 0;
  if (marks) made.flags = ITP_MARK;
  else {
    made.foreign.address = request->foreign.address;
    made.foreign.port = request->foreign.port;
  }
  if (!marks && made.foreign.port != 0) {
    struct place foreign = made.foreign;
    struct taken *other = bpf_map_lookup_elem(&foreign_addresses, &foreign);
    if (other != 0) {
      if (!BPF_CORE_READ_BITFIELD_PROBED(socket, __sk_common.skc_reuse)) return EADDRINUSE;
      if (other->exclusive) made.flags |= CONNECT_ONLY;
    }
  }
  if (bpf_map_update_elem(&sockrefs, local, &made, BPF_NOEXIST) != 0) return ENOBUFS;
  tproxy2_take(&made.foreign, !marks);
  bpf_sk_storage_get(&assigned, context->sk, local, BPF_SK_STORAGE_GET_F_CREATE);
  return 0;
}

static __always_inline int tproxy2_flags(struct bpf_sockopt *context, struct sockref *sockref,
                                         __u32 flags) {
  if (sockref->flags & ITP_MARK) return 0;
  int error = 0;
  __u32 kept = sockref->flags & (ITP_APPLIED | CONNECT_ONLY);
  __u32 kind = flags & ITP_KIND;
  if (kind == ITP_LISTEN && kept & CONNECT_ONLY) {
    error = EINVAL;
    kind = 0;
  }
  if (kind == ITP_ESTABLISHED && (sockref->remote == 0 || sockref->remote_port == 0))
    error = EINVAL;
  if (kind != ITP_CONNECT && kind != ITP_LISTEN && kind != ITP_ESTABLISHED) kind = 0;
  if (kind == ITP_ESTABLISHED) kind = ITP_CONNECT | ITP_LISTEN;
  sockref->flags = kept | kind | (flags & (ITP_ONCE | ITP_UNIDIR));
  int mark = CONNECT_MARK;
  if (kind & ITP_CONNECT) bpf_setsockopt(context->sk, LEVEL_SOCKET, SO_MARK, &mark, sizeof mark);
  return error;
}

static __always_inline int tproxy2_alloc(struct sockref *sockref) {
  if (sockref->flags & ITP_MARK) return 0;
  if (sockref->foreign.port != 0) return EINVAL;
  struct place before = sockref->foreign;
  for (int at = 0; at < FOREIGN_PORTS; at++) {
    struct place wanted = before;
    wanted.port = (__be16)__builtin_bswap16(FIRST_FOREIGN_PORT + at);
    if (bpf_map_lookup_elem(&foreign_addresses, &wanted) != 0) continue;
    struct taken *there = bpf_map_lookup_elem(&foreign_addresses, &before);
    if (there != 0 && --there->sockrefs == 0) bpf_map_delete_elem(&foreign_addresses, &before);
    sockref->foreign = wanted;
    tproxy2_take(&wanted, 1);
    return 0;
  }
  return EFAULT;
}

static __always_inline int tproxy2_connect(struct sockref *sockref, struct in_tproxy *request) {
  if (sockref->flags & ITP_MARK) return 0;
  if (request->foreign.address == 0 || request->foreign.port == 0) return 0;
  sockref->remote = request->foreign.address;
  sockref->remote_port = request->foreign.port;
  return 0;
}

static __always_inline int tproxy2_version(__u32 wanted, __u32 own) {
  return wanted >> 24 == own >> 24 && (wanted >> 16 & 0xff) <= (own >> 16 & 0xff) ? 0 : EINVAL;
}

static __always_inline int tproxy2_change(struct bpf_sockopt *context, struct sock *socket,
                                          struct place *local, struct in_tproxy *request) {
  struct sockref *sockref = tproxy2_find(socket, local);
  if (request->operation < UNASSIGN || request->operation == QUERY ||
      request->operation > CONNECT)
    return ENOPROTOOPT;
  if (sockref == 0) return ENOENT;
  switch (request->operation) {
    case FLAGS: return tproxy2_flags(context, sockref, request->flags);
    case ALLOC: return tproxy2_alloc(sockref);
    case CONNECT: return tproxy2_connect(sockref, request);
    default:
      tproxy2_drop(local, sockref, bpf_sk_storage_get(&assigned, context->sk, 0, 0) != 0);
      bpf_sk_storage_delete(&assigned, context->sk);
      return 0;
  }
}

static __always_inline int tproxy2_set(struct bpf_sockopt *context, __u32 version) {
  struct place local = {};
  struct in_tproxy request = {};
  struct sock *socket = kernel_socket(context);
  int error = EINVAL;
  __u32 *words = context->optval;
  if (tproxy2_local(socket, &local) && (void *)(words + 2) <= context->optval_end) {
    request.operation = words[0];
    request.version = words[1];
    if ((void *)(words + 3) <= context->optval_end) request.foreign.port = *(__be16 *)(words + 2);
    error = request.operation == VERSION  ? tproxy2_version(request.version, version)
            : request.operation == ASSIGN ? tproxy2_assign(context, socket, &local, &request)
                                          : tproxy2_change(context, socket, &local, &request);
  }
  context->optlen = -1;
  if (error == 0) return 1;
  bpf_set_retval(-error);
  return 0;
}

static __always_inline int tproxy2_ask(struct sock *socket, struct place *local, __u32 version,
                                       struct in_tproxy *request) {
  if (request->operation == VERSION) {
    request->version = version;
    return 0;
  }
  if (request->operation != QUERY && request->operation != FLAGS) return ENOPROTOOPT;
  struct sockref *sockref = tproxy2_find(socket, local);
  if (sockref == 0) return ENOENT;
  if (request->operation == QUERY) {
    request->foreign.address = sockref->foreign.address;
    request->foreign.port = sockref->foreign.port;
    return 0;
  }
  __u32 both = ITP_CONNECT | ITP_LISTEN;
  __u32 flags = sockref->flags & ~CONNECT_ONLY;
  request->flags = (flags & both) == both ? (flags & ~both) | ITP_ESTABLISHED : flags;
  return 0;
}

static __always_inline int tproxy2_get(struct bpf_sockopt *context, __u32 version) {
  struct place local = {};
  struct in_tproxy request = {};
  struct sock *socket = kernel_socket(context);
  if (!is_length_readable()) return refuse(context, EFAULT);
  __u32 length = context->optlen;
  if (!tproxy2_local(socket, &local) || length < 8) return refuse(context, EINVAL);
  if (length > sizeof request) length = sizeof request;
  if (bpf_probe_read_user(&request, length, (void *)VALUE_OF(system_call())) != 0)
    return refuse(context, EFAULT);
  int error = tproxy2_ask(socket, &local, version, &request);
  if (error != 0) return refuse(context, error);
  keep_the_callers_bytes(context);
  __u32 *words = context->optval;
  if ((void *)(words + 2) > context->optval_end) return refuse(context, EFAULT);
  words[0] = request.operation;
  words[1] = request.version;
  if ((void *)(words + 3) <= context->optval_end) *(__be16 *)(words + 2) = request.foreign.port;
  context->retval = 0;
  return 1;
}

static __always_inline void tproxy2_close(struct bpf_sock *context) {
  struct place *local = bpf_sk_storage_get(&assigned, context, 0, 0);
  if (local == 0) return;
  struct place key = *local;
  struct sockref *sockref = bpf_map_lookup_elem(&sockrefs, &key);
  if (sockref != 0) tproxy2_drop(&key, sockref, 1);
}

#endif
