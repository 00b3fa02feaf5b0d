/** Addresses as reports carry them, and back. */

import { formatEndpoint } from '../endpoint.ts';
import type { LookupResult } from '../inquiry.ts';
import type { Endpoint } from '../verdict.ts';

export type Place = NonNullable<LookupResult['original']>;

export function endpointOf({ address, port }: Place): Endpoint {
  return { address, port, family: address.includes(':') ? 6 : 4 };
}

export function placeOf({ address, port }: Endpoint): Place {
  return { address, port };
}

export function formatPlace(place: Place): string {
  return formatEndpoint(endpointOf(place));
}
