/*
 * conntrack-entries - puts made-up connections into the table of the network namespace that it runs
 * in, through ctnetlink, and takes them out again. For tests and benchmarks in private namespaces.
 *
 *   conntrack-entries add FIRST COUNT [plain]   mixed entries, or all of them redirected IPv4 TCP
 *   conntrack-entries delete FIRST COUNT [plain]
 *
 * Entry N always looks the same, so that whoever reads the table knows what has to be there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 256, MESSAGE = 512, LASTING = 86400 };

typedef struct {
  _Alignas(struct nlmsghdr) unsigned char bytes[BATCH * MESSAGE];
  size_t used;
} batch;

typedef struct {
  uint8_t family, protocol;
  uint8_t source[16], destination[16], target[16];
  uint16_t source_port, destination_port, target_port;
  uint16_t zone;
  uint32_t mark;
  bool redirected;
} entry;

static void *put(batch *b, uint16_t type, const void *value, size_t length) {
  struct nlattr *head = (struct nlattr *)(b->bytes + b->used);
  *head = (struct nlattr){.nla_len = (uint16_t)(sizeof *head + length), .nla_type = type};
  if (length > 0) memcpy(head + 1, value, length);
  b->used += NLA_ALIGN(sizeof *head + length);
  return head;
}

static struct nlattr *nest(batch *b, uint16_t type) { return put(b, type | NLA_F_NESTED, NULL, 0); }

static void end(batch *b, struct nlattr *head) {
  head->nla_len = (uint16_t)(b->bytes + b->used - (unsigned char *)head);
}

static void put8(batch *b, uint16_t type, uint8_t value) { put(b, type, &value, sizeof value); }

static void put16(batch *b, uint16_t type, uint16_t value) {
  uint16_t big = htons(value);
  put(b, type, &big, sizeof big);
}

static void put32(batch *b, uint16_t type, uint32_t value) {
  uint32_t big = htonl(value);
  put(b, type, &big, sizeof big);
}

/* Seven kinds in turn; IPv4 and IPv6; every other one redirected where it has ports. */
static entry make(uint32_t n, bool plain) {
  static const uint8_t protocols[] = {IPPROTO_TCP,     IPPROTO_UDP,  IPPROTO_TCP, IPPROTO_ICMP,
                                      IPPROTO_UDPLITE, IPPROTO_SCTP, IPPROTO_DCCP};
  entry e = {.family = plain || n % 3 != 0 ? AF_INET : AF_INET6,
             .protocol = plain ? IPPROTO_TCP : protocols[n % sizeof protocols],
             .source_port = (uint16_t)(1024 + n % 60000),
             .destination_port = (uint16_t)(plain ? 80 : 1 + n % 1000),
             .target_port = 8110,
             .zone = (uint16_t)(plain ? 0 : n % 11 == 0 ? 1 + n % 5 : 0),
             .mark = plain ? 0 : n % 13};
  uint32_t high = n / 60000;
  if (e.family == AF_INET) {
    memcpy(e.source, (uint8_t[]){10, (uint8_t)high, (uint8_t)(n >> 8), (uint8_t)n}, 4);
    memcpy(e.destination, (uint8_t[]){198, 18, (uint8_t)(n % 7), (uint8_t)(1 + n % 250)}, 4);
    memcpy(e.target, (uint8_t[]){192, 0, 2, 1}, 4);
  } else {
    inet_pton(AF_INET6, "2001:db8:1::", e.source);
    inet_pton(AF_INET6, "2001:db8:2::80", e.destination);
    inet_pton(AF_INET6, "2001:db8:1::1", e.target);
    e.source[12] = (uint8_t)high;
    e.source[14] = (uint8_t)(n >> 8);
    e.source[15] = (uint8_t)n;
    if (e.protocol == IPPROTO_ICMP) e.protocol = IPPROTO_ICMPV6;
  }
  bool echo = e.protocol == IPPROTO_ICMP || e.protocol == IPPROTO_ICMPV6;
  e.redirected = plain || (n % 2 == 0 && !echo);
  return e;
}

static void put_tuple(batch *b, const entry *e, bool reply) {
  bool four = e->family == AF_INET;
  size_t length = four ? 4 : 16;
  struct nlattr *tuple = nest(b, reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG);
  struct nlattr *ip = nest(b, CTA_TUPLE_IP);
  put(b, four ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, reply ? e->destination : e->source, length);
  put(b, four ? CTA_IP_V4_DST : CTA_IP_V6_DST, reply ? e->source : e->destination, length);
  end(b, ip);
  struct nlattr *proto = nest(b, CTA_TUPLE_PROTO);
  put8(b, CTA_PROTO_NUM, e->protocol);
  if (e->protocol == IPPROTO_ICMP) {
    put8(b, CTA_PROTO_ICMP_TYPE, reply ? 0 : 8);
    put8(b, CTA_PROTO_ICMP_CODE, 0);
    put16(b, CTA_PROTO_ICMP_ID, e->source_port);
  } else if (e->protocol == IPPROTO_ICMPV6) {
    put8(b, CTA_PROTO_ICMPV6_TYPE, reply ? 129 : 128);
    put8(b, CTA_PROTO_ICMPV6_CODE, 0);
    put16(b, CTA_PROTO_ICMPV6_ID, e->source_port);
  } else {
    put16(b, CTA_PROTO_SRC_PORT, reply ? e->destination_port : e->source_port);
    put16(b, CTA_PROTO_DST_PORT, reply ? e->source_port : e->destination_port);
  }
  end(b, proto);
  end(b, tuple);
}

static void put_redirection(batch *b, const entry *e) {
  bool four = e->family == AF_INET;
  struct nlattr *nat = nest(b, CTA_NAT_DST);
  put(b, four ? CTA_NAT_V4_MINIP : CTA_NAT_V6_MINIP, e->target, four ? 4 : 16);
  put(b, four ? CTA_NAT_V4_MAXIP : CTA_NAT_V6_MAXIP, e->target, four ? 4 : 16);
  struct nlattr *ports = nest(b, CTA_NAT_PROTO);
  put16(b, CTA_PROTONAT_PORT_MIN, e->target_port);
  put16(b, CTA_PROTONAT_PORT_MAX, e->target_port);
  end(b, ports);
  end(b, nat);
}

static void put_state(batch *b, uint8_t state) {
  struct nlattr *info = nest(b, CTA_PROTOINFO);
  struct nlattr *tcp = nest(b, CTA_PROTOINFO_TCP);
  put8(b, CTA_PROTOINFO_TCP_STATE, state);
  end(b, tcp);
  end(b, info);
}

static void put_message(batch *b, uint32_t n, bool add, bool plain) {
  entry e = make(n, plain);
  struct nlmsghdr *head = (struct nlmsghdr *)(b->bytes + b->used);
  *head = (struct nlmsghdr){
      .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | (add ? IPCTNL_MSG_CT_NEW : IPCTNL_MSG_CT_DELETE),
      .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (add ? NLM_F_CREATE | NLM_F_EXCL : 0)),
      .nlmsg_seq = n};
  struct nfgenmsg *generic = (struct nfgenmsg *)(head + 1);
  *generic = (struct nfgenmsg){.nfgen_family = e.family, .version = NFNETLINK_V0};
  b->used += sizeof *head + NLMSG_ALIGN(sizeof *generic);
  put_tuple(b, &e, false);
  if (e.zone != 0) put16(b, CTA_ZONE, e.zone);
  if (add) {
    put_tuple(b, &e, true);
    put32(b, CTA_TIMEOUT, LASTING);
    /* All assured, and none on its way out: of a table that is nearly full, gc_worker drops the others
     * (nf_conntrack_max95, tcp_can_early_drop). */
    put32(b, CTA_STATUS, IPS_CONFIRMED | IPS_ASSURED | (n % 5 != 0 || plain ? IPS_SEEN_REPLY : 0));
    put32(b, CTA_MARK, e.mark);
    if (e.redirected) put_redirection(b, &e);
    if (e.protocol == IPPROTO_TCP) put_state(b, plain ? TCP_CONNTRACK_ESTABLISHED
                                                      : (uint8_t)(TCP_CONNTRACK_SYN_SENT + n % 3));
  }
  head->nlmsg_len = (uint32_t)(b->bytes + b->used - (unsigned char *)head);
}

/* Only failures are answered, as nothing asks for an acknowledgement. */
static int send_batch(int fd, batch *b) {
  if (send(fd, b->bytes, b->used, 0) < 0) return -errno;
  b->used = 0;
  union {
    struct nlmsghdr head;
    unsigned char bytes[8192];
  } answer;
  while (recv(fd, &answer, sizeof answer, MSG_DONTWAIT) > 0) {
    struct nlmsgerr *error = NLMSG_DATA(&answer.head);
    if (answer.head.nlmsg_type == NLMSG_ERROR && error->error != 0) {
      fprintf(stderr, "entry %u: %s\n", answer.head.nlmsg_seq, strerror(-error->error));
      return error->error;
    }
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 4 || (strcmp(argv[1], "add") != 0 && strcmp(argv[1], "delete") != 0)) {
    fputs("usage: conntrack-entries add|delete FIRST COUNT [plain]\n", stderr);
    return 2;
  }
  bool add = strcmp(argv[1], "add") == 0;
  uint32_t first = (uint32_t)strtoul(argv[2], NULL, 10);
  uint32_t count = (uint32_t)strtoul(argv[3], NULL, 10);
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  if (fd < 0) return perror("socket"), 1;
  static batch b;
  for (uint32_t n = first; n < first + count; n++) {
    put_message(&b, n, add, argc > 4);
    if (b.used + MESSAGE > sizeof b.bytes && send_batch(fd, &b) < 0) return 1;
  }
  if (b.used > 0 && send_batch(fd, &b) < 0) return 1;
  return 0;
}
