/*
 * kernel.h - what the emulation reads of the running kernel's structures. Only the fields that are
 * used; where they lie is looked up in the kernel's own type information when the program is loaded
 * (CO-RE, /sys/kernel/btf/vmlinux).
 */
#ifndef EMULATION_KERNEL_H
#define EMULATION_KERNEL_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include <bpf/bpf_core_read.h>

#define RELOCATED __attribute__((preserve_access_index))

struct proto {
  char name[32];
} RELOCATED;

struct sock_common {
  __be32 skc_daddr, skc_rcv_saddr;
  __be16 skc_dport;
  unsigned short skc_family;
  unsigned char skc_reuse : 4;
  struct proto *skc_prot;
} RELOCATED;

typedef enum { STATE_FREE, STATE_UNCONNECTED } socket_state; /* linux/net.h, SS_… */

struct socket {
  socket_state state;
} RELOCATED;

struct sock {
  struct sock_common __sk_common;
  struct socket *sk_socket;
} RELOCATED;

struct inet_sock {
  struct sock sk;
  __be16 inet_sport;
} RELOCATED;

struct user_namespace {
  int level;
} RELOCATED;

typedef struct {
  __u64 val;
} kernel_cap_t;

struct cred {
  kernel_cap_t cap_effective;
  struct user_namespace *user_ns;
} RELOCATED;

struct task_struct {
  const struct cred *cred;
} RELOCATED;

/* The registers of the system call: getsockopt(fd, level, name, value, length). */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
  unsigned long r10, r8;
} RELOCATED;
#define VALUE_OF(registers) ((registers)->r10)
#define LENGTH_OF(registers) ((registers)->r8)
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
  __u64 regs[31];
} RELOCATED;
#define VALUE_OF(registers) ((registers)->regs[3])
#define LENGTH_OF(registers) ((registers)->regs[4])
#else
#error "where does this architecture pass the fourth and fifth argument of a system call?"
#endif

enum { FAMILY_INET = 2, FAMILY_INET6 = 10, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_MPTCP = 262 };

/* A socket as a plain number, which the verifier lets point anywhere into the kernel. */
static __always_inline struct sock *kernel_socket(struct bpf_sockopt *context) {
  struct bpf_sock *volatile socket = context->sk;
  struct sock *address = 0;
  bpf_probe_read_kernel(&address, sizeof address, (const void *)&socket);
  return address;
}

/* sk->sk_prot->name, by which both modules tell one kind of socket from another. */
static __always_inline __u32 protocol_name(struct sock *socket) {
  __u32 name = 0;
  struct proto *proto = BPF_CORE_READ(socket, __sk_common.skc_prot);
  bpf_core_read(&name, sizeof name, &proto->name);
  return name;
}

static __always_inline int is_named(__u32 name, char a, char b, char c) {
  return name == (__u32)(a | b << 8 | c << 16);
}

static __always_inline struct pt_regs *system_call(void) {
  return (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
}

/* capable(CAP_NET_ADMIN): in the first user namespace, whatever namespace the socket is of. */
static __always_inline int is_network_administrator(void) {
  struct task_struct *task = (struct task_struct *)bpf_get_current_task();
  const struct cred *cred = BPF_CORE_READ(task, cred);
  if (BPF_CORE_READ(cred, user_ns, level) != 0) return 0;
  return BPF_CORE_READ(cred, cap_effective.val) >> 12 & 1;
}

#endif
