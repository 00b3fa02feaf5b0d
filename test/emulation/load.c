/*
 * load.c - attaches the emulation to a cgroup of its own, and does what standard input says.
 *
 *   load MODULES.bpf.o
 *
 * First it answers "cgroup PATH", a file: who writes a process id into it, puts that process into the
 * cgroup. Then a line for each of these, answered by "ok", or by what it prints:
 *
 *   set ipfire|untracked|tproxy2 NUMBER
 *   flow PEER PORT LOCAL PORT ORIGINAL PORT STALE      addresses dotted, STALE 16 hexadecimal digits
 *   forget                                             the flows
 *   counters                                           as JSON
 *
 * It ends with its standard input. What it attached goes with its descriptors, whatever ends it; the
 * cgroup is removed by a child that waits for that, detached (setsid). The cgroup hierarchy is
 * mounted in a mount namespace that nobody else is in, so that the host's is not touched.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "settings.h"

#define MOUNT "/sys/fs/cgroup"
enum { PATIENCE = 250, PAUSE_MICROSECONDS = 20000 };

static char folder[64];

static void fail(const char *what) {
  fprintf(stderr, "emulation: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* A new mount of the one cgroup v2 hierarchy, whatever the host mounts where. */
static void mount_cgroups(void) {
  if (unshare(CLONE_NEWNS) != 0) fail("unshare");
  if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) fail("mount --make-rprivate /");
  if (mount("cgroup2", MOUNT, "cgroup2", 0, NULL) != 0) fail("mount cgroup2");
}

static void kill_members(void) {
  char path[96];
  snprintf(path, sizeof path, "%s/cgroup.kill", folder); /* Linux 5.14 */
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (write(fd, "1", 1) < 0) perror("cgroup.kill");
  close(fd);
}

/* Waits for the end of the other end of the pipe, then removes the cgroup. */
static void sweep(int pipe_end) {
  char byte;
  while (read(pipe_end, &byte, 1) > 0) continue;
  for (int at = 0; at < PATIENCE; at++) {
    kill_members();
    if (rmdir(folder) == 0 || errno == ENOENT) break;
    usleep(PAUSE_MICROSECONDS);
  }
  _exit(0);
}

static void make_cgroup(void) {
  int ends[2];
  snprintf(folder, sizeof folder, MOUNT "/origdst-emulation-%d", (int)getpid());
  if (pipe2(ends, O_CLOEXEC) != 0) fail("pipe2");
  if (mkdir(folder, 0755) != 0) fail(folder);
  pid_t sweeper = fork();
  if (sweeper < 0) fail("fork");
  if (sweeper == 0) {
    setsid();
    close(ends[1]);
    close(0);
    close(1);
    sweep(ends[0]);
  }
  close(ends[0]);
}

static struct bpf_object *load(const char *path) {
  struct bpf_object *object = bpf_object__open_file(path, NULL);
  if (object == NULL) fail(path);
  if (bpf_object__load(object) != 0) fail("loading the programs");
  int group = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (group < 0) fail(folder);
  struct bpf_program *program;
  bpf_object__for_each_program(program, object) {
    if (bpf_program__attach_cgroup(program, group) == NULL) fail(bpf_program__name(program));
  }
  close(group);
  return object;
}

static int map_of(struct bpf_object *object, const char *name) {
  int fd = bpf_object__find_map_fd_by_name(object, name);
  if (fd < 0) fail(name);
  return fd;
}

static void set(int map, const char *name, __u32 number) {
  __u32 first = 0;
  struct settings settings;
  if (bpf_map_lookup_elem(map, &first, &settings) != 0) fail("settings");
  if (strcmp(name, "ipfire") == 0) settings.ipfire = number;
  else if (strcmp(name, "untracked") == 0) settings.untracked = number;
  else if (strcmp(name, "tproxy2") == 0) settings.tproxy2 = number;
  else fail(name);
  if (bpf_map_update_elem(map, &first, &settings, BPF_ANY) != 0) fail("settings");
}

static __be32 address(const char *text) {
  struct in_addr address;
  if (inet_pton(AF_INET, text, &address) != 1) fail(text);
  return address.s_addr;
}

static void add_flow(int map, const char *line) {
  char peer[16], local[16], original[16], stale[17];
  unsigned short ports[3];
  if (sscanf(line, "flow %15s %hu %15s %hu %15s %hu %16s", peer, &ports[0], local, &ports[1], original,
             &ports[2], stale) != 7)
    fail(line);
  struct flow_key key = {address(peer), address(local), htons(ports[0]), htons(ports[1])};
  struct flow flow = {.address = address(original), .port = htons(ports[2])};
  for (int at = 0; at < 8; at++) sscanf(stale + 2 * at, "%2hhx", &flow.stale[at]);
  if (bpf_map_update_elem(map, &key, &flow, BPF_ANY) != 0) fail("flow");
}

static void forget(int map) {
  struct flow_key key;
  while (bpf_map_get_next_key(map, NULL, &key) == 0)
    if (bpf_map_delete_elem(map, &key) != 0) fail("forget");
}

static void print_counters(int map) {
  __u32 first = 0;
  struct counters counters;
  if (bpf_map_lookup_elem(map, &first, &counters) != 0) fail("counters");
  printf("{\"set200\":%llu,\"get200\":%llu,\"logged\":%llu,\"setTproxy1\":%llu}\n", counters.set_200,
         counters.get_200, counters.logged, counters.set_tproxy1);
}

static void obey(struct bpf_object *object, const char *line) {
  char name[16];
  unsigned number;
  if (sscanf(line, "set %15s %u", name, &number) == 2) set(map_of(object, "settings"), name, number);
  else if (strncmp(line, "flow ", 5) == 0) add_flow(map_of(object, "flows"), line);
  else if (strcmp(line, "forget") == 0) forget(map_of(object, "flows"));
  else if (strcmp(line, "counters") == 0) {
    print_counters(map_of(object, "counters"));
    return;
  } else fail(line);
  puts("ok");
}

int main(int count, char **arguments) {
  static char line[256];
  if (count != 2) {
    fprintf(stderr, "usage: load MODULES.bpf.o\n");
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_DFL);
  libbpf_set_strict_mode(LIBBPF_STRICT_ALL);
  mount_cgroups();
  make_cgroup();
  struct bpf_object *object = load(arguments[1]);
  printf("cgroup /proc/%d/root%s/cgroup.procs\n", (int)getpid(), folder);
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    obey(object, line);
  }
  return 0;
}
