/*
 * table-get - tuples as a C program asks for them with libnetfilter_conntrack: one after another, by the
 * direction that this library can ask for. They are the plain entries of test/support/conntrack-entries.c.
 *
 *   table-get COUNT
 */
#include <arpa/inet.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <stdio.h>
#include <stdlib.h>

static long found;

static int count_entry(enum nf_conntrack_msg_type type, struct nf_conntrack *entry, void *data) {
  (void)type;
  (void)data;
  found += nfct_get_attr_u16(entry, ATTR_ORIG_PORT_DST) == htons(80);
  return NFCT_CB_CONTINUE;
}

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 0;
  struct nfct_handle *handle = nfct_open(CONNTRACK, 0);
  if (handle == NULL) return perror("nfct_open"), 1;
  nfct_callback_register(handle, NFCT_T_ALL, count_entry, NULL);
  struct nf_conntrack *tuple = nfct_new();
  for (long n = 0; n < count; n++) {
    uint32_t client = 10u << 24 | (uint32_t)(n / 60000) << 16 | (uint32_t)(n & 0xffff);
    uint32_t server = 198u << 24 | 18u << 16 | (uint32_t)(n % 7) << 8 | (uint32_t)(1 + n % 250);
    nfct_set_attr_u8(tuple, ATTR_L3PROTO, AF_INET);
    nfct_set_attr_u8(tuple, ATTR_L4PROTO, IPPROTO_TCP);
    nfct_set_attr_u32(tuple, ATTR_IPV4_SRC, htonl(client));
    nfct_set_attr_u32(tuple, ATTR_IPV4_DST, htonl(server));
    nfct_set_attr_u16(tuple, ATTR_PORT_SRC, htons((uint16_t)(1024 + n % 60000)));
    nfct_set_attr_u16(tuple, ATTR_PORT_DST, htons(80));
    if (nfct_query(handle, NFCT_Q_GET, tuple) < 0) return perror("nfct_query"), 1;
  }
  printf("%ld\n", found);
  return found == count ? 0 : 1;
}
