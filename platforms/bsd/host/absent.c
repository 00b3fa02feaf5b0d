/*
 * absent.c - what the tools ask of a Linux host and these systems have no such call for. Each says
 * so in a step, as ENOSYS and with the system's own way: nothing is made up.
 */
#include <errno.h>

#include "attempt.h"
#include "host.h"

static long absent(odst_attempt *attempt, const char *call, const char *target,
                   const char *instead) {
  odst_detail(odst_record(attempt, call, target, -ENOSYS), instead);
  return -ENOSYS;
}

/* The lists behind netstat(1) are sysctls whose layout differs by release and system. */
bool odst_visit_sockets(const odst_kernel *kernel, uint8_t family, uint8_t protocol,
                        odst_socket_visitor visit, void *context, odst_attempt *attempt) {
  (void)kernel, (void)family, (void)protocol, (void)visit, (void)context;
  return absent(attempt, "list", "sockets", "not on this system; netstat -an shows them") >= 0;
}

bool odst_visit_tracked(const odst_kernel *kernel, uint8_t family, uint8_t protocol, uint16_t port,
                        odst_tracked_visitor visit, void *context, odst_attempt *attempt) {
  (void)kernel, (void)family, (void)protocol, (void)port, (void)visit, (void)context;
  return absent(attempt, "list", "connections",
                "not on this system; pfctl -s state, ipnat -l, npfctl list") >= 0;
}

long odst_take_descriptor(const odst_kernel *kernel, int pid, int target, odst_attempt *attempt) {
  (void)kernel, (void)pid, (void)target;
  return absent(attempt, "pidfd_getfd", "process",
                "not on this system: hand the socket over as a descriptor (--fd)");
}

/* Jails and routing domains are no descriptors: a process is in one, a socket is of one. */
long odst_socket_namespace(const odst_kernel *kernel, int fd, odst_attempt *attempt) {
  (void)kernel, (void)fd;
  return absent(attempt, "ioctl", "SIOCGSKNS", "no network namespaces on this system");
}

long odst_new_namespace(const odst_kernel *kernel, odst_attempt *attempt) {
  (void)kernel;
  return absent(attempt, "unshare", "CLONE_NEWNET", "no network namespaces on this system");
}

long odst_enter_namespace(const odst_kernel *kernel, int fd, odst_attempt *attempt) {
  (void)kernel, (void)fd;
  return absent(attempt, "setns", "network namespace", "no network namespaces on this system");
}

/* Nowhere was entered. */
bool odst_leave_namespace(const odst_kernel *kernel, int token) {
  (void)kernel, (void)token;
  return true;
}

void odst_try_user_namespace(odst_attempt *attempt) {
  absent(attempt, "unshare", "CLONE_NEWUSER", "no user namespaces on this system");
}

long odst_cgroup_programs(const odst_kernel *kernel, int cgroup, odst_cgroup_hook hook,
                          uint32_t *ids, size_t room, odst_attempt *attempt) {
  (void)kernel, (void)cgroup, (void)hook, (void)ids, (void)room;
  return absent(attempt, "bpf", "BPF_PROG_QUERY", "no control groups on this system");
}

/* No signal will come: the caller learns it from the step. */
bool odst_end_with_parent(int parent, odst_attempt *attempt) {
  (void)parent;
  absent(attempt, "prctl", "PR_SET_PDEATHSIG", "not on this system");
  return true;
}

/* bpf(4) listens to one interface at a time, and this asks for all of them. */
long odst_open_capture(const odst_kernel *kernel, odst_attempt *attempt) {
  (void)kernel;
  return absent(attempt, "socket", "AF_PACKET", "not on this system; tcpdump -ni INTERFACE");
}

long odst_open_watch(const odst_kernel *kernel, const odst_flow *flow, odst_attempt *attempt) {
  (void)flow;
  return odst_open_capture(kernel, attempt);
}

long odst_read_capture(const odst_kernel *kernel, int fd, void *bytes, size_t room,
                       odst_packet *packet) {
  (void)kernel, (void)fd, (void)bytes, (void)room, (void)packet;
  return -ENOSYS;
}
