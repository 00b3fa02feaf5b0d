/*
 * modules.bpf.c - IPFIRE-wall and TPROXY 2, played on the real path of system calls.
 *
 * No kernel of today carries the two modules. These programs stand where their handlers stood: they are
 * attached to a cgroup, and answer getsockopt and setsockopt of the sockets that were made in it. They
 * are an emulation: of IPFIRE-wall by recordings of the original, of TPROXY 2 by its source.
 */
#include "ipfire.h"
#include "tproxy2.h"

enum { LEVEL_IP = 0, LEVEL_IPV6 = 41 };
/* linux/mroute.h and mroute6.h: MRT_BASE to MRT_MAX. Neither CONFIG_IP_MROUTE nor CONFIG_IPV6_MROUTE. */
enum { FIRST_MULTICAST_OPTION = 200, LAST_MULTICAST_OPTION = 212, SO_IPFI_GETORIG_DST = 200 };
enum { SO_ORIGINAL_DST = 80, IP_RECVORIGADDRS = 11273, IP_TPROXY = 11274 };

static __always_inline int is_multicast_routing(int option) {
  return option >= FIRST_MULTICAST_OPTION && option <= LAST_MULTICAST_OPTION;
}

SEC("cgroup/getsockopt")
int get_option(struct bpf_sockopt *context) {
  if (!is_internet(context)) return 1;
  struct settings *kernel = current_settings();
  if (kernel == 0) return 1;
  int option = context->optname;
  if (context->level == LEVEL_IPV6 && context->sk->family == FAMILY_INET6 &&
      is_multicast_routing(option))
    return refuse(context, ENOPROTOOPT);
  if (context->level != LEVEL_IP) return 1;
  if (option == SO_IPFI_GETORIG_DST) return ipfire_get(context);
  if (is_multicast_routing(option)) return refuse(context, ENOPROTOOPT);
  if (option == SO_ORIGINAL_DST && kernel->untracked) return refuse(context, ENOPROTOOPT);
  if (option == IP_TPROXY && kernel->tproxy2) return tproxy2_get(context, kernel->tproxy2);
  return 1;
}

/* Before the kernel's own handler; optlen -1 says that it is not to be asked any more. */
SEC("cgroup/setsockopt")
int set_option(struct bpf_sockopt *context) {
  if (context->level != LEVEL_IP || !is_internet(context)) return 1;
  struct settings *kernel = current_settings();
  struct counters *count = current_counters();
  if (kernel == 0 || count == 0) return 1;
  int option = context->optname;
  if (option == SO_IPFI_GETORIG_DST) __sync_fetch_and_add(&count->set_200, 1);
  /* 20 and 24 are also options of today, which a program may well set. */
  if ((option >= 21 && option <= 23) || option == 25) __sync_fetch_and_add(&count->set_tproxy1, 1);
  if (!kernel->tproxy2) return 1;
  if (option == IP_TPROXY) return tproxy2_set(context, kernel->tproxy2);
  if (option == IP_RECVORIGADDRS) context->optlen = -1;
  return 1;
}

/* Closing a socket is an implicit TPROXY_UNASSIGN. */
SEC("cgroup/sock_release")
int release(struct bpf_sock *context) {
  tproxy2_close(context);
  return 1;
}

char module_license[] SEC("license") = "GPL";
