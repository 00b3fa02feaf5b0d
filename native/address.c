#include "address.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "attempt.h"

/* 4.4BSD put a length byte first; Linux and illumos never took it. */
#if defined(__linux__) || defined(__sun)
#define ODST_SET_LENGTH(sockaddr, length) ((void)0)
#else
#define ODST_SET_LENGTH(sockaddr, length) ((sockaddr)->length = sizeof *(sockaddr))
#endif

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static uint16_t port_read(const void *field) {
  uint8_t bytes[2];
  memcpy(bytes, field, sizeof bytes);
  return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void port_write(void *field, uint16_t port) {
  uint8_t bytes[2] = {(uint8_t)(port >> 8), (uint8_t)port};
  memcpy(field, bytes, sizeof bytes);
}

uint8_t odst_sockaddr_family(const odst_sockaddr *address) {
  struct sockaddr head;
  memcpy(&head, address->bytes, sizeof head);
  if (head.sa_family == AF_INET) return 4;
  if (head.sa_family == AF_INET6) return 6;
  return 0;
}

bool odst_endpoint_read(const odst_sockaddr *address, size_t length, odst_endpoint *endpoint) {
  memset(endpoint, 0, sizeof *endpoint);
  if (odst_sockaddr_family(address) == 4 && length >= sizeof(struct sockaddr_in)) {
    struct sockaddr_in in;
    memcpy(&in, address->bytes, sizeof in);
    endpoint->family = 4;
    endpoint->port = port_read(&in.sin_port);
    memcpy(endpoint->address, &in.sin_addr, 4);
    return true;
  }
  if (odst_sockaddr_family(address) == 6 && length >= sizeof(struct sockaddr_in6)) {
    struct sockaddr_in6 in6;
    memcpy(&in6, address->bytes, sizeof in6);
    endpoint->port = port_read(&in6.sin6_port);
    if (memcmp(&in6.sin6_addr, mapped_prefix, sizeof mapped_prefix) == 0) {
      endpoint->family = 4;
      memcpy(endpoint->address, (const uint8_t *)&in6.sin6_addr + sizeof mapped_prefix, 4);
      return true;
    }
    endpoint->family = 6;
    endpoint->scope = in6.sin6_scope_id;
    memcpy(endpoint->address, &in6.sin6_addr, 16);
    return true;
  }
  return false;
}

size_t odst_endpoint_write(const odst_endpoint *endpoint, uint8_t family, odst_sockaddr *address) {
  memset(address, 0, sizeof *address);
  if (family == 4) {
    struct sockaddr_in in;
    memset(&in, 0, sizeof in);
    ODST_SET_LENGTH(&in, sin_len);
    in.sin_family = AF_INET;
    port_write(&in.sin_port, endpoint->port);
    memcpy(&in.sin_addr, endpoint->address, 4);
    memcpy(address->bytes, &in, sizeof in);
    return sizeof in;
  }
  struct sockaddr_in6 in6;
  memset(&in6, 0, sizeof in6);
  ODST_SET_LENGTH(&in6, sin6_len);
  in6.sin6_family = AF_INET6;
  port_write(&in6.sin6_port, endpoint->port);
  if (endpoint->family == 4) {
    memcpy(&in6.sin6_addr, mapped_prefix, sizeof mapped_prefix);
    memcpy((uint8_t *)&in6.sin6_addr + sizeof mapped_prefix, endpoint->address, 4);
  } else {
    memcpy(&in6.sin6_addr, endpoint->address, 16);
    in6.sin6_scope_id = endpoint->scope;
  }
  memcpy(address->bytes, &in6, sizeof in6);
  return sizeof in6;
}

bool odst_endpoint_equal(const odst_endpoint *a, const odst_endpoint *b) {
  return a->family == b->family && a->port == b->port &&
         memcmp(a->address, b->address, a->family == 4 ? 4 : 16) == 0;
}

static bool ask_name(const odst_kernel *kernel, int fd, const char *call,
                     long (*name)(const odst_kernel *, int, void *, size_t *),
                     odst_endpoint *endpoint, odst_attempt *attempt) {
  odst_sockaddr address;
  size_t length = sizeof address;
  memset(&address, 0, sizeof address);
  long answer = name(kernel, fd, &address, &length);
  odst_step *step = odst_record(attempt, call, "fd", answer);
  if (answer < 0) return false;
  if (!odst_endpoint_read(&address, length, endpoint)) {
    odst_detail(step, "not an IPv4 or IPv6 address");
    return false;
  }
  return true;
}

bool odst_flow_ask(const odst_kernel *kernel, odst_flow *flow, odst_attempt *attempt) {
  return ask_name(kernel, flow->fd, "getsockname", kernel->getsockname, &flow->local, attempt) &&
         ask_name(kernel, flow->fd, "getpeername", kernel->getpeername, &flow->peer, attempt);
}

odst_endpoint odst_foreign_endpoint(uint8_t family) {
  static const uint8_t foreign4[4] = {198, 51, 100, 77};
  static const uint8_t foreign6[16] = {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, [15] = 0x77};
  odst_endpoint endpoint;
  memset(&endpoint, 0, sizeof endpoint);
  endpoint.family = family;
  memcpy(endpoint.address, family == 4 ? foreign4 : foreign6, family == 4 ? 4 : 16);
  return endpoint;
}
