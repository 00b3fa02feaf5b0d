/*
 * ctnetlink.h - questions to the connection tracking table over NETLINK_NETFILTER.
 * Source: linux/netfilter/nfnetlink_conntrack.h, net/netfilter/nf_conntrack_netlink.c.
 */
#ifndef ODST_CTNETLINK_H
#define ODST_CTNETLINK_H

#include "mechanism.h"

/* One table entry: both directions as the kernel keeps them. */
typedef struct {
  uint16_t protocol;
  uint16_t zone;
  odst_endpoint original_source, original_destination;
  odst_endpoint reply_source, reply_destination;
} odst_entry;

/* A NETLINK_NETFILTER socket in the thread's network namespace, or -errno. Needs no privilege. */
long odst_ctnetlink_open(const odst_kernel *kernel, odst_attempt *attempt);

/*
 * Finds the entry one of whose directions runs from `flow->local` to `flow->peer`, which is how
 * the intercepting socket answers. Reads one zone by a keyed request, or with ODST_ZONE_ANY the
 * whole table. Needs CAP_NET_ADMIN (EPERM); ENOENT when there is no such entry.
 */
bool odst_ctnetlink_find(const odst_kernel *kernel, int fd, const odst_flow *flow,
                         odst_entry *entry, odst_attempt *attempt);

typedef void (*odst_entry_visitor)(void *context, const odst_entry *entry);

/* Visits the whole table of one address family. 0, or -errno as the kernel put it. */
long odst_ctnetlink_dump(const odst_kernel *kernel, int fd, uint8_t family,
                         odst_entry_visitor visit, void *context);

/* Reads one ctnetlink message body (after the nlmsghdr). False when it is not a whole entry. */
bool odst_entry_read(const unsigned char *body, size_t length, odst_entry *entry);

#endif
