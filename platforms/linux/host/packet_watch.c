/*
 * packet_watch.c - the packets of one flow on every interface of a namespace, packet(7): those to
 * the peer, those from it, and the ICMP errors that quote one of the former.
 *
 * The filter is a classic BPF program (Documentation/networking/filter.rst), attached before the
 * socket is bound to any protocol, so that nothing else is ever copied out of the kernel. It holds
 * the peer's address and both ports, but not the local address: a NAT rule of this host may have
 * rewritten that one, and then it must still be seen. Needs CAP_NET_RAW.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <string.h>
#include <sys/socket.h>

#include "attempt.h"
#include "host.h"

enum { MAX_CODE = 64, HEADERS = 256 };
enum { IPPROTO_ICMP4 = 1, IPPROTO_ICMP6 = 58, ICMP_HEADER = 8 };

/* Where the fields of a network header stand: RFC 791 section 3.1, RFC 8200 section 3. */
typedef struct {
  uint16_t ethertype;
  uint8_t icmp;
  uint32_t protocol, source, destination, words;
  uint32_t length; /* of a header without options; those of the outer IPv4 header are counted */
} header_layout;

static const header_layout ipv4 = {ETH_P_IP, IPPROTO_ICMP4, 9, 12, 16, 1, 20};
static const header_layout ipv6 = {ETH_P_IPV6, IPPROTO_ICMP6, 6, 8, 24, 4, 40};

/* Alternatives of conditions: a condition that fails jumps to the next alternative. */
typedef struct {
  struct sock_filter code[MAX_CODE];
  uint16_t length, alternative;
} filter_program;

static void emit(filter_program *program, uint16_t code, uint32_t operand) {
  program->code[program->length++] = (struct sock_filter){.code = code, .k = operand};
}

static void require(filter_program *program, uint16_t load, uint32_t offset, uint32_t value) {
  emit(program, load, offset);
  emit(program, BPF_JMP | BPF_JEQ | BPF_K, value);
}

/* Ends an alternative: the packet is taken, and every condition since the last one leads here. */
static void accept_packet(filter_program *program) {
  emit(program, BPF_RET | BPF_K, HEADERS);
  for (uint16_t at = program->alternative; at < program->length; at++) {
    struct sock_filter *one = &program->code[at];
    uint8_t away = (uint8_t)(program->length - at - 1);
    if (one->code == (BPF_JMP | BPF_JEQ | BPF_K)) one->jf = away;
    if (one->code == (BPF_JMP | BPF_JSET | BPF_K)) one->jt = away;
  }
  program->alternative = program->length;
}

static void require_address(filter_program *program, const header_layout *header, uint16_t mode,
                            uint32_t offset, const odst_endpoint *endpoint) {
  for (uint32_t word = 0; word < header->words; word++) {
    uint32_t value;
    memcpy(&value, endpoint->address + 4 * word, sizeof value);
    require(program, BPF_LD | BPF_W | mode, offset + 4 * word, ntohl(value));
  }
}

/* The transport header of an unfragmented packet begins at the index register afterwards. */
static void require_transport(filter_program *program, const header_layout *header,
                              uint8_t protocol) {
  require(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL),
          header->ethertype);
  require(program, BPF_LD | BPF_B | BPF_ABS, header->protocol, protocol);
  if (header == &ipv6) {
    emit(program, BPF_LDX | BPF_W | BPF_IMM, ipv6.length);
    return;
  }
  emit(program, BPF_LD | BPF_H | BPF_ABS, 6);
  emit(program, BPF_JMP | BPF_JSET | BPF_K, 0x1fff); /* fragment offset: the rest has no ports */
  emit(program, BPF_LDX | BPF_B | BPF_MSH, 0);       /* header length, options and all */
}

static void require_ports(filter_program *program, uint32_t offset, uint16_t source,
                          uint16_t destination) {
  require(program, BPF_LD | BPF_H | BPF_IND, offset, source);
  require(program, BPF_LD | BPF_H | BPF_IND, offset + 2, destination);
}

static void write_filter(filter_program *program, const odst_flow *flow) {
  const header_layout *header = flow->peer.family == 4 ? &ipv4 : &ipv6;
  uint8_t protocol = (uint8_t)flow->protocol;
  uint16_t local = flow->local.port, peer = flow->peer.port;

  require_transport(program, header, protocol);
  require_address(program, header, BPF_ABS, header->destination, &flow->peer);
  require_ports(program, 0, local, peer);
  accept_packet(program);

  require_transport(program, header, protocol);
  require_address(program, header, BPF_ABS, header->source, &flow->peer);
  require_ports(program, 0, peer, local);
  accept_packet(program);

  /* RFC 792, RFC 4443 section 3: an error quotes the packet that it is about. */
  require_transport(program, header, header->icmp);
  require(program, BPF_LD | BPF_B | BPF_IND, ICMP_HEADER + header->protocol, protocol);
  require_address(program, header, BPF_IND, ICMP_HEADER + header->destination, &flow->peer);
  require_ports(program, ICMP_HEADER + header->length, local, peer);
  accept_packet(program);

  emit(program, BPF_RET | BPF_K, 0);
}

static long attach(const odst_kernel *kernel, int fd, filter_program *program,
                   odst_attempt *attempt) {
  struct sock_fprog filter = {.len = program->length, .filter = program->code};
  long answer =
      kernel->setsockopt(kernel, fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
  odst_record(attempt, "setsockopt", "SOL_SOCKET SO_ATTACH_FILTER", answer);
  if (answer < 0) return answer;
  /* ETH_P_ALL: a socket for one protocol is not shown what this host sends (net/core/dev.c). */
  struct sockaddr_ll all = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  answer = kernel->bind(kernel, fd, &all, sizeof all);
  odst_record(attempt, "bind", "AF_PACKET all interfaces", answer);
  return answer;
}

long odst_open_watch(const odst_kernel *kernel, const odst_flow *flow, odst_attempt *attempt) {
  /* Protocol 0: nothing arrives before the filter is there. */
  long fd = kernel->socket(kernel, AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  odst_record(attempt, "socket", "AF_PACKET", fd < 0 ? fd : 0);
  if (fd < 0) return fd;
  filter_program program = {.length = 0};
  write_filter(&program, flow);
  long answer = attach(kernel, (int)fd, &program, attempt);
  if (answer >= 0) return fd;
  kernel->close(kernel, (int)fd);
  return answer;
}
