/*
 * replay.c - runs the backends of one BSD on Linux, against a kernel that replays recordings.
 *
 * Standard input holds cases, standard output gets a line of JSON for each:
 *
 *   case NAME                              call NAME ARGUMENTS
 *   ask MECHANISM OPERATION                in HEX          (any number, also of out)
 *   flow FD PROTOCOL RDOMAIN UNSAFE [IFNAME]   out HEX
 *   peer FAMILY HEX PORT                   result N        (-errno where the call failed)
 *   local FAMILY HEX PORT                  run
 *   question OPERATION FAMILY PROTOCOL
 *   control HEX                            what came with a datagram, for the operation `message`
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "mechanism.h"
#include "replay_kernel.h"

typedef struct {
  char name[256], mechanism[32], operation[16];
  odst_flow flow;
  odst_question question;
  _Alignas(8) unsigned char control[256];
  size_t control_length;
  replay_script script;
} replay_case;

bool replay_message(const odst_kernel *kernel, int fd, void *control, size_t length,
                    odst_endpoint *destination); /* message.c */

static void fail(const char *what, const char *line) {
  fprintf(stderr, "replay: %s: %s\n", what, line);
  exit(2);
}

static size_t read_hex(const char *text, unsigned char *bytes, size_t room) {
  size_t length = 0;
  unsigned byte;
  for (; isxdigit((unsigned char)text[0]); text += 2) {
    if (length == room || sscanf(text, "%2x", &byte) != 1) fail("bytes", text);
    bytes[length++] = (unsigned char)byte;
  }
  return length;
}

static odst_endpoint read_endpoint(const char *line) {
  odst_endpoint endpoint = {0};
  unsigned family, port;
  char address[64];
  if (sscanf(line, "%u %63s %u", &family, address, &port) != 3) fail("endpoint", line);
  endpoint.family = (uint8_t)family;
  endpoint.port = (uint16_t)port;
  read_hex(address, endpoint.address, sizeof endpoint.address);
  return endpoint;
}

static void read_flow(const char *line, odst_flow *flow) {
  int fd;
  unsigned protocol, rdomain, unsafe;
  char interface[ODST_INTERFACE] = "";
  if (sscanf(line, "%d %u %u %u %15s", &fd, &protocol, &rdomain, &unsafe, interface) < 4)
    fail("flow", line);
  flow->fd = fd;
  flow->protocol = (uint16_t)protocol;
  flow->rdomain = (uint16_t)rdomain;
  flow->unsafe = unsafe != 0;
  memcpy(flow->interface, interface, sizeof interface);
}

static replay_call *last_call(replay_script *script) {
  if (script->ncalls == 0) fail("no call", "");
  return &script->calls[script->ncalls - 1];
}

static void add_call(replay_script *script, const char *line) {
  if (script->ncalls == REPLAY_CALLS) fail("too many calls", line);
  replay_call *call = &script->calls[script->ncalls++];
  memset(call, 0, sizeof *call);
  if (sscanf(line, "%15s %95[^\n]", call->name, call->arguments) < 1) fail("call", line);
}

static void add_buffer(replay_buffer *buffers, size_t *count, const char *line) {
  if (*count == REPLAY_BUFFERS) fail("too many buffers", line);
  replay_buffer *buffer = &buffers[(*count)++];
  buffer->length = read_hex(line, buffer->bytes, sizeof buffer->bytes);
}

static void print_endpoint(const odst_endpoint *endpoint) {
  if (endpoint->family == 0) {
    printf("null");
    return;
  }
  printf("{\"family\":%u,\"port\":%u,\"hex\":\"", endpoint->family, endpoint->port);
  for (int at = 0; at < (endpoint->family == 4 ? 4 : 16); at++) printf("%02x", endpoint->address[at]);
  printf("\"}");
}

static void print_attempt(const replay_case *one, const odst_attempt *attempt) {
  odst_endpoint none = {0};
  printf("{\"name\":\"%s\",\"original\":", one->name);
  print_endpoint(attempt->found ? &attempt->original : &none);
  printf(",\"peer\":");
  print_endpoint(&one->flow.peer);
  printf(",\"local\":");
  print_endpoint(&one->flow.local);
  printf(",\"steps\":[");
  for (size_t at = 0; at < attempt->nsteps; at++) {
    const odst_step *step = &attempt->steps[at];
    printf("%s{\"call\":\"%s\",\"target\":\"%s\",\"result\":%ld,", at == 0 ? "" : ",", step->call,
           step->target, step->result);
    if (step->error == 0) printf("\"errno\":null,\"errorName\":null,");
    else printf("\"errno\":%d,\"errorName\":\"%s\",", step->error,
                step->error_name == NULL ? "?" : step->error_name);
    printf("\"detail\":\"%s\"}", step->detail);
  }
  printf("],\"mismatch\":\"%s\"}\n", one->script.mismatch);
}

static const odst_mechanism *find(const char *name) {
  for (size_t at = 0; odst_mechanisms[at] != NULL; at++)
    if (strcmp(odst_mechanisms[at]->name, name) == 0) return odst_mechanisms[at];
  fail("no such mechanism", name);
  return NULL;
}

static void run(replay_case *one) {
  const odst_mechanism *mechanism = find(one->mechanism);
  replay_script *script = &one->script;
  odst_kernel kernel = replay_kernel(script);
  odst_attempt attempt;
  memset(&attempt, 0, sizeof attempt);
  if (strcmp(one->operation, "lookup") == 0) mechanism->lookup(&kernel, &one->flow, &attempt);
  else if (strcmp(one->operation, "message") == 0)
    attempt.found = replay_message(&kernel, one->flow.fd, one->control, one->control_length,
                                   &attempt.original);
  else if (strcmp(one->operation, "prepare") == 0)
    mechanism->prepare(&kernel, one->flow.fd, &one->question, &attempt);
  else mechanism->probe(&kernel, &one->question, &attempt);
  size_t room = sizeof script->mismatch;
  if (script->mismatch[0] == '\0' && script->next != script->ncalls)
    snprintf(script->mismatch, room, "not asked: %s %s", script->calls[script->next].name,
             script->calls[script->next].arguments);
  if (script->mismatch[0] == '\0' && script->open_descriptors != 0)
    snprintf(script->mismatch, room, "%d descriptors left open", script->open_descriptors);
  if (script->mismatch[0] == '\0' && script->mappings != 0)
    snprintf(script->mismatch, room, "%d mappings left", script->mappings);
  print_attempt(one, &attempt);
}

static odst_operation read_operation(const char *name) {
  if (strcmp(name, "lookup") == 0) return ODST_LOOKUP;
  return strcmp(name, "accept") == 0 ? ODST_ACCEPT : ODST_SPOOF;
}

static void read_question(const char *line, odst_question *question) {
  char operation[16];
  unsigned family, protocol;
  if (sscanf(line, "%15s %u %u", operation, &family, &protocol) != 3) fail("question", line);
  question->operation = read_operation(operation);
  question->family = (uint8_t)family;
  question->protocol = (uint8_t)protocol;
}

static void begin(replay_case *one, const char *line) {
  replay_call *calls = one->script.calls;
  memset(one, 0, sizeof *one);
  one->script.calls = calls;
  one->flow.fd = -1;
  snprintf(one->name, sizeof one->name, "%s", line);
}

static void read_line(replay_case *one, char *line) {
  char *rest = line + strcspn(line, " ");
  if (*rest == ' ') *rest++ = '\0';
  replay_script *script = &one->script;
  if (strcmp(line, "case") == 0) begin(one, rest);
  else if (strcmp(line, "ask") == 0) sscanf(rest, "%31s %15s", one->mechanism, one->operation);
  else if (strcmp(line, "flow") == 0) read_flow(rest, &one->flow);
  else if (strcmp(line, "peer") == 0) one->flow.peer = read_endpoint(rest);
  else if (strcmp(line, "local") == 0) one->flow.local = read_endpoint(rest);
  else if (strcmp(line, "question") == 0) read_question(rest, &one->question);
  else if (strcmp(line, "control") == 0)
    one->control_length = read_hex(rest, one->control, sizeof one->control);
  else if (strcmp(line, "call") == 0) add_call(script, rest);
  else if (strcmp(line, "in") == 0) add_buffer(last_call(script)->in, &last_call(script)->nin, rest);
  else if (strcmp(line, "out") == 0) add_buffer(last_call(script)->out, &last_call(script)->nout, rest);
  else if (strcmp(line, "result") == 0) last_call(script)->result = strtol(rest, NULL, 10);
  else if (strcmp(line, "run") == 0) run(one);
  else fail("unknown line", line);
}

int main(void) {
  static char line[3 * REPLAY_BYTES];
  static replay_case one;
  one.script.calls = calloc(REPLAY_CALLS, sizeof *one.script.calls);
  if (one.script.calls == NULL) return 2;
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    if (line[0] != '\0') read_line(&one, line);
  }
  free(one.script.calls);
  return 0;
}
