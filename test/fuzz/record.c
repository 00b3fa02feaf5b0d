/*
 * record.c - the seeds of corpus/: what the running kernel says to each kind of question, in the form
 * that netlink.c reads. Run in a private namespace that has a few connections (README.md).
 *
 *   record FOLDER
 */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LONGEST = 1400 }; /* some messages are enough, and a short seed is a fast one */

static const char *folder;

static void write_seed(const char *name, unsigned char who, const unsigned char *bytes, size_t length,
                       int with_length) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "wb");
  if (file == NULL) return perror(path);
  fputc(who, file);
  if (with_length) fprintf(file, "%c%c", (int)(length & 0xff), (int)(length >> 8));
  fwrite(bytes, 1, length, file);
  fclose(file);
}

/* The datagram up to the last message that ends before LONGEST, and the end of a dump. */
static size_t shorten(unsigned char *bytes, size_t length) {
  size_t used = 0;
  for (struct nlmsghdr *head = (struct nlmsghdr *)bytes; NLMSG_OK(head, length);
       head = NLMSG_NEXT(head, length)) {
    size_t end = (size_t)((unsigned char *)head - bytes) + NLMSG_ALIGN(head->nlmsg_len);
    if (end > LONGEST) break;
    used = end;
  }
  struct nlmsghdr done = {.nlmsg_len = sizeof done + 4, .nlmsg_type = NLMSG_DONE, .nlmsg_seq = 1};
  memcpy(bytes + used, &done, sizeof done);
  memset(bytes + used + sizeof done, 0, 4);
  return used + sizeof done + 4;
}

static void ask(int protocol, void *question, size_t length, const char *name) {
  _Alignas(struct nlmsghdr) unsigned char answer[65536];
  int fd = socket(AF_NETLINK, SOCK_RAW, protocol);
  if (fd < 0 || send(fd, question, length, 0) < 0) return perror(name);
  long got = recv(fd, answer, sizeof answer - 32, 0);
  close(fd);
  if (got <= 0) return perror(name);
  size_t used = shorten(answer, (size_t)got);
  static const char *const askers[] = {"get", "find", "table", "event", "events", "batch", "sockets"};
  char seed[64];
  for (unsigned char who = 0; who < 7; who++) {
    snprintf(seed, sizeof seed, "%s-%s", name, askers[who]);
    write_seed(seed, who, answer, used, 1);
  }
  struct nlmsghdr *head = (struct nlmsghdr *)answer;
  snprintf(seed, sizeof seed, "%s-body", name);
  write_seed(seed, 7, answer + NLMSG_HDRLEN, head->nlmsg_len - NLMSG_HDRLEN, 0);
}

int main(int argc, char **argv) {
  if (argc != 2) return fputs("usage: record FOLDER\n", stderr), 2;
  folder = argv[1];
  struct {
    struct nlmsghdr head;
    struct nfgenmsg generic;
  } dump = {{sizeof dump, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
             NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
            {AF_INET, NFNETLINK_V0, 0}};
  ask(NETLINK_NETFILTER, &dump, sizeof dump, "conntrack4");
  dump.generic.nfgen_family = AF_INET6;
  ask(NETLINK_NETFILTER, &dump, sizeof dump, "conntrack6");
  dump.head.nlmsg_flags = NLM_F_REQUEST; /* neither a dump nor a tuple: refused */
  ask(NETLINK_NETFILTER, &dump, sizeof dump, "refused");
  struct {
    struct nlmsghdr head;
    struct inet_diag_req_v2 request;
  } diag = {.head = {sizeof diag, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0},
            .request = {.sdiag_family = AF_INET, .sdiag_protocol = IPPROTO_TCP, .idiag_states = ~0u}};
  ask(NETLINK_SOCK_DIAG, &diag, sizeof diag, "sockets4");
  return 0;
}
