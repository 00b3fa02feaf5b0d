/*
 * entry.h - one conntrack entry out of a ctnetlink message.
 * Source: linux/netfilter/nfnetlink_conntrack.h, net/netfilter/nf_conntrack_netlink.c.
 */
#ifndef ODST_ENTRY_H
#define ODST_ENTRY_H

#include "flows.h"

/* Reads one ctnetlink message body (after the nlmsghdr). False when it is not a whole entry. */
bool odst_entry_read(const unsigned char *body, size_t length, odst_entry *entry);

#endif
