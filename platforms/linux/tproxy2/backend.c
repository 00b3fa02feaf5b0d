/*
 * tproxy2 - Balabit's TPROXY 2.0 for Linux 2.4 and 2.6: option IP_TPROXY with a structure that
 * names the operation. Source: linux/netfilter_ipv4/ip_tproxy.h of that patch.
 *
 * Only the version is asked for. TPROXY 1.2 used options 20 to 25, which today are other options
 * (20 is IP_ORIGDSTADDR, 24 IP_BIND_ADDRESS_NO_PORT): those numbers are never tried.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "attempt.h"

enum { IP_TPROXY = 11274, TPROXY_VERSION = 0 };

struct in_tproxy {
  uint32_t operation;
  union {
    uint32_t version; /* major << 24 | minor << 16 | patch */
    struct {
      uint32_t address;
      uint16_t port;
    } foreign;
    uint32_t flags;
  } value;
};
_Static_assert(sizeof(struct in_tproxy) == 12, "struct in_tproxy of ip_tproxy.h");

static void probe(const odst_kernel *kernel, const odst_question *question,
                  odst_attempt *attempt) {
  bool udp = question->protocol == ODST_UDP;
  long fd = kernel->socket(kernel, AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);
  odst_record(attempt, "socket", udp ? "AF_INET SOCK_DGRAM" : "AF_INET SOCK_STREAM",
              fd < 0 ? fd : 0);
  if (fd < 0) return;
  struct in_tproxy version = {.operation = TPROXY_VERSION};
  size_t length = sizeof version;
  long answer = kernel->getsockopt(kernel, (int)fd, SOL_IP, IP_TPROXY, &version, &length);
  odst_record_value(attempt, "getsockopt", "SOL_IP IP_TPROXY (TPROXY_VERSION)", answer,
                    version.value.version);
  kernel->close(kernel, (int)fd);
}

const odst_mechanism odst_tproxy2 = {
    .name = "tproxy2",
    .probe = probe,
};
