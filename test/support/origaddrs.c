/*
 * origaddrs.c - hands the addon's own reader of control messages a message of the TPROXY 2 patch, as the
 * patched kernel would have delivered it, and prints what it makes of it.
 *
 *   origaddrs HEX      the bytes of struct in_origaddrs
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "host.h"

int main(int count, char **arguments) {
  union {
    struct cmsghdr header;
    unsigned char bytes[CMSG_SPACE(64)];
  } control;
  struct msghdr message;
  odst_endpoint destination;
  size_t length = 0;
  if (count != 2) return 2;
  memset(&control, 0, sizeof control);
  while (length < 64 && sscanf(arguments[1] + 2 * length, "%2hhx", &CMSG_DATA(&control.header)[length]) == 1)
    length++;
  control.header.cmsg_level = 0;    /* SOL_IP */
  control.header.cmsg_type = 11273; /* IP_ORIGADDRS */
  control.header.cmsg_len = CMSG_LEN(length);
  memset(&message, 0, sizeof message);
  message.msg_control = &control;
  message.msg_controllen = CMSG_SPACE(length);
  memset(&destination, 0, sizeof destination);
  if (!odst_message_destination(NULL, 0, &message, &destination)) {
    puts("none");
    return 0;
  }
  printf("%u %u.%u.%u.%u:%u\n", destination.family, destination.address[0], destination.address[1],
         destination.address[2], destination.address[3], destination.port);
  return 0;
}
