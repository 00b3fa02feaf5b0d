/*
 * pf - `rdr` and `rdr-to`, undone by asking /dev/pf with DIOCNATLOOK, pf(4).
 *
 * The table is asked as the reply would run: saddr is the peer, daddr the local address, PF_OUT.
 * PF_IN is the second try, for connections that the host itself redirected (pf_ioctl.c). No other
 * direction is ever asked for: an undefined one panicked FreeBSD 12.1.
 * A read-only descriptor is enough, on FreeBSD 12.1, NetBSD 10.99.12 and OpenBSD 7.6 as observed.
 */
#include <errno.h>
#include <fcntl.h>

#include "address.h"
#include "attempt.h"

/* What differs: OpenBSD's routing domains, and its second way of asking. */
#if defined(__OpenBSD__)
#include "openbsd.h"
#else
#include "natlook.h"
#endif

static const char device[] = "/dev/pf";

static long open_device(const odst_kernel *kernel, odst_attempt *attempt) {
  long fd = kernel->open(kernel, device, O_RDONLY);
  odst_record(attempt, "open", device, fd < 0 ? fd : 0);
  return fd;
}

static void write_address(struct pf_addr *address, const odst_endpoint *endpoint) {
  memcpy(address, endpoint->address, endpoint->family == 4 ? 4 : 16);
}

static void write_port(void *field, uint16_t port) {
  uint8_t bytes[2] = {(uint8_t)(port >> 8), (uint8_t)port};
  memcpy(field, bytes, sizeof bytes);
}

static uint16_t read_port(const void *field) {
  uint8_t bytes[2];
  memcpy(bytes, field, sizeof bytes);
  return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* One DIOCNATLOOK: not negative, with the answer in attempt->original, or -errno. */
static long ask(const odst_kernel *kernel, int fd, const odst_flow *flow, uint8_t direction,
                odst_attempt *attempt) {
  uint8_t family = flow->local.family;
  struct pfioc_natlook look;
  memset(&look, 0, sizeof look);
  write_address(&look.saddr, &flow->peer);
  write_address(&look.daddr, &flow->local);
  write_port(&look.sport, flow->peer.port);
  write_port(&look.dport, flow->local.port);
  look.af = family == 4 ? AF_INET : AF_INET6;
  look.proto = (uint8_t)flow->protocol;
  look.direction = direction;
  odst_pf_domain(&look, flow);
  long answer = kernel->ioctl(kernel, fd, DIOCNATLOOK, &look);
  odst_detail(odst_record(attempt, "ioctl", "/dev/pf DIOCNATLOOK", answer),
              direction == PF_OUT ? "PF_OUT" : "PF_IN");
  if (answer < 0) return answer;
  attempt->found = true;
  attempt->original.family = family;
  attempt->original.port = read_port(&look.rdport);
  memcpy(attempt->original.address, &look.rdaddr, family == 4 ? 4 : 16);
  return answer;
}

static void lookup(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  if (flow->fd >= 0 && !odst_flow_ask(kernel, flow, attempt)) return;
  odst_pf_ask_domain(kernel, flow, attempt);
  long fd = open_device(kernel, attempt);
  if (fd < 0) return;
  long answer = ask(kernel, (int)fd, flow, PF_OUT, attempt);
  if (answer == -ENOENT) answer = ask(kernel, (int)fd, flow, PF_IN, attempt);
  if (answer == -ENOENT) odst_pf_read_states(kernel, (int)fd, flow, attempt);
  kernel->close(kernel, (int)fd);
}

/* A state between documentation addresses exists nowhere: ENOENT is the table speaking. */
static void probe(const odst_kernel *kernel, const odst_question *question,
                  odst_attempt *attempt) {
  odst_flow flow = {.fd = -1,
                    .protocol = question->protocol,
                    .peer = odst_foreign_endpoint(question->family),
                    .local = odst_foreign_endpoint(question->family)};
  flow.peer.port = flow.local.port = 9; /* discard, RFC 863; a zero port is EINVAL */
  long fd = open_device(kernel, attempt);
  if (fd < 0) return;
  ask(kernel, (int)fd, &flow, PF_OUT, attempt);
  kernel->close(kernel, (int)fd);
}

const odst_mechanism odst_pf = {
    .name = "pf",
    .lookup = lookup,
    .probe = probe,
};
