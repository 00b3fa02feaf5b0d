/*
 * attempt.h - how a backend writes down what it did. Header only, so that a backend links alone.
 */
#ifndef ODST_ATTEMPT_H
#define ODST_ATTEMPT_H

#include <string.h>

#include "errno_name.h"
#include "mechanism.h"

static inline void odst_detail(odst_step *step, const char *text) {
  size_t used = strlen(step->detail);
  size_t room = ODST_DETAIL - 1 - used;
  size_t length = strlen(text);
  if (length > room) length = room;
  memcpy(step->detail + used, text, length);
  step->detail[used + length] = '\0';
}

static inline void odst_detail_number(odst_step *step, uint32_t number) {
  char digits[11];
  size_t at = sizeof digits - 1;
  digits[at] = '\0';
  do {
    digits[--at] = (char)('0' + number % 10);
    number /= 10;
  } while (number != 0);
  odst_detail(step, digits + at);
}

/*
 * Records one call. `answer` is what a kernel.h call returned: a result, or -errno.
 * Past ODST_MAX_STEPS the last step is overwritten: the newest failure is the one that matters.
 */
static inline odst_step *odst_record(odst_attempt *attempt, const char *call, const char *target,
                                     long answer) {
  if (attempt->nsteps < ODST_MAX_STEPS) attempt->nsteps++;
  odst_step *step = &attempt->steps[attempt->nsteps - 1];
  step->call = call;
  step->target = target;
  step->result = answer < 0 ? -1 : answer;
  step->error = answer < 0 ? (int)-answer : 0;
  step->error_name = answer < 0 ? odst_errno_name(step->error) : NULL;
  step->detail[0] = '\0';
  return step;
}

/* Records a call under the name `target` that had to answer with a flag; notes the flag's value. */
static inline odst_step *odst_record_value(odst_attempt *attempt, const char *call,
                                           const char *target, long answer, uint32_t value) {
  odst_step *step = odst_record(attempt, call, target, answer);
  if (answer >= 0) {
    odst_detail(step, "value ");
    odst_detail_number(step, value);
  }
  return step;
}

#endif
