/*
 * table-events - the least that events cost: counted and not looked into.
 *
 *   table-events COUNT BUFFER      prints a line when COUNT new entries were heard of, and waits
 */
#include <errno.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv) {
  static char bytes[32768];
  long count = argc > 2 ? atol(argv[1]) : 0;
  int size = argc > 2 ? atoi(argv[2]) : 0;
  int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
  struct sockaddr_nl groups = {.nl_family = AF_NETLINK, .nl_groups = NF_NETLINK_CONNTRACK_NEW};
  setsockopt(fd, SOL_SOCKET, 33 /* SO_RCVBUFFORCE */, &size, sizeof size);
  if (bind(fd, (void *)&groups, sizeof groups) < 0) return perror("bind"), 1;
  for (long heard = 0; heard < count; heard++)
    while (recv(fd, bytes, sizeof bytes, 0) < 0)
      if (errno != ENOBUFS && errno != EINTR) return perror("recv"), 1;
  puts("heard");
  fflush(stdout);
  pause();
  return 0;
}
