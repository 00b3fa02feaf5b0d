/*
 * tcp_info.h - which end of a TCP connection sent the SYN, as far as TCP_INFO tells.
 *
 * The acknowledged bytes count the SYN at the end that connects (tcp_snd_una_update) and not at the
 * one that accepts (tcp_create_openreq_child starts snd_una behind it); the sent bytes are data
 * alone (net/ipv4/tcp.c, tcp_get_info). The two can be compared while nothing is in flight and no FIN
 * was sent; the counters are there since Linux 4.19.
 */
#ifndef ODST_TCP_INFO_H
#define ODST_TCP_INFO_H

#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { ODST_TCP_ESTABLISHED = 1, ODST_TCP_CLOSE_WAIT = 8 }; /* include/net/tcp_states.h */

typedef enum { ODST_OPENER_UNKNOWN, ODST_OPENER_PEER, ODST_OPENER_SELF } odst_opener;

/* `info` as the kernel gave it, `length` bytes of it. */
static inline odst_opener odst_tcp_opener(const void *info, size_t length) {
  struct tcp_info tcp;
  const size_t needed = offsetof(struct tcp_info, tcpi_bytes_retrans) + sizeof tcp.tcpi_bytes_retrans;
  if (length < needed) return ODST_OPENER_UNKNOWN;
  memcpy(&tcp, info, needed);
  if (tcp.tcpi_state != ODST_TCP_ESTABLISHED && tcp.tcpi_state != ODST_TCP_CLOSE_WAIT)
    return ODST_OPENER_UNKNOWN;
  uint64_t sent = tcp.tcpi_bytes_sent - tcp.tcpi_bytes_retrans;
  if (tcp.tcpi_unacked != 0) return ODST_OPENER_UNKNOWN;
  if (tcp.tcpi_bytes_acked == sent + 1) return ODST_OPENER_SELF;
  return tcp.tcpi_bytes_acked == sent ? ODST_OPENER_PEER : ODST_OPENER_UNKNOWN;
}

#endif
