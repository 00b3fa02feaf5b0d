/*
 * request.h - questions to ctnetlink, written into a buffer one after another.
 */
#ifndef ODST_REQUEST_H
#define ODST_REQUEST_H

#include "flows.h"

enum { ODST_REQUEST_SIZE = 128 }; /* the longest question: an IPv6 tuple with a zone */

typedef struct {
  unsigned char *bytes; /* aligned as struct nlmsghdr */
  size_t used;
} odst_request;

/*
 * For the entry one of whose directions runs from `local` to `peer`, in one zone. A found entry bears
 * NLM_F_MULTI although no NLMSG_DONE follows (ctnetlink_fill_info), so that only `flags` of
 * NLM_F_ACK, or counting the answers, tells when all was said.
 */
void odst_put_get(odst_request *request, uint32_t sequence, uint16_t flags, uint16_t protocol,
                  uint16_t zone, const odst_endpoint *local, const odst_endpoint *peer);

/* For the whole table. */
void odst_put_dump(odst_request *request, const odst_selection *selection);

#endif
