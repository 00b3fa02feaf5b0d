/*
 * What the pinned headers say and the headers bundled with Zig 0.17.1 say as well. Written by
 * scripts/test-cross/run.ts --write; compiled against the pinned ones whenever the replay is built.
 */
#include <sys/param.h>
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <net/pfvar.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/ipl.h>
#include <netinet/ip_compat.h>
#include <netinet/ip_fil.h>
#include <netinet/ip_nat.h>
#include <net/npf.h>
#include <fcntl.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
typedef struct { void *buf; size_t len; int flags; } odst_nvlist_ref;
#define nvlist_ref_t odst_nvlist_ref

_Static_assert((uint32_t)EPERM == 1u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOENT == 2u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ESRCH == 3u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EINTR == 4u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EIO == 5u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENXIO == 6u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)E2BIG == 7u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOEXEC == 8u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EBADF == 9u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ECHILD == 10u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EDEADLK == 11u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOMEM == 12u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EACCES == 13u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EFAULT == 14u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOTBLK == 15u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EBUSY == 16u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EEXIST == 17u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EXDEV == 18u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENODEV == 19u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOTDIR == 20u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EISDIR == 21u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EINVAL == 22u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENFILE == 23u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EMFILE == 24u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOTTY == 25u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ETXTBSY == 26u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EFBIG == 27u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOSPC == 28u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ESPIPE == 29u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EROFS == 30u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EMLINK == 31u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EPIPE == 32u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EDOM == 33u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ERANGE == 34u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EAGAIN == 35u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EINPROGRESS == 36u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EALREADY == 37u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOTSOCK == 38u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EDESTADDRREQ == 39u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EMSGSIZE == 40u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EPROTOTYPE == 41u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOPROTOOPT == 42u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EPROTONOSUPPORT == 43u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ESOCKTNOSUPPORT == 44u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EOPNOTSUPP == 45u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EPFNOSUPPORT == 46u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EAFNOSUPPORT == 47u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EADDRINUSE == 48u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EADDRNOTAVAIL == 49u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENETDOWN == 50u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENETUNREACH == 51u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENETRESET == 52u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ECONNABORTED == 53u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ECONNRESET == 54u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOBUFS == 55u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EISCONN == 56u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOTCONN == 57u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ESHUTDOWN == 58u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ETOOMANYREFS == 59u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ETIMEDOUT == 60u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ECONNREFUSED == 61u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ELOOP == 62u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENAMETOOLONG == 63u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EHOSTDOWN == 64u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EHOSTUNREACH == 65u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOTEMPTY == 66u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EPROCLIM == 67u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EUSERS == 68u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EDQUOT == 69u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ESTALE == 70u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EPROGMISMATCH == 75u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOLCK == 77u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOSYS == 78u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EFTYPE == 79u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EAUTH == 80u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENEEDAUTH == 81u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EIDRM == 82u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOMSG == 83u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EOVERFLOW == 84u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EILSEQ == 85u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOTSUP == 86u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ECANCELED == 87u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EBADMSG == 88u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENODATA == 89u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ENOSR == 90u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)ETIME == 92u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)EPROTO == 96u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)O_RDONLY == 0u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)AF_INET == 2u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)AF_INET6 == 24u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)SOCK_STREAM == 1u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)SOCK_DGRAM == 2u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)SOCK_RAW == 3u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)SOL_SOCKET == 65535u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct sockaddr) == 16u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr, sa_len) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr, sa_family) == 1u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr, sa_data) == 2u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct msghdr) == 48u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct msghdr, msg_name) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct msghdr, msg_namelen) == 8u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct msghdr, msg_iov) == 16u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct msghdr, msg_iovlen) == 24u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct msghdr, msg_control) == 32u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct msghdr, msg_controllen) == 40u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct msghdr, msg_flags) == 44u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct cmsghdr) == 12u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct cmsghdr, cmsg_len) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct cmsghdr, cmsg_level) == 4u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct cmsghdr, cmsg_type) == 8u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IPPROTO_IP == 0u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IPPROTO_TCP == 6u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IPPROTO_UDP == 17u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IPPROTO_IPV6 == 41u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IPPROTO_RAW == 255u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IP_RECVDSTADDR == 7u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IP_BINDANY == 27u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IPV6_PKTINFO == 46u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IPV6_BINDANY == 64u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct in_addr) == 4u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct in_addr, s_addr) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct in6_addr) == 16u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct in6_addr, s6_addr) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct sockaddr_in) == 16u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr_in, sin_len) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr_in, sin_family) == 1u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr_in, sin_port) == 2u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr_in, sin_addr) == 4u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr_in, sin_zero) == 8u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct sockaddr_in6) == 28u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr_in6, sin6_len) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr_in6, sin6_family) == 1u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr_in6, sin6_port) == 2u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr_in6, sin6_flowinfo) == 4u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr_in6, sin6_addr) == 8u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct sockaddr_in6, sin6_scope_id) == 24u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IPFOBJ_NATLOOKUP == 9u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IPFOBJ_GENITER == 16u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IPFGENITER_NAT == 1u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)SIOCGENITER == 3224924764u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)SIOCIPFDELTOK == 3221516894u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(union i6addr) == 16u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(union i6addr, i6) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(union i6addr, in4) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(union i6addr, vptr) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct ipfobj) == 56u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ipfobj, ipfo_rev) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ipfobj, ipfo_size) == 4u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ipfobj, ipfo_ptr) == 8u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ipfobj, ipfo_type) == 16u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ipfobj, ipfo_offset) == 20u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ipfobj, ipfo_retval) == 24u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ipfobj, ipfo_xxxpad) == 28u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct ipfgeniter) == 16u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ipfgeniter, igi_type) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ipfgeniter, igi_nitems) == 4u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ipfgeniter, igi_data) == 8u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IPN_TCP == 1u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IPN_UDP == 2u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)SIOCGNATL == 3224924735u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct natlookup) == 64u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct natlookup, nl_inipaddr) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct natlookup, nl_outipaddr) == 16u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct natlookup, nl_realipaddr) == 32u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct natlookup, nl_v) == 48u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct natlookup, nl_flags) == 52u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct natlookup, nl_inport) == 56u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct natlookup, nl_outport) == 58u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct natlookup, nl_realport) == 60u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct nat) == 536u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct nat, nat_next) == 32u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct nat, nat_odst6) == 248u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct nat, nat_osrc6) == 264u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct nat, nat_ndst6) == 280u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct nat, nat_nsrc6) == 296u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct nat, nat_unold) == 344u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct nat, nat_unnew) == 400u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct nat, nat_use) == 456u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct nat, nat_pr) == 460u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct nat, nat_v) == 524u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct nat, nat_redir) == 532u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IPFILTER_VERSION == 5010200u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IFNAMSIZ == 16u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)SIOCGIFCONF == 3222300966u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct ifreq) == 144u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ifreq, ifr_name) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ifreq, ifr_ifru) == 16u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct ifconf) == 16u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ifconf, ifc_len) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct ifconf, ifc_ifcu) == 8u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)NPF_VERSION == 22u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IOC_NPF_VERSION == 1074024036u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)IOC_NPF_CONN_LOOKUP == 3222818412u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)DIOCNATLOOK == 3226223639u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)PF_INOUT == 0u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)PF_IN == 1u, "headers bundled with Zig 0.17.1");
_Static_assert((uint32_t)PF_OUT == 2u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct pf_addr) == 16u, "headers bundled with Zig 0.17.1");
_Static_assert(sizeof(struct pfioc_natlook) == 76u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct pfioc_natlook, saddr) == 0u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct pfioc_natlook, daddr) == 16u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct pfioc_natlook, rsaddr) == 32u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct pfioc_natlook, rdaddr) == 48u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct pfioc_natlook, sport) == 64u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct pfioc_natlook, dport) == 66u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct pfioc_natlook, rsport) == 68u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct pfioc_natlook, rdport) == 70u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct pfioc_natlook, af) == 72u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct pfioc_natlook, proto) == 73u, "headers bundled with Zig 0.17.1");
_Static_assert(offsetof(struct pfioc_natlook, direction) == 74u, "headers bundled with Zig 0.17.1");
