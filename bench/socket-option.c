/*
 * socket-option - the least that an original destination costs: getsockopt SO_ORIGINAL_DST of
 * descriptor 3, over and over.
 *
 *   socket-option COUNT      prints nanoseconds for each
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

int main(int argc, char **argv) {
  long count = argc > 1 ? atol(argv[1]) : 0;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  for (long n = 0; n < count; n++) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    if (getsockopt(3, SOL_IP, 80, &address, &length) < 0) return perror("getsockopt"), 1;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  printf("%.2f\n", ((end.tv_sec - begin.tv_sec) * 1e9 + (double)(end.tv_nsec - begin.tv_nsec)) /
                       (double)count);
  return 0;
}
