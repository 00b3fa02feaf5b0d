/*
 * ask.c - makes sockets and asks about them as it is told on standard input, one call a line. With it a
 * recording is asked again, call for call, lengths and bad pointers included.
 *
 *   namespace PATH                     what follows happens in that network namespace
 *   socket N DOMAIN TYPE PROTOCOL      numbers; N names the descriptor, 0 to 255
 *   pipe N | file N PATH | closed N    no socket; a descriptor that is closed
 *   share N                            SO_REUSEADDR
 *   bind N ADDRESS PORT | listen N | connect N ADDRESS PORT | accept LISTENER N | copy N M
 *   shut N | close N | reset N         shutdown in both directions; close; a close that sends RST
 *   names N                            getsockname and getpeername
 *   get N LEVEL OPTION LENGTH HOW      HOW: plain, value (a bad pointer), length (a bad pointer),
 *                                      nobody (as uid 65534), stranger (in a new user namespace)
 *   fill N LEVEL OPTION HEX            getsockopt, with this in the buffer before the call
 *   give N LEVEL OPTION HEX            setsockopt
 *
 * Each is answered by a line of JSON: {"result":…,"error":"ENOENT","length":…,"out":"hex"}.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DESCRIPTORS = 256, MOST = 128, PATIENCE_MS = 10000 };

static int descriptors[DESCRIPTORS];

static int *descriptor(unsigned number) {
  if (number >= DESCRIPTORS) exit(2);
  return &descriptors[number];
}

/* Right after the call: the error is in errno. */
static void answer(long result) {
  int error = errno;
  printf("{\"result\":%ld,\"error\":", result);
  if (result < 0) printf("\"%s\"}\n", strerrorname_np(error));
  else printf("null}\n");
}

static void made(unsigned number, int fd) {
  *descriptor(number) = fd;
  answer(fd < 0 ? -1 : 0);
}

static socklen_t write_address(int fd, const char *text, unsigned port,
                               struct sockaddr_storage *address) {
  struct sockaddr_in *four = (struct sockaddr_in *)address;
  struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
  int domain = 0;
  socklen_t length = sizeof domain;
  getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length);
  memset(address, 0, sizeof *address);
  address->ss_family = (sa_family_t)domain;
  if (domain == AF_INET) {
    four->sin_port = htons((uint16_t)port);
    if (inet_pton(AF_INET, text, &four->sin_addr) != 1) exit(2);
    return sizeof *four;
  }
  six->sin6_port = htons((uint16_t)port);
  if (inet_pton(AF_INET6, text, &six->sin6_addr) != 1) exit(2);
  return sizeof *six;
}

static void name(const char *key, long result, const struct sockaddr_storage *address) {
  char text[INET6_ADDRSTRLEN] = "";
  const struct sockaddr_in *four = (const struct sockaddr_in *)address;
  const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
  if (result == 0 && address->ss_family == AF_INET) {
    inet_ntop(AF_INET, &four->sin_addr, text, sizeof text);
    printf("\"%s\":\"%s:%u\"", key, text, ntohs(four->sin_port));
  } else if (result == 0 && address->ss_family == AF_INET6) {
    inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text);
    printf("\"%s\":\"[%s]:%u\"", key, text, ntohs(six->sin6_port));
  } else printf("\"%s\":null", key);
}

static void names(int fd) {
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  printf("{");
  name("local", getsockname(fd, (struct sockaddr *)&address, &length), &address);
  length = sizeof address;
  printf(",");
  name("peer", getpeername(fd, (struct sockaddr *)&address, &length), &address);
  printf("}\n");
}

static void get(int fd, int level, int option, unsigned char *value, int length, const char *how) {
  void *nowhere = (void *)8;
  int asked = length;
  int bad_value = strcmp(how, "value") == 0, bad_length = strcmp(how, "length") == 0;
  long result = getsockopt(fd, level, option, bad_value ? nowhere : value,
                           bad_length ? nowhere : (void *)&length);
  int error = errno;
  printf("{\"result\":%ld,\"error\":", result);
  if (result < 0) printf("\"%s\"", strerrorname_np(error));
  else printf("null");
  printf(",\"length\":%d,\"out\":\"", length);
  for (int at = 0; at < asked && at < MOST; at++) printf("%02x", value[at]);
  printf("\"}\n");
}

static void get_plain(int fd, int level, int option, int length, const char *how) {
  unsigned char value[MOST];
  memset(value, 0xaa, sizeof value);
  get(fd, level, option, value, length, how);
}

/* In a child, which becomes somebody else first. */
static void get_as(int fd, int level, int option, int length, const char *how) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    if (strcmp(how, "nobody") == 0 && setresuid(65534, 65534, 65534) != 0) _exit(1);
    if (strcmp(how, "stranger") == 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) _exit(1);
    get_plain(fd, level, option, length, how);
    fflush(stdout);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) exit(1);
}

static socklen_t read_hex(const char *hex, unsigned char *value) {
  socklen_t length = 0;
  while (length < MOST && sscanf(hex + 2 * length, "%2hhx", &value[length]) == 1) length++;
  return length;
}

static void give(int fd, int level, int option, const char *hex) {
  unsigned char value[MOST];
  socklen_t length = read_hex(hex, value);
  answer(setsockopt(fd, level, option, value, length));
}

static void fill(int fd, int level, int option, const char *hex) {
  unsigned char value[MOST];
  socklen_t length = read_hex(hex, value);
  get(fd, level, option, value, (int)length, "plain");
}

static void take(int listener, unsigned number) {
  struct pollfd waiting = {.fd = listener, .events = POLLIN};
  errno = ETIMEDOUT;
  made(number, poll(&waiting, 1, PATIENCE_MS) == 1 ? accept(listener, NULL, NULL) : -1);
}

static void share(int fd) {
  int on = 1;
  answer(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
}

static void reset(int fd) {
  struct linger now = {.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  answer(close(fd));
}

static void enter(const char *path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  answer(fd < 0 ? -1 : setns(fd, CLONE_NEWNET));
  close(fd);
}

static void make_pipe(unsigned number) {
  int ends[2];
  made(number, pipe(ends) == 0 ? ends[0] : -1);
}

static void bind_or_connect(const char *verb, int fd, const char *text, unsigned port) {
  struct sockaddr_storage address;
  socklen_t length = write_address(fd, text, port, &address);
  const struct sockaddr *to = (const struct sockaddr *)&address;
  if (strcmp(verb, "connect") == 0) {
    answer(connect(fd, to, length));
    return;
  }
  answer(bind(fd, to, length));
}

static void obey(const char *line) {
  char verb[16], text[64];
  unsigned n = 0;
  int a = 0, b = 0, c = 0;
  if (sscanf(line, "namespace %63s", text) == 1) enter(text);
  else if (sscanf(line, "socket %u %d %d %d", &n, &a, &b, &c) == 4) made(n, socket(a, b, c));
  else if (sscanf(line, "pipe %u", &n) == 1) make_pipe(n);
  else if (sscanf(line, "file %u %63s", &n, text) == 2) made(n, open(text, O_RDWR | O_CLOEXEC));
  else if (sscanf(line, "closed %u", &n) == 1) {
    *descriptor(n) = 1000;
    answer(0);
  } else if (sscanf(line, "listen %u", &n) == 1) answer(listen(*descriptor(n), 8));
  else if (sscanf(line, "accept %u %d", &n, &a) == 2) take(*descriptor(n), (unsigned)a);
  else if (sscanf(line, "copy %u %d", &n, &a) == 2) made((unsigned)a, dup(*descriptor(n)));
  else if (sscanf(line, "shut %u", &n) == 1) answer(shutdown(*descriptor(n), SHUT_RDWR));
  else if (sscanf(line, "share %u", &n) == 1) share(*descriptor(n));
  else if (sscanf(line, "close %u", &n) == 1) answer(close(*descriptor(n)));
  else if (sscanf(line, "reset %u", &n) == 1) reset(*descriptor(n));
  else if (sscanf(line, "names %u", &n) == 1) names(*descriptor(n));
  else if (sscanf(line, "get %u %d %d %d %63s", &n, &a, &b, &c, text) == 5) {
    int other = strcmp(text, "nobody") == 0 || strcmp(text, "stranger") == 0;
    (other ? get_as : get_plain)(*descriptor(n), a, b, c, text);
  } else if (sscanf(line, "fill %u %d %d %63s", &n, &a, &b, text) == 4)
    fill(*descriptor(n), a, b, text);
  else if (sscanf(line, "give %u %d %d %63s", &n, &a, &b, text) == 4)
    give(*descriptor(n), a, b, text);
  else if (sscanf(line, "%15s %u %63s %d", verb, &n, text, &a) == 4)
    bind_or_connect(verb, *descriptor(n), text, (unsigned)a);
  else exit(2);
}

int main(void) {
  static char line[256];
  setvbuf(stdout, NULL, _IOLBF, 0);
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    obey(line);
  }
  return 0;
}
