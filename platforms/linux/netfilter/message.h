/*
 * message.h - the netlink messages of one datagram, whose lengths are not trusted.
 */
#ifndef ODST_MESSAGE_H
#define ODST_MESSAGE_H

#include <linux/netlink.h>

#include "flows.h"

/* As much as the kernel puts into one datagram of a dump: netlink_dump() in net/netlink/af_netlink.c. */
enum { ODST_ANSWER_SIZE = 32768 };

typedef struct {
  _Alignas(struct nlmsghdr) unsigned char bytes[ODST_ANSWER_SIZE];
} odst_answer;

typedef enum {
  ODST_NO_MESSAGE, /* the datagram is read to its end, or malformed from here on */
  ODST_ENTRY,
  ODST_DONE,  /* the end of a dump */
  ODST_ERROR, /* the kernel's refusal, or with error 0 its acknowledgement */
  ODST_OTHER  /* nothing that was asked for */
} odst_message_kind;

typedef struct {
  odst_message_kind kind;
  uint32_t sequence;
  long error;       /* of ODST_ERROR and ODST_DONE: 0 or -errno */
  odst_entry *entry; /* of ODST_ENTRY: where it was written */
} odst_message;

typedef struct {
  const unsigned char *at;
  size_t left;
} odst_messages;

/* One datagram into `answer`: its length, or -errno; -EMSGSIZE when it is longer than any should be. */
long odst_receive(const odst_kernel *kernel, int fd, odst_answer *answer, int flags,
                  odst_messages *messages);

/* The next message. An entry is read into `entry`. */
odst_message odst_next_message(odst_messages *messages, odst_entry *entry);

#endif
