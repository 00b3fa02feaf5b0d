/*
 * cgroup-program - attaches a BPF program that changes nothing to connect4 of a cgroup.
 *
 *   cgroup-program FOLDER
 *
 * The attachment ends with the cgroup. Two instructions, so that no compiler for BPF is needed.
 */
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct bpf_insn allow[] = {
    {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
    {.code = BPF_JMP | BPF_EXIT},
};

int main(int count, char **words) {
  int cgroup = count == 2 ? open(words[1], O_RDONLY | O_DIRECTORY) : -1;
  if (cgroup < 0) {
    perror("cgroup-program FOLDER");
    return 2;
  }
  union bpf_attr load;
  memset(&load, 0, sizeof load);
  load.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR;
  load.expected_attach_type = BPF_CGROUP_INET4_CONNECT;
  load.insns = (unsigned long)allow;
  load.insn_cnt = sizeof allow / sizeof *allow;
  load.license = (unsigned long)"MIT";
  int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof load);
  if (program < 0) {
    perror("BPF_PROG_LOAD");
    return 1;
  }
  union bpf_attr attach;
  memset(&attach, 0, sizeof attach);
  attach.target_fd = (unsigned)cgroup;
  attach.attach_bpf_fd = (unsigned)program;
  attach.attach_type = BPF_CGROUP_INET4_CONNECT;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof attach) < 0) {
    perror("BPF_PROG_ATTACH");
    return 1;
  }
  return 0;
}
