/*
 * sys/ioctl.h - how 4.4BSD packs an ioctl request: direction in the three highest bits, then the
 * size of the argument (13 bits), the group and the number.
 */
#ifndef ODST_ABI_SYS_IOCTL_H
#define ODST_ABI_SYS_IOCTL_H

#define IOC_OUT 0x40000000UL
#define IOC_IN 0x80000000UL

#define ODST_IOC(direction, group, number, type) \
  ((unsigned long)((direction) | ((sizeof(type) & 0x1fffUL) << 16) | ((group) << 8) | (number)))

#define _IOR(group, number, type) ODST_IOC(IOC_OUT, group, number, type)
#define _IOW(group, number, type) ODST_IOC(IOC_IN, group, number, type)
#define _IOWR(group, number, type) ODST_IOC(IOC_OUT | IOC_IN, group, number, type)

#endif
