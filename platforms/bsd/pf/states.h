/*
 * states.h - finds a connection among PF's states, DIOCGETSTATES of pf(4).
 *
 * A state has two keys. For a connection that came in, the wire key holds the addresses as the
 * client sent them and the stack key those that the socket sees (PF_SK_WIRE, PF_SK_STACK), each
 * with the source first: match the stack key with the socket's addresses, read the wire key's
 * destination.
 */
#ifndef ODST_PF_STATES_H
#define ODST_PF_STATES_H

enum { ODST_PF_SOURCE, ODST_PF_DESTINATION };

/* What a first request has room for, on the stack. A larger table is read into mapped memory. */
enum { ODST_PF_STATES = 64 };

/* Ports and the routing domain are in network order (pf_state_export in net/pf.c). */
static inline uint16_t odst_pf_read16(const void *field) {
  uint8_t bytes[2];
  memcpy(bytes, field, sizeof bytes);
  return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static inline bool odst_pf_is(const struct pfsync_state_key *key, int at,
                              const odst_endpoint *endpoint) {
  return odst_pf_read16(&key->port[at]) == endpoint->port &&
         memcmp(&key->addr[at], endpoint->address, endpoint->family == 4 ? 4 : 16) == 0;
}

/* The states are packed: keys are copied out first. */
static inline bool odst_pf_matches(const struct pfsync_state *state, const odst_flow *flow) {
  struct pfsync_state_key stack;
  memcpy(&stack, &state->key[PF_SK_STACK], sizeof stack);
  return state->proto == flow->protocol && state->direction == PF_IN &&
         stack.af == (flow->local.family == 4 ? AF_INET : AF_INET6) &&
         odst_pf_read16(&stack.rdomain) == flow->rdomain &&
         odst_pf_is(&stack, ODST_PF_SOURCE, &flow->peer) &&
         odst_pf_is(&stack, ODST_PF_DESTINATION, &flow->local);
}

static inline void odst_pf_take(const struct pfsync_state *state, odst_attempt *attempt) {
  struct pfsync_state_key wire;
  memcpy(&wire, &state->key[PF_SK_WIRE], sizeof wire);
  uint8_t family = wire.af == AF_INET ? 4 : 6;
  attempt->found = true;
  attempt->original.family = family;
  attempt->original.port = odst_pf_read16(&wire.port[ODST_PF_DESTINATION]);
  memcpy(attempt->original.address, &wire.addr[ODST_PF_DESTINATION], family == 4 ? 4 : 16);
}

/* Asks for as many states as `length` bytes hold: the bytes that were written, or -errno. */
static inline long odst_pf_get_states(const odst_kernel *kernel, int fd, void *buffer,
                                      size_t length) {
  struct pfioc_states request = {.ps_len = length};
  request.ps_buf = buffer;
  long answer = kernel->ioctl(kernel, fd, DIOCGETSTATES, &request);
  if (answer < 0) return answer;
  return (long)(length != 0 && request.ps_len > length ? length : request.ps_len);
}

static inline void odst_pf_search(const unsigned char *buffer, long length, const odst_flow *flow,
                                  odst_attempt *attempt) {
  odst_step *step = odst_record(attempt, "ioctl", "/dev/pf DIOCGETSTATES", length < 0 ? length : 0);
  if (length < 0) return;
  size_t count = (size_t)length / sizeof(struct pfsync_state);
  for (size_t at = 0; at < count && !attempt->found; at++) {
    struct pfsync_state state;
    memcpy(&state, buffer + at * sizeof state, sizeof state);
    if (odst_pf_matches(&state, flow)) odst_pf_take(&state, attempt);
  }
  odst_detail(step, "states read: ");
  odst_detail_number(step, (uint32_t)count);
  odst_detail(step, attempt->found ? ", one is this connection" : ", none is this connection");
}

/* A table that grows between the two requests is read as far as the memory goes. */
static inline void odst_pf_read_large(const odst_kernel *kernel, int fd, const odst_flow *flow,
                                      odst_attempt *attempt) {
  long needed = odst_pf_get_states(kernel, fd, NULL, 0);
  if (needed < 0) {
    odst_pf_search(NULL, needed, flow, attempt);
    return;
  }
  size_t length = (size_t)needed + ODST_PF_STATES * sizeof(struct pfsync_state);
  void *memory = NULL;
  long answer = kernel->map(kernel, length, &memory);
  if (answer < 0) {
    odst_record(attempt, "mmap", "memory for PF's states", answer);
    return;
  }
  odst_pf_search(memory, odst_pf_get_states(kernel, fd, memory, length), flow, attempt);
  kernel->unmap(kernel, memory, length);
}

static inline void odst_pf_read_states(const odst_kernel *kernel, int fd, const odst_flow *flow,
                                       odst_attempt *attempt) {
  unsigned char buffer[ODST_PF_STATES * sizeof(struct pfsync_state)];
  long length = odst_pf_get_states(kernel, fd, buffer, sizeof buffer);
  odst_pf_search(buffer, length, flow, attempt);
  bool full = length == (long)sizeof buffer;
  if (full && !attempt->found && kernel->map != NULL)
    odst_pf_read_large(kernel, fd, flow, attempt);
}

#endif
