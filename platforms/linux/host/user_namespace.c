/*
 * user_namespace.c - user_namespaces(7): tried out in a child, because a process of several threads
 * may neither make nor enter one (EINVAL), and because trying must not change this process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attempt.h"
#include "host.h"

enum { NEW_USER, MAP_USER, NEW_NETWORK, TRIALS };

static const char *const trials[TRIALS][2] = {
    {"unshare", "CLONE_NEWUSER"},
    {"write", "/proc/self/uid_map"},
    {"unshare", "CLONE_NEWNET"},
};

static int error_of(long result) { return result < 0 ? errno : 0; }

/* "0 UID 1": root inside is this user outside. Only async-signal-safe calls: this is after fork(). */
static int map_user(uid_t uid) {
  char digits[16] = "0 ";
  char text[24];
  size_t at = sizeof text;
  memcpy(text + sizeof text - 2, " 1", 2);
  at -= 2;
  do {
    text[--at] = (char)('0' + uid % 10);
    uid /= 10;
  } while (uid != 0);
  size_t length = sizeof text - at;
  memcpy(digits + 2, text + at, length);
  int fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = error_of(write(fd, digits, length + 2));
  close(fd);
  return error;
}

static void try_all(uid_t uid, int answers[TRIALS]) {
  answers[NEW_USER] = error_of(unshare(CLONE_NEWUSER));
  if (answers[NEW_USER] != 0) return;
  answers[MAP_USER] = map_user(uid);
  answers[NEW_NETWORK] = error_of(unshare(CLONE_NEWNET));
}

void odst_try_user_namespace(odst_attempt *attempt) {
  int answers[TRIALS] = {0};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) {
    odst_record(attempt, "pipe2", "child", -errno);
    return;
  }
  uid_t uid = geteuid();
  pid_t child = fork();
  if (child == 0) {
    try_all(uid, answers);
    _exit(write(ends[1], answers, sizeof answers) == sizeof answers ? 0 : 1);
  }
  long failed = child < 0 ? -errno : 0;
  close(ends[1]);
  ssize_t got;
  do got = child < 0 ? -1 : read(ends[0], answers, sizeof answers);
  while (got < 0 && child >= 0 && errno == EINTR);
  close(ends[0]);
  while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
  if (failed == 0 && got != (ssize_t)sizeof answers) failed = -EPIPE; /* ended by a signal: seccomp */
  if (failed != 0) {
    odst_record(attempt, "fork", "child", failed);
    return;
  }
  for (int trial = 0; trial < TRIALS; trial++) {
    odst_record(attempt, trials[trial][0], trials[trial][1], -answers[trial]);
    if (answers[NEW_USER] != 0) return;
  }
}

bool odst_end_with_parent(int parent, odst_attempt *attempt) {
  long answer = prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
  odst_record(attempt, "prctl", "PR_SET_PDEATHSIG", answer);
  return getppid() == parent;
}
