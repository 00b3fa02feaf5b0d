#include "kernel_posix.h"

const odst_kernel odst_host_kernel = {ODST_POSIX_KERNEL};
