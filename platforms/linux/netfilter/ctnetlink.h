/*
 * ctnetlink.h - one question at a time to the connection tracking table over NETLINK_NETFILTER.
 * The table in bulk is native/flows.h.
 */
#ifndef ODST_CTNETLINK_H
#define ODST_CTNETLINK_H

#include "flows.h"

/* A NETLINK_NETFILTER socket in the thread's network namespace, or -errno. Needs no privilege. */
long odst_ctnetlink_open(const odst_kernel *kernel, odst_attempt *attempt);

/*
 * Finds the entry one of whose directions runs from `flow->local` to `flow->peer`, which is how
 * the intercepting socket answers. Reads one zone by a keyed request, or with ODST_ZONE_ANY the
 * whole table. Needs CAP_NET_ADMIN (EPERM); ENOENT when there is no such entry.
 */
bool odst_ctnetlink_find(const odst_kernel *kernel, int fd, const odst_flow *flow,
                         odst_entry *entry, odst_attempt *attempt);

/* Is this the entry of that flow? One of its directions runs from `local` to `peer`. */
bool odst_entry_is(const odst_entry *entry, uint16_t protocol, const odst_endpoint *local,
                   const odst_endpoint *peer);

typedef void (*odst_entry_visitor)(void *context, const odst_entry *entry);

/* Visits the whole table of one address family. 0, or -errno as the kernel put it. */
long odst_ctnetlink_dump(const odst_kernel *kernel, int fd, uint8_t family,
                         odst_entry_visitor visit, void *context);

#endif
