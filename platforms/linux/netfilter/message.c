#include "message.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>
#include <sys/socket.h>

#include "entry.h"

long odst_receive(const odst_kernel *kernel, int fd, odst_answer *answer, int flags,
                  odst_messages *messages) {
  /* MSG_TRUNC answers the real length, netlink(7). */
  long length = kernel->receive(kernel, fd, answer->bytes, sizeof answer->bytes, flags | MSG_TRUNC);
  if (length == 0) length = -EPROTO;
  if (length > (long)sizeof answer->bytes) length = -EMSGSIZE;
  *messages = (odst_messages){answer->bytes, length < 0 ? 0 : (size_t)length};
  return length;
}

static bool is_entry(uint16_t type) {
  return type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW) ||
         type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE);
}

/* ctnetlink_conntrack_event(): a new entry's message has the flags of a creation. */
static odst_event event_of(const struct nlmsghdr *head) {
  if ((head->nlmsg_type & 0xff) == IPCTNL_MSG_CT_DELETE) return ODST_DESTROYED;
  return head->nlmsg_flags & NLM_F_CREATE ? ODST_NEW : ODST_UPDATED;
}

static long error_of(const unsigned char *body, size_t length, long missing) {
  int32_t error;
  if (length < sizeof error) return missing;
  memcpy(&error, body, sizeof error);
  /* An errno, and nothing that an unsigned or a sign change could make of it. */
  return error > 0 || error < -4095 ? -EPROTO : error;
}

odst_message odst_next_message(odst_messages *messages, odst_entry *entry) {
  odst_message message = {.kind = ODST_NO_MESSAGE};
  struct nlmsghdr head;
  if (messages->left < sizeof head) return message;
  memcpy(&head, messages->at, sizeof head);
  if (head.nlmsg_len < sizeof head || head.nlmsg_len > messages->left) {
    messages->left = 0;
    return message;
  }
  const unsigned char *body = messages->at + sizeof head;
  size_t length = head.nlmsg_len - sizeof head;
  size_t step = NLMSG_ALIGN((size_t)head.nlmsg_len);
  if (step > messages->left) step = messages->left;
  messages->at += step;
  messages->left -= step;
  message.sequence = head.nlmsg_seq;
  message.kind = ODST_OTHER;
  if (head.nlmsg_type == NLMSG_ERROR) {
    message.kind = ODST_ERROR;
    message.error = error_of(body, length, -EPROTO);
  } else if (head.nlmsg_type == NLMSG_DONE) {
    message.kind = ODST_DONE;
    message.error = error_of(body, length, 0);
  } else if (is_entry(head.nlmsg_type) && odst_entry_read(body, length, entry)) {
    message.kind = ODST_ENTRY;
    message.entry = entry;
    entry->event = (uint8_t)event_of(&head);
  }
  return message;
}
