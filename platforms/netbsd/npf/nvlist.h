/*
 * nvlist.h - packed name-value lists, as NPF's requests and answers are: a minimal encoder and a
 * decoder that does not trust its input. NetBSD does not install nv.h or its library's headers.
 *
 * Source: nv_impl.h, nvlist.c and nvpair.c of libnv (nvlist_pack). A list is a header and pairs;
 * numbers of the format are in the machine's order. A nested list has its own header, its pairs
 * follow in the same stream, and a pair of type 255 ends it. In what a kernel sends, the sizes of
 * nested lists also count what comes after them: only the end tells where they end.
 *
 *   list header   magic 'l', version 0, flags 0, u64 descriptors, u64 bytes that follow   19 bytes
 *   pair header   type, u16 name length with NUL, u64 datasize, u64 items; then name, data  19 bytes
 */
#ifndef ODST_NPF_NVLIST_H
#define ODST_NPF_NVLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { ODST_NV_NUMBER = 3, ODST_NV_STRING = 4, ODST_NV_LIST = 5, ODST_NV_BINARY = 7 };
enum { ODST_NV_UP = 255, ODST_NV_HEADER = 19, ODST_NV_MAGIC = 'l' };

/* A request is at most 326 bytes: two IPv6 addresses, an interface name of 15. */
typedef struct {
  unsigned char bytes[384];
  size_t used;
} odst_nv_writer;

static inline void odst_nv_put(odst_nv_writer *writer, const void *bytes, size_t length) {
  if (length > sizeof writer->bytes - writer->used) length = sizeof writer->bytes - writer->used;
  memcpy(writer->bytes + writer->used, bytes, length);
  writer->used += length;
}

/* Its size is filled in by odst_nv_end. Answers where the header begins. */
static inline size_t odst_nv_begin(odst_nv_writer *writer) {
  static const unsigned char header[ODST_NV_HEADER] = {ODST_NV_MAGIC};
  size_t at = writer->used;
  odst_nv_put(writer, header, sizeof header);
  return at;
}

static inline void odst_nv_end(odst_nv_writer *writer, size_t header) {
  uint64_t size = writer->used - header - ODST_NV_HEADER;
  memcpy(writer->bytes + header + 11, &size, sizeof size);
}

static inline void odst_nv_pair(odst_nv_writer *writer, uint8_t type, const char *name,
                                const void *data, size_t length) {
  unsigned char header[ODST_NV_HEADER] = {type};
  uint16_t name_length = (uint16_t)(strlen(name) + 1);
  uint64_t size = length;
  memcpy(header + 1, &name_length, sizeof name_length);
  memcpy(header + 3, &size, sizeof size);
  odst_nv_put(writer, header, sizeof header);
  odst_nv_put(writer, name, name_length);
  odst_nv_put(writer, data, length);
}

static inline void odst_nv_number(odst_nv_writer *writer, const char *name, uint64_t number) {
  odst_nv_pair(writer, ODST_NV_NUMBER, name, &number, sizeof number);
}

/* Bytes that are being read: the pairs of a list from some place on, or the data of one pair. */
typedef struct {
  const unsigned char *at;
  size_t left;
} odst_nv_bytes;

typedef struct {
  uint8_t type;
  const char *name;
  odst_nv_bytes data; /* of a list: its pairs, and all that follows them */
} odst_nv_member;

static inline bool odst_nv_open(const void *bytes, size_t length, odst_nv_bytes *list) {
  const unsigned char *at = bytes;
  if (length < ODST_NV_HEADER || at[0] != ODST_NV_MAGIC) return false;
  *list = (odst_nv_bytes){at + ODST_NV_HEADER, length - ODST_NV_HEADER};
  return true;
}

/* The next pair, which may be the first of a nested list or its end; false where it is not whole. */
static inline bool odst_nv_next(odst_nv_bytes *stream, odst_nv_member *member) {
  uint16_t name_length;
  uint64_t size;
  if (stream->left < ODST_NV_HEADER) return false;
  memcpy(&name_length, stream->at + 1, sizeof name_length);
  memcpy(&size, stream->at + 3, sizeof size);
  const unsigned char *name = stream->at + ODST_NV_HEADER;
  size_t rest = stream->left - ODST_NV_HEADER;
  if (name_length == 0 || name_length > rest || name[name_length - 1] != '\0') return false;
  rest -= name_length;
  if (size > rest) return false;
  *member = (odst_nv_member){stream->at[0], (const char *)name, {name + name_length, (size_t)size}};
  if (member->type == ODST_NV_LIST) {
    if (!odst_nv_open(name + name_length, rest, &member->data)) return false;
    *stream = member->data;
  } else {
    *stream = (odst_nv_bytes){name + name_length + size, rest - (size_t)size};
  }
  return true;
}

/* Finds a member of the list itself, not of the lists nested in it. */
static inline bool odst_nv_find(odst_nv_bytes list, uint8_t type, const char *name,
                                odst_nv_bytes *data) {
  odst_nv_member member;
  size_t depth = 0;
  while (odst_nv_next(&list, &member)) {
    if (depth == 0 && member.type == type && strcmp(member.name, name) == 0) {
      *data = member.data;
      return true;
    }
    if (member.type == ODST_NV_UP && depth-- == 0) return false;
    if (member.type == ODST_NV_LIST) depth++;
  }
  return false;
}

static inline bool odst_nv_find_number(odst_nv_bytes list, const char *name, uint64_t *number) {
  odst_nv_bytes data;
  if (!odst_nv_find(list, ODST_NV_NUMBER, name, &data) || data.left != sizeof *number) return false;
  memcpy(number, data.at, sizeof *number);
  return true;
}

#endif
