/*
 * flows.h - the kernel's table of translated connections in bulk: all of it, many chosen ones, and
 * what changes in it. One implementation a system; on Linux platforms/linux/netfilter/.
 *
 * The records are of one fixed layout, because JavaScript reads them as bytes where they lie
 * (src/table/record.ts). Numbers are in host order, addresses in network order.
 */
#ifndef ODST_FLOWS_H
#define ODST_FLOWS_H

#include <assert.h>

#include "mechanism.h"

typedef enum { ODST_PRESENT, ODST_NEW, ODST_UPDATED, ODST_DESTROYED } odst_event;

/*
 * One table entry: both directions as the kernel keeps them. An entry without ports has 0 there;
 * ICMP has its identifier in the ports of both sources, and type and code beside.
 */
typedef struct {
  odst_endpoint original_source, original_destination;
  odst_endpoint reply_source, reply_destination;
  uint32_t status; /* IPS_* of linux/netfilter/nf_conntrack_common.h */
  uint32_t id;     /* differs between entries that live at the same time */
  uint32_t mark;
  uint32_t timeout; /* seconds until it expires */
  uint16_t protocol;
  uint16_t zone, reply_zone; /* differ where a zone is given for one direction only */
  uint8_t tcp_state;         /* linux/netfilter/nf_conntrack_tcp.h; 0 where there is none */
  uint8_t event;             /* odst_event */
  int32_t error;             /* 0, or -errno of the question that this record was */
  uint8_t icmp_type, icmp_code, reply_icmp_type, reply_icmp_code;
} odst_entry;

static_assert(sizeof(odst_endpoint) == 24 && sizeof(odst_entry) == 128,
              "src/table/record.ts reads these bytes");

/* What one datagram of the kernel can hold at most; a reader needs room for that. */
enum { ODST_DATAGRAM_ENTRIES = 512, ODST_RECENT = 64 };

/* A walk through the table that is going on. */
typedef struct {
  int fd;
  bool over;
  size_t nrecent;
  struct {
    uint32_t id;
    odst_endpoint source, destination;
  } recent[ODST_RECENT];
} odst_table;

/* Which entries are wanted: those with `status & mask == value` (older kernels answer all). */
typedef struct {
  uint8_t family; /* 4, 6, or 0 for both */
  uint32_t status_mask, status_value;
} odst_selection;

/* Begins to read the whole table of the thread's network namespace. Needs CAP_NET_ADMIN. */
bool odst_table_open(const odst_kernel *kernel, const odst_selection *selection,
                     odst_table *table, odst_attempt *attempt);

/* Reads on into `entries`, of which there are `room` >= ODST_DATAGRAM_ENTRIES: how many, fewer at
 * the end (table->over), or -errno. May be called on another thread than open. */
long odst_table_read(const odst_kernel *kernel, odst_table *table, odst_entry *entries,
                     size_t room);

void odst_table_close(const odst_kernel *kernel, odst_table *table);

/* A socket that hears of new and ended entries in the thread's network namespace, with a receive buffer of
 * `buffer` bytes where that is allowed: an fd, or -errno. */
long odst_events_open(const odst_kernel *kernel, size_t buffer, odst_attempt *attempt);

typedef struct {
  long count; /* of entries, or -errno */
  /* How many events this socket has lost since it was opened; -1 where the kernel cannot tell. */
  int64_t lost;
  bool overrun; /* some were lost since the last call */
} odst_heard;

/* Waits at most `milliseconds` for changes, then reads those that are there. */
odst_heard odst_events_read(const odst_kernel *kernel, int fd, int milliseconds,
                            odst_entry *entries, size_t room);

/*
 * Asks about many connections at once. Each record names one by protocol, zone, reply_source (this
 * host's end) and reply_destination (its peer), and becomes its entry, or gets an `error`.
 * 0, or -errno when the table could not be asked at all.
 */
long odst_lookup_entries(const odst_kernel *kernel, odst_entry *entries, size_t count,
                         odst_attempt *attempt);

/*
 * The original destination of each socket. errors[i] is 0, or the errno of the one call. An answer
 * that equals the socket's own address means that nothing was redirected.
 */
void odst_lookup_sockets(const odst_kernel *kernel, const int32_t *sockets, size_t count,
                         odst_endpoint *originals, int32_t *errors);

#endif
