/*
 * cgroup_programs.c - BPF programs that rewrite destinations at connect() and sendmsg(), before any
 * packet exists: BPF_PROG_QUERY of bpf(2), kernel/bpf/cgroup.c. Reads, attaches nothing.
 */
#include <linux/bpf.h>
#include <string.h>

#include "attempt.h"
#include "host.h"

static const struct {
  uint32_t type;
  const char *name;
} hooks[] = {
    [ODST_HOOK_CONNECT4] = {BPF_CGROUP_INET4_CONNECT, "BPF_PROG_QUERY connect4"},
    [ODST_HOOK_CONNECT6] = {BPF_CGROUP_INET6_CONNECT, "BPF_PROG_QUERY connect6"},
    [ODST_HOOK_SENDMSG4] = {BPF_CGROUP_UDP4_SENDMSG, "BPF_PROG_QUERY sendmsg4"},
    [ODST_HOOK_SENDMSG6] = {BPF_CGROUP_UDP6_SENDMSG, "BPF_PROG_QUERY sendmsg6"},
};

long odst_cgroup_programs(const odst_kernel *kernel, int cgroup, odst_cgroup_hook hook,
                          uint32_t *ids, size_t room, odst_attempt *attempt) {
  union bpf_attr query;
  memset(&query, 0, sizeof query);
  query.query.target_fd = (uint32_t)cgroup;
  query.query.attach_type = hooks[hook].type;
  query.query.prog_ids = (uint64_t)(uintptr_t)ids;
  query.query.prog_cnt = (uint32_t)room;
  long answer = kernel->bpf(kernel, BPF_PROG_QUERY, &query, sizeof query);
  if (answer >= 0) answer = (long)query.query.prog_cnt;
  odst_record(attempt, "bpf", hooks[hook].name, answer);
  return answer;
}
