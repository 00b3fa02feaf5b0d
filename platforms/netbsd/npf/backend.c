/*
 * npf - `map` with redirection, undone by IOC_NPF_CONN_LOOKUP on /dev/npf, npf(4).
 *
 * The key is the reply's: source is the local address, destination the peer, direction out, on the
 * interface that the connection came in by. Without interface or direction NPF answers ESRCH.
 * NPF asks for the super-user at open and at every request (EPERM), whatever the device's mode.
 * Observed on NetBSD 10.99.12 (NPF 22), read-only descriptor. Nothing is loaded: NPF can panic
 * a kernel whose configuration names an interface that it does not know.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <net/npf.h>
#include <errno.h>
#include <fcntl.h>

#include "address.h"
#include "attempt.h"
#include "interfaces.h"
#include "nvlist.h"

/* What nv.h calls nvlist_ref_t: net/npf.h only needs its size, and it is not installed. */
typedef struct {
  void *buf;
  size_t len;
  int flags;
} odst_nvlist_ref;
#define nvlist_ref_t odst_nvlist_ref

_Static_assert(sizeof(odst_nvlist_ref) == 24, "NetBSD 10.99.12");
_Static_assert((uint32_t)IOC_NPF_CONN_LOOKUP == 0xc0184e6cu, "NetBSD 10.99.12");
_Static_assert((uint32_t)IOC_NPF_VERSION == 0x40044e64u, "NetBSD 10.99.12");

enum { DIRECTION_OUT = 2 };    /* PFIL_OUT of net/pfil.h */
enum { LARGEST_ERROR = 1000 }; /* an answer that says more is none */

static size_t address_length(const odst_endpoint *endpoint) {
  return endpoint->family == 4 ? 4 : 16;
}

/* NPF keeps ports as they are on the wire, in a number. */
static uint64_t wire_port(uint16_t port) {
  uint8_t bytes[2] = {(uint8_t)(port >> 8), (uint8_t)port};
  uint16_t number;
  memcpy(&number, bytes, sizeof number);
  return number;
}

static void write_key(odst_nv_writer *writer, const odst_flow *flow, const char *interface) {
  odst_nv_number(writer, "proto", flow->protocol);
  odst_nv_number(writer, "sport", wire_port(flow->local.port));
  odst_nv_number(writer, "dport", wire_port(flow->peer.port));
  odst_nv_pair(writer, ODST_NV_BINARY, "saddr", flow->local.address, address_length(&flow->local));
  odst_nv_pair(writer, ODST_NV_BINARY, "daddr", flow->peer.address, address_length(&flow->peer));
  odst_nv_pair(writer, ODST_NV_STRING, "ifname", interface, strlen(interface) + 1);
  odst_nv_number(writer, "di", DIRECTION_OUT);
}

/* {key: {...}}: the nested list is written apart, because its pair says its size first. */
static void write_request(odst_nv_writer *writer, const odst_flow *flow, const char *interface) {
  odst_nv_writer key = {.used = 0};
  size_t inner = odst_nv_begin(&key);
  write_key(&key, flow, interface);
  size_t length = key.used;
  odst_nv_pair(&key, ODST_NV_UP, "", NULL, 0);
  odst_nv_end(&key, inner);
  size_t outer = odst_nv_begin(writer);
  odst_nv_pair(writer, ODST_NV_LIST, "key", key.bytes, length);
  odst_nv_put(writer, key.bytes + length, key.used - length);
  odst_nv_end(writer, outer);
}

/* nat.oaddr and nat.oport are what the packet said before translation. */
static bool read_original(odst_nv_bytes answer, const odst_flow *flow, odst_attempt *attempt) {
  odst_nv_bytes nat, address;
  uint64_t port;
  if (!odst_nv_find(answer, ODST_NV_LIST, "nat", &nat)) {
    attempt->original = flow->local; /* tracked, and not translated */
    return true;
  }
  if (!odst_nv_find(nat, ODST_NV_BINARY, "oaddr", &address) ||
      !odst_nv_find_number(nat, "oport", &port) || (address.left != 4 && address.left != 16))
    return false;
  uint16_t wire = (uint16_t)port;
  uint8_t bytes[2];
  memcpy(bytes, &wire, sizeof bytes);
  attempt->original.family = address.left == 4 ? 4 : 6;
  attempt->original.port = (uint16_t)(bytes[0] << 8 | bytes[1]);
  memcpy(attempt->original.address, address.at, address.left);
  return true;
}

/* The kernel maps its answer into the caller, which has to unmap it (nvlist_recv_ioctl). */
static long ask(const odst_kernel *kernel, int fd, const odst_flow *flow, const char *interface,
                odst_attempt *attempt) {
  odst_nv_writer request = {.used = 0};
  write_request(&request, flow, interface);
  odst_nvlist_ref reference = {.buf = request.bytes, .len = request.used};
  long answer = kernel->ioctl(kernel, fd, IOC_NPF_CONN_LOOKUP, &reference);
  if (answer < 0) return answer;
  odst_nv_bytes list;
  uint64_t error = 0;
  if (!odst_nv_open(reference.buf, reference.len, &list) ||
      !odst_nv_find_number(list, "errno", &error) || error > LARGEST_ERROR) {
    answer = -EBADMSG;
  } else if (error != 0) {
    answer = -(long)error;
  } else {
    attempt->found = read_original(list, flow, attempt);
    if (!attempt->found) answer = -EBADMSG;
  }
  if (kernel->unmap != NULL) kernel->unmap(kernel, reference.buf, reference.len);
  return answer;
}

static long ask_on(const odst_kernel *kernel, int fd, const odst_flow *flow, const char *interface,
                   odst_attempt *attempt) {
  long answer = ask(kernel, fd, flow, interface, attempt);
  odst_step *step = odst_record(attempt, "ioctl", "/dev/npf IOC_NPF_CONN_LOOKUP", answer);
  odst_detail(step, "out by ");
  odst_detail(step, interface);
  return answer;
}

/* One request an interface; a step for the one that answered, or else for the last. */
static void ask_everywhere(const odst_kernel *kernel, int fd, const odst_flow *flow,
                           odst_attempt *attempt) {
  odst_interfaces list;
  odst_interfaces_read(kernel, &list, attempt);
  long answer = -ESRCH;
  for (size_t at = 0; at < list.count && answer == -ESRCH; at++) {
    answer = ask(kernel, fd, flow, list.names[at], attempt);
    if (answer == -ESRCH && at + 1 < list.count) continue;
    odst_step *step = odst_record(attempt, "ioctl", "/dev/npf IOC_NPF_CONN_LOOKUP", answer);
    odst_detail(step, "out by ");
    odst_detail(step, list.names[at]);
    if (answer == -ESRCH && list.count > 1) odst_detail(step, ", and by every other interface");
  }
}

static long open_device(const odst_kernel *kernel, odst_attempt *attempt) {
  long fd = kernel->open(kernel, "/dev/npf", O_RDONLY);
  odst_record(attempt, "open", "/dev/npf", fd < 0 ? fd : 0);
  return fd;
}

static void lookup(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  if (flow->fd >= 0 && !odst_flow_ask(kernel, flow, attempt)) return;
  long fd = open_device(kernel, attempt);
  if (fd < 0) return;
  if (strlen(flow->interface) == 0) ask_everywhere(kernel, (int)fd, flow, attempt);
  else ask_on(kernel, (int)fd, flow, flow->interface, attempt);
  kernel->close(kernel, (int)fd);
}

/* A connection between documentation addresses exists nowhere: ESRCH is the table speaking. */
static void probe(const odst_kernel *kernel, const odst_question *question,
                  odst_attempt *attempt) {
  odst_flow flow = {.fd = -1,
                    .protocol = question->protocol,
                    .peer = odst_foreign_endpoint(question->family),
                    .local = odst_foreign_endpoint(question->family)};
  long fd = open_device(kernel, attempt);
  if (fd < 0) return;
  int version = 0;
  long answer = kernel->ioctl(kernel, (int)fd, IOC_NPF_VERSION, &version);
  odst_record_value(attempt, "ioctl", "/dev/npf IOC_NPF_VERSION", answer, (uint32_t)version);
  if (answer >= 0 && version == NPF_VERSION) ask_on(kernel, (int)fd, &flow, "lo0", attempt);
  kernel->close(kernel, (int)fd);
}

const odst_mechanism odst_npf = {
    .name = "npf",
    .lookup = lookup,
    .probe = probe,
};
