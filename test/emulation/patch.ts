/** What the TPROXY 2 patch does to packets, by NAT rules on the gateway of a lab. */

import { endpoint } from '../../src/endpoint.ts';
import { CLIENT, GATEWAY, SERVER } from '../../src/lab/lab.ts';

export const WEB = 80;
export const PROXY = 8110;

/** A foreign address that the gateway is assigned to listen on. */
export const SERVICE = endpoint('203.0.113.7', 21);

/**
 * POSTROUTING: the source of a socket with ITP_CONNECT, which the emulation marks, becomes the foreign address.
 * PREROUTING: what goes to the foreign address of a listening socket, or matches the table, goes to the local one.
 */
export const PATCH = `
table ip patch {
  chain post { type nat hook postrouting priority srcnat;
    meta mark 0x7470 snat to ${CLIENT[4]}
  }
  chain pre { type nat hook prerouting priority dstnat;
    ip daddr ${SERVICE.address} tcp dport ${SERVICE.port} dnat to ${GATEWAY[4]}:2121
    iifname inside ip daddr ${SERVER[4]} tcp dport ${WEB} redirect to :${PROXY}
  }
}`;
