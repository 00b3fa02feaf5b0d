/*
 * sessions.h - the NAT sessions of IPFilter one after the other: SIOCGENITER, ipnat(4).
 *
 * The kernel keeps the place in a token for each process. After the last entry, and on an empty
 * table, further calls succeed and write nothing, even on a new descriptor, until SIOCIPFDELTOK
 * gives the token back: so it is always given back, and the buffer is filled with a pattern that
 * no entry has, which tells "wrote nothing" from an entry. An empty table is a zeroed entry.
 * Observed on FreeBSD 12.1. The layout of nat_t differs by release: it is the release's header's.
 */
#ifndef ODST_IPFILTER_SESSIONS_H
#define ODST_IPFILTER_SESSIONS_H

#include "../../bsd/ipfilter/device.h"

_Static_assert(sizeof(ipfgeniter_t) == 16, "FreeBSD 12.1");
_Static_assert(offsetof(ipfgeniter_t, igi_data) == 8, "FreeBSD 12.1");
_Static_assert(IPFOBJ_GENITER == 16 && IPFGENITER_NAT == 1, "FreeBSD 12.1");
_Static_assert((uint32_t)SIOCGENITER == 0xc038725cu, "FreeBSD 12.1");
_Static_assert((uint32_t)SIOCIPFDELTOK == 0xc004725eu, "FreeBSD 12.1");

/* The table's own limit is 30,000 (NAT_TABLE_MAX, 180,000 with LARGE_NAT). */
enum { ODST_IPF_SESSIONS = 200000, ODST_IPF_UNTOUCHED = 0xa5 };

/* Indices of what a session has for each side of the translation. */
enum { ODST_IPF_AS_SENT, ODST_IPF_AFTER_NAT };

typedef enum { ODST_IPF_FAILED, ODST_IPF_NOTHING, ODST_IPF_EMPTY, ODST_IPF_ENTRY } odst_ipf_answer;

static inline bool odst_ipf_all(const void *memory, size_t length, uint8_t value) {
  const uint8_t *bytes = memory;
  for (size_t at = 0; at < length; at++)
    if (bytes[at] != value) return false;
  return true;
}

static inline odst_ipf_answer odst_ipf_next(const odst_kernel *kernel, int fd, nat_t *session,
                                            long *answer) {
  memset(session, ODST_IPF_UNTOUCHED, sizeof *session);
  ipfgeniter_t request = {.igi_type = IPFGENITER_NAT, .igi_nitems = 1, .igi_data = session};
  ipfobj_t object = odst_ipf_object(IPFOBJ_GENITER, &request, sizeof request);
  *answer = kernel->ioctl(kernel, fd, SIOCGENITER, &object);
  if (*answer < 0) return ODST_IPF_FAILED;
  if (odst_ipf_all(session, sizeof *session, ODST_IPF_UNTOUCHED)) return ODST_IPF_NOTHING;
  return odst_ipf_all(session, sizeof *session, 0) ? ODST_IPF_EMPTY : ODST_IPF_ENTRY;
}

/* ESRCH: there was no token, which is as good. */
static inline void odst_ipf_give_back(const odst_kernel *kernel, int fd, odst_attempt *attempt) {
  int token = IPFGENITER_NAT;
  long answer = kernel->ioctl(kernel, fd, SIOCIPFDELTOK, &token);
  odst_detail(odst_record(attempt, "ioctl", "/dev/ipnat SIOCIPFDELTOK", answer),
              "gives the place in the table back");
}

static inline bool odst_ipf_is(const i6addr_t *address, uint32_t port,
                               const odst_endpoint *endpoint) {
  uint16_t field = (uint16_t)port;
  return odst_ipf_port_read(&field) == endpoint->port &&
         memcmp(address, endpoint->address, endpoint->family == 4 ? 4 : 16) == 0;
}

/* o: as the client sent it; n: after NAT. The socket sees the client as it was and itself after. */
static inline bool odst_ipf_matches(const nat_t *session, const odst_flow *flow) {
  return session->nat_v[ODST_IPF_AFTER_NAT] == (flow->local.family == 4 ? 4 : 6) &&
         session->nat_pr[ODST_IPF_AFTER_NAT] == flow->protocol &&
         odst_ipf_is(&session->nat_ndst6, session->nat_ndport, &flow->local) &&
         odst_ipf_is(&session->nat_osrc6, session->nat_osport, &flow->peer);
}

static inline void odst_ipf_take(const nat_t *session, odst_attempt *attempt) {
  uint16_t port = (uint16_t)session->nat_odport;
  uint8_t family = session->nat_v[ODST_IPF_AS_SENT] == 4 ? 4 : 6;
  attempt->found = true;
  attempt->original.family = family;
  attempt->original.port = odst_ipf_port_read(&port);
  memcpy(attempt->original.address, &session->nat_odst6, family == 4 ? 4 : 16);
}

/* Walks the table until the flow is found or the last entry was seen, and gives the token back. */
static inline odst_ipf_answer odst_ipf_walk(const odst_kernel *kernel, int fd,
                                            const odst_flow *flow, odst_attempt *attempt) {
  nat_t session;
  long answer = 0;
  uint32_t seen = 0;
  odst_ipf_answer kind;
  do {
    kind = odst_ipf_next(kernel, fd, &session, &answer);
    if (kind != ODST_IPF_ENTRY) break;
    seen++;
    if (odst_ipf_matches(&session, flow)) odst_ipf_take(&session, attempt);
  } while (!attempt->found && session.nat_next != NULL && seen < ODST_IPF_SESSIONS);
  odst_step *step = odst_record(attempt, "ioctl", "/dev/ipnat SIOCGENITER", answer);
  if (kind == ODST_IPF_NOTHING) odst_detail(step, "wrote nothing");
  odst_ipf_give_back(kernel, fd, attempt);
  if (answer < 0 || kind == ODST_IPF_NOTHING) return kind;
  odst_detail(step, "sessions read: ");
  odst_detail_number(step, seen);
  odst_detail(step, attempt->found ? ", the last is this connection" : ", none is this connection");
  return kind;
}

#endif
