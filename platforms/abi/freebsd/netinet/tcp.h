/* netinet/tcp.h - the system's own IPFilter headers want it first; it is empty here. */
