/*
 * accept-rate - the least that a transparent proxy does for a connection, and clients for it.
 *
 *   accept-rate serve PORT COUNT WAVES     accepts, asks SO_ORIGINAL_DST, keeps; a word after each wave
 *   accept-rate storm ADDRESS PORT COUNT   connects one after the other, keeps all until stdin ends
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SO_ORIGINAL_DST = 80 }; /* linux/netfilter_ipv4.h, which clashes with netinet/in.h */

static void need(int condition, const char *what) {
  if (condition) return;
  perror(what);
  exit(1);
}

static void say(const char *word) {
  printf("%s\n", word);
  fflush(stdout);
}

static void serve(int port, int count, int waves) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int on = 1; /* the connections of the round before are still closing */
  need(setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0, "setsockopt");
  need(bind(listener, (struct sockaddr *)&here, sizeof here) == 0, "bind");
  need(listen(listener, 65535) == 0, "listen");
  say("ready");
  for (int at = 1; at <= count * waves; at++) {
    int fd = accept(listener, NULL, NULL);
    need(fd >= 0, "accept");
    struct sockaddr_in original;
    socklen_t length = sizeof original;
    need(getsockopt(fd, SOL_IP, SO_ORIGINAL_DST, &original, &length) == 0, "getsockopt");
    if (at % count == 0) say("done");
  }
}

static void storm(const char *address, int port, int count) {
  struct sockaddr_in there = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  need(inet_pton(AF_INET, address, &there.sin_addr) == 1, "address");
  for (int at = 0; at < count; at++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    need(fd >= 0, "socket");
    struct linger reset = {.l_onoff = 1}; /* no TIME_WAIT: the ports are needed for the next round */
    need(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset) == 0, "setsockopt");
    need(connect(fd, (struct sockaddr *)&there, sizeof there) == 0, "connect");
  }
  char byte;
  while (read(0, &byte, 1) > 0) continue;
}

int main(int argc, char **argv) {
  struct rlimit files;
  need(getrlimit(RLIMIT_NOFILE, &files) == 0, "getrlimit");
  files.rlim_cur = files.rlim_max;
  need(setrlimit(RLIMIT_NOFILE, &files) == 0, "setrlimit");
  if (argc == 5 && strcmp(argv[1], "serve") == 0)
    serve(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
  else if (argc == 5 && strcmp(argv[1], "storm") == 0) storm(argv[2], atoi(argv[3]), atoi(argv[4]));
  else return 2;
  return 0;
}
