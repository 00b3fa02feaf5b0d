/* sys/param.h - asked for by the systems' own IPFilter headers; the backends need nothing of it. */
#include <sys/types.h>
