/*
 * mechanism.h - what every backend is: facts in, facts out.
 *
 * A backend never decides "supported". It records steps - the call, what it was aimed at, the
 * result, errno as number and as the name that *this* system gives it - and, where the kernel
 * named one, the original destination. Verdicts are drawn in TypeScript.
 */
#ifndef ODST_MECHANISM_H
#define ODST_MECHANISM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernel.h"

enum { ODST_MAX_STEPS = 24, ODST_DETAIL = 96, ODST_INTERFACE = 16 /* IFNAMSIZ */ };
enum { ODST_TCP = 6, ODST_UDP = 17, ODST_MPTCP = 262 }; /* as in SO_PROTOCOL */
enum { ODST_ZONE_ANY = -1 };                             /* search every conntrack zone */

typedef enum { ODST_LOOKUP, ODST_ACCEPT, ODST_SPOOF } odst_operation;

/* family: 4, 6, or 0 for "none". port in host order, address in network order (4 or 16 bytes). */
typedef struct {
  uint8_t family;
  uint16_t port;
  uint32_t scope; /* IPv6 interface index of a link-local address, else 0 */
  uint8_t address[16];
} odst_endpoint;

/*
 * A connection as the intercepting host sees it. With fd >= 0 the backend asks the socket and
 * fills in the addresses; with fd < 0 it has only the addresses and asks the kernel's tables.
 */
typedef struct {
  int fd;
  uint16_t protocol;
  int32_t zone; /* Linux conntrack zone, or ODST_ZONE_ANY; once found, the entry's zone */
  uint16_t rdomain; /* OpenBSD routing domain; a socket's own is asked for */
  bool unsafe;      /* may make a call that is known to panic kernels (IPFilter on FreeBSD) */
  char interface[ODST_INTERFACE]; /* where NPF saw it; empty: every interface is tried */
  odst_endpoint peer;
  odst_endpoint local;
} odst_flow;

typedef struct {
  const char *call;
  const char *target;
  long result;            /* as the call returned it; -1 on failure */
  int error;              /* errno, 0 on success */
  const char *error_name; /* this system's name for it, NULL on success */
  char detail[ODST_DETAIL];
} odst_step;

typedef struct {
  bool found;
  odst_endpoint original;
  odst_step steps[ODST_MAX_STEPS];
  size_t nsteps;
} odst_attempt;

/* Which row of the capability matrix is being asked about. */
typedef struct {
  odst_operation operation;
  uint8_t family;
  uint8_t protocol;
} odst_question;

typedef struct {
  const char *name;
  /* Original destination of the flow. */
  void (*lookup)(const odst_kernel *, odst_flow *, odst_attempt *);
  /* Makes a fresh socket able to accept for, or send from, a foreign address. Before bind(). */
  void (*prepare)(const odst_kernel *, int fd, const odst_question *, odst_attempt *);
  /* Gives a socket that is bound to an address of this host the foreign one: for mechanisms that
   * cannot bind to it. `target` is where it is about to connect to, family 0 if it is not told. */
  void (*assign)(const odst_kernel *, int fd, const odst_question *, const odst_endpoint *foreign,
                 const odst_endpoint *target, odst_attempt *);
  /* Does this kernel have it? Free of side effects, with a control where a call could lie. */
  void (*probe)(const odst_kernel *, const odst_question *, odst_attempt *);
} odst_mechanism;

/* All backends compiled for this system; the build generates the list (NULL-terminated). */
extern const odst_mechanism *const odst_mechanisms[];

#endif
