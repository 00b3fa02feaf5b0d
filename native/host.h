/*
 * host.h - what an operating system tells about its sockets, processes and namespaces, apart from
 * any mechanism. One implementation a system: platforms/<os>/host/.
 */
#ifndef ODST_HOST_H
#define ODST_HOST_H

#include "mechanism.h"

typedef struct {
  uint8_t family;      /* of the socket: 6 for a dual-stack one */
  uint16_t protocol;
  uint8_t state;       /* TCP state, net/tcp_states.h: 1 established, 10 listen */
  bool transparent;    /* IP_TRANSPARENT is set (INET_DIAG_SOCKOPT, Linux 5.10) */
  bool opened;         /* this end sent the SYN; false also where that cannot be told */
  uint32_t uid, inode; /* inode 0: no process holds it any more (TIME_WAIT) */
  odst_endpoint local, peer;
} odst_socket;

typedef void (*odst_socket_visitor)(void *context, const odst_socket *socket);

/* Visits every socket of one protocol and family in the thread's network namespace. */
bool odst_visit_sockets(const odst_kernel *kernel, uint8_t family, uint8_t protocol,
                        odst_socket_visitor visit, void *context, odst_attempt *attempt);

/* A tracked connection seen from this host's end. */
typedef struct {
  odst_endpoint local, peer, original;
  uint16_t zone;
} odst_tracked;

typedef void (*odst_tracked_visitor)(void *context, const odst_tracked *tracked);

/* Visits the connections whose end on this side is `port`, in all zones of the thread's
 * namespace: the only way to the peers of an unconnected datagram socket. */
bool odst_visit_tracked(const odst_kernel *kernel, uint8_t family, uint8_t protocol, uint16_t port,
                        odst_tracked_visitor visit, void *context, odst_attempt *attempt);

/* Duplicates descriptor `target` of process `pid` into this one: the fd, or -errno.
 * Needs PTRACE_MODE_ATTACH_REALCREDS over the process, pidfd_getfd(2). */
long odst_take_descriptor(const odst_kernel *kernel, int pid, int target, odst_attempt *attempt);

/* The network namespace that a socket belongs to, as a descriptor, or -errno (SIOCGSKNS). */
long odst_socket_namespace(const odst_kernel *kernel, int fd, odst_attempt *attempt);

/* A new network namespace that lives as long as the returned descriptor (or -errno). */
long odst_new_namespace(const odst_kernel *kernel, odst_attempt *attempt);

/* Moves this thread into a namespace: a token for odst_leave_namespace, or -errno. */
long odst_enter_namespace(const odst_kernel *kernel, int fd, odst_attempt *attempt);

/* Moves the thread back. False means that it could not: the process must not go on. */
bool odst_leave_namespace(const odst_kernel *kernel, int token);

/* May this user make a user namespace and a network namespace in it? A child of its own tries and
 * ends; each call that it made is a step. */
void odst_try_user_namespace(odst_attempt *attempt);

/* Asks for SIGKILL when the parent ends. False when it has ended already. */
bool odst_end_with_parent(int parent, odst_attempt *attempt);

/* Where a datagram was sent to, out of the control messages (struct msghdr) that came with it. fd is
 * its socket, whose port stands in where a system tells only the address. */
bool odst_message_destination(const odst_kernel *kernel, int fd, void *msghdr,
                              odst_endpoint *destination);

/* Packets of all interfaces of the thread's network namespace, both ways: an fd, or -errno. */
long odst_open_capture(const odst_kernel *kernel, odst_attempt *attempt);

/* As a capture, but only the packets between flow->local.port and flow->peer, whatever address the
 * local end has on the wire, and the ICMP errors about them: an fd, or -errno. */
long odst_open_watch(const odst_kernel *kernel, const odst_flow *flow, odst_attempt *attempt);

typedef struct {
  char interface[16]; /* IFNAMSIZ */
  bool outgoing;
  bool overheard; /* the link-layer destination is another machine (PACKET_OTHERHOST) */
  size_t length; /* of the packet from its network header on, at most what there was room for */
} odst_packet;

/* The next packet, or -EAGAIN. */
long odst_read_capture(const odst_kernel *kernel, int fd, void *bytes, size_t room,
                       odst_packet *packet);

/* Places where a BPF program of a cgroup can rewrite where a socket of its processes goes. */
typedef enum {
  ODST_HOOK_CONNECT4,
  ODST_HOOK_CONNECT6,
  ODST_HOOK_SENDMSG4,
  ODST_HOOK_SENDMSG6
} odst_cgroup_hook;

/* The programs attached to a cgroup (by descriptor) at one hook: how many, at most `room` of whose ids
 * are written; or -errno. Needs CAP_NET_ADMIN (EPERM). */
long odst_cgroup_programs(const odst_kernel *kernel, int cgroup, odst_cgroup_hook hook,
                          uint32_t *ids, size_t room, odst_attempt *attempt);

#endif
