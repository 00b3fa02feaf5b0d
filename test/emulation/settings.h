/*
 * settings.h - what the loader tells the emulation, and what the emulation counts. Shared by both.
 */
#ifndef EMULATION_SETTINGS_H
#define EMULATION_SETTINGS_H

#include <linux/types.h>

/* Which kernel is played. As loaded: one without CONFIG_IP_MROUTE and without any module. */
struct settings {
  __u32 ipfire;    /* the module is loaded */
  __u32 untracked; /* without connection tracking: SO_ORIGINAL_DST is not registered */
  __u32 tproxy2;   /* the version word of the TPROXY 2 patch, 0 without it */
};

/* What a careful program never does, or does not do often. */
struct counters {
  __u64 set_200;     /* setsockopt(SOL_IP, 200): MRT_INIT */
  __u64 get_200;     /* getsockopt(SOL_IP, 200) */
  __u64 logged;      /* of these, the ones for which the module writes a line to the kernel log */
  __u64 set_tproxy1; /* setsockopt(SOL_IP, 21 to 23 and 25), which TPROXY 1.2 had */
};

/* An entry of IPFIRE's table of destination translations, found by the accepting side. */
struct flow_key {
  __be32 peer, local;
  __be16 peer_port, local_port;
};
struct flow {
  __be32 address;
  __be16 port;
  __u8 stale[8]; /* what the module leaves in sin_zero: kernel memory that nobody wrote */
};

#endif
