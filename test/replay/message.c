/*
 * message.c - hands recorded control messages to the reader of that system, as recvmsg(2) of that
 * system would: compiled, like the reader, against its headers.
 */
#include <sys/types.h>
#include <sys/socket.h>
#include <string.h>

#include "host.h"

bool replay_message(const odst_kernel *kernel, int fd, void *control, size_t length,
                    odst_endpoint *destination);

bool replay_message(const odst_kernel *kernel, int fd, void *control, size_t length,
                    odst_endpoint *destination) {
  struct msghdr header;
  memset(&header, 0, sizeof header);
  header.msg_control = control;
  header.msg_controllen = (socklen_t)length;
  return odst_message_destination(kernel, fd, &header, destination);
}
