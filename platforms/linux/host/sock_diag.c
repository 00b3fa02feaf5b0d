/*
 * sock_diag.c - the sockets of a namespace, sock_diag(7): every uid's, no privilege needed.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "../tcp_info.h"
#include "attempt.h"
#include "host.h"

enum { ANSWER_SIZE = 32768 };

static void read_endpoint(const struct inet_diag_msg *message, const uint32_t words[4],
                          uint16_t port, odst_endpoint *endpoint) {
  static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const uint8_t *bytes = (const uint8_t *)words;
  const uint8_t *at = (const uint8_t *)&port;
  memset(endpoint, 0, sizeof *endpoint);
  endpoint->port = (uint16_t)(at[0] << 8 | at[1]);
  bool is_mapped =
      message->idiag_family == AF_INET6 && memcmp(bytes, mapped, sizeof mapped) == 0;
  endpoint->family = message->idiag_family == AF_INET || is_mapped ? 4 : 6;
  memcpy(endpoint->address, is_mapped ? bytes + sizeof mapped : bytes,
         endpoint->family == 4 ? 4 : 16);
  if (endpoint->family == 6) endpoint->scope = message->id.idiag_if;
}

/* The payload of an attribute and its size; NULL when the answer has none of that type. */
static const unsigned char *find_attribute(const unsigned char *at, size_t left, uint16_t type,
                                           size_t *size) {
  struct nlattr head;
  while (left >= sizeof head) {
    memcpy(&head, at, sizeof head);
    if (head.nla_len < sizeof head || head.nla_len > left) return NULL;
    *size = head.nla_len - sizeof head;
    if (head.nla_type == type) return at + sizeof head;
    size_t step = NLA_ALIGN(head.nla_len);
    if (step > left) return NULL;
    at += step;
    left -= step;
  }
  return NULL;
}

/* INET_DIAG_SOCKOPT is in every answer since Linux 5.10; before, the bit is not to be had. */
static bool read_transparent(const unsigned char *attributes, size_t length) {
  struct inet_diag_sockopt bits;
  size_t size;
  const unsigned char *at = find_attribute(attributes, length, INET_DIAG_SOCKOPT, &size);
  if (at == NULL || size < sizeof bits) return false;
  memcpy(&bits, at, sizeof bits);
  return bits.transparent;
}

static bool read_opened(const unsigned char *attributes, size_t length) {
  size_t size;
  const unsigned char *at = find_attribute(attributes, length, INET_DIAG_INFO, &size);
  return at != NULL && odst_tcp_opener(at, size) == ODST_OPENER_SELF;
}

static void read_socket(const unsigned char *body, size_t length, uint8_t protocol,
                        odst_socket_visitor visit, void *context) {
  struct inet_diag_msg message;
  if (length < sizeof message) return;
  memcpy(&message, body, sizeof message);
  const unsigned char *attributes = body + sizeof message;
  size_t left = length - sizeof message;
  odst_socket socket = {
      .family = message.idiag_family == AF_INET ? 4 : 6,
      .protocol = protocol,
      .state = message.idiag_state,
      .transparent = read_transparent(attributes, left),
      .opened = protocol == ODST_TCP && read_opened(attributes, left),
      .uid = message.idiag_uid,
      .inode = message.idiag_inode,
  };
  read_endpoint(&message, message.id.idiag_src, message.id.idiag_sport, &socket.local);
  read_endpoint(&message, message.id.idiag_dst, message.id.idiag_dport, &socket.peer);
  visit(context, &socket);
}

/* Reads one datagram; true when the dump is over, with the kernel's error in *error. */
static bool read_datagram(const unsigned char *bytes, size_t length, uint8_t protocol,
                          odst_socket_visitor visit, void *context, long *error) {
  while (length >= NLMSG_HDRLEN) {
    struct nlmsghdr head;
    memcpy(&head, bytes, sizeof head);
    if (head.nlmsg_len < NLMSG_HDRLEN || head.nlmsg_len > length) return true;
    const unsigned char *body = bytes + NLMSG_HDRLEN;
    if (head.nlmsg_type == NLMSG_DONE) return true;
    if (head.nlmsg_type == NLMSG_ERROR) {
      int32_t code = -EPROTO;
      if (head.nlmsg_len >= NLMSG_HDRLEN + sizeof code) memcpy(&code, body, sizeof code);
      *error = code;
      return true;
    }
    read_socket(body, head.nlmsg_len - NLMSG_HDRLEN, protocol, visit, context);
    size_t step = NLMSG_ALIGN(head.nlmsg_len);
    if (step > length) return false;
    bytes += step;
    length -= step;
  }
  return false;
}

static long dump(const odst_kernel *kernel, int fd, uint8_t family, uint8_t protocol,
                 odst_socket_visitor visit, void *context) {
  struct {
    struct nlmsghdr head;
    struct inet_diag_req_v2 request;
  } question;
  memset(&question, 0, sizeof question);
  question.head.nlmsg_len = sizeof question;
  question.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.head.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  question.request.sdiag_family = family == 4 ? AF_INET : AF_INET6;
  question.request.sdiag_protocol = protocol;
  question.request.idiag_ext = 1 << (INET_DIAG_INFO - 1);
  question.request.idiag_states = ~0u;
  long answer = kernel->send(kernel, fd, &question, sizeof question, 0);
  long error = 0;
  bool over = false;
  while (answer >= 0 && !over) {
    _Alignas(struct nlmsghdr) unsigned char bytes[ANSWER_SIZE];
    answer = kernel->receive(kernel, fd, bytes, sizeof bytes, 0);
    if (answer == 0) answer = -EPROTO;
    if (answer > 0) over = read_datagram(bytes, (size_t)answer, protocol, visit, context, &error);
  }
  return error < 0 ? error : answer;
}

bool odst_visit_sockets(const odst_kernel *kernel, uint8_t family, uint8_t protocol,
                        odst_socket_visitor visit, void *context, odst_attempt *attempt) {
  long fd = kernel->socket(kernel, AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
  if (fd < 0) {
    odst_record(attempt, "socket", "NETLINK_SOCK_DIAG", fd);
    return false;
  }
  long answer = dump(kernel, (int)fd, family, protocol, visit, context);
  odst_record(attempt, "sock_diag dump", protocol == ODST_UDP ? "UDP sockets" : "TCP sockets",
              answer < 0 ? answer : 0);
  kernel->close(kernel, (int)fd);
  return answer >= 0;
}
