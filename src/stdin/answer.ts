/** What the table said to one line of `lookup --stdin`, as a line of JSON. */

import { netfilter } from '../../platforms/linux/netfilter/mechanism.ts';
import type { Native } from '../native.ts';
import {
  ORIGINAL_DESTINATION,
  protocolName,
  RECORD_SIZE,
  REPLY_DESTINATION,
  REPLY_SOURCE,
  type Records,
} from '../table/record.ts';
import type { Endpoint, LookupVerdict, Step } from '../verdict.ts';

export interface Answer {
  verdict: LookupVerdict;
  /** JSON, without the end of the line. */
  text: string;
}

/**
 * @param asked the question as it was put: its record of `answered` has become the entry
 * @param at index of both
 */
export function answerLine(
  native: Native,
  asked: Records,
  answered: Records,
  at: number,
  netns: string | null,
): Answer {
  const errno = answered.errno(at);
  const flow =
    `{"flow":{"protocol":"${protocolName(asked.protocol(at))}","peer":${place(asked, at, REPLY_DESTINATION)}` +
    `,"local":${place(asked, at, REPLY_SOURCE)},"pid":null,"fd":null,"process":null` +
    `,"netns":${JSON.stringify(netns)},"zone":${asked.zone(at)}}`;
  if (errno === 0 && isTranslated(asked, answered, at)) {
    // The one answer of which there are millions: no object is made for it.
    return {
      verdict: 'translated',
      text: `${flow},"original":${place(answered, at, ORIGINAL_DESTINATION)}${TRANSLATED}${asked.zone(at)}${END}`,
    };
  }
  const step = stepOf(native, errno, asked.zone(at));
  const { verdict, reason, cause, remedy } = conclude(asked, answered, at, step);
  const rest = JSON.stringify({
    original: null,
    verdict,
    reason,
    mechanism: 'netfilter',
    evidence: [{ ...step, mechanism: 'netfilter' }],
    cause,
    remedy,
  });
  return { verdict, text: `${flow},${rest.slice(1)}` };
}

const TRANSLATED =
  ',"verdict":"translated","reason":"translated","mechanism":"netfilter","evidence":[{"call":"ctnetlink get"' +
  ',"target":"conntrack","result":0,"errno":null,"errorName":null,"detail":"zone ';
const END = '","mechanism":"netfilter"}],"cause":null,"remedy":null}';

/** Neither the host's own end nor its peer is the original destination: concludeLookup says the same. */
function isTranslated(asked: Records, answered: Records, at: number): boolean {
  return (
    !sameEndpoint(asked, REPLY_SOURCE, answered, at) && !sameEndpoint(asked, REPLY_DESTINATION, answered, at)
  );
}

function sameEndpoint(asked: Records, endpoint: number, answered: Records, at: number): boolean {
  const one = (at * RECORD_SIZE + endpoint) >> 2;
  const other = (at * RECORD_SIZE + ORIGINAL_DESTINATION) >> 2;
  for (let word = 0; word < 6; word++) {
    if (asked.numbers[one + word] !== answered.numbers[other + word]) return false;
  }
  return true;
}

function conclude(asked: Records, answered: Records, at: number, step: Step) {
  if (netfilter.concludeLookup === undefined) throw new Error('netfilter has a lookup');
  return netfilter.concludeLookup({
    steps: [step],
    original: step.errorName === null ? endpointOf(answered, at, ORIGINAL_DESTINATION) : null,
    protocol: asked.protocol(at) === 17 ? 'udp' : 'tcp',
    peer: endpointOf(asked, at, REPLY_DESTINATION),
    local: endpointOf(asked, at, REPLY_SOURCE),
    zone: asked.zone(at),
  });
}

function stepOf(native: Native, errno: number, zone: number): Step {
  return {
    call: 'ctnetlink get',
    target: 'conntrack',
    result: errno === 0 ? 0 : -1,
    errno: errno === 0 ? null : errno,
    errorName: errno === 0 ? null : native.errorName(errno),
    detail: `zone ${zone}`,
  };
}

function endpointOf(records: Records, at: number, endpoint: number): Endpoint {
  return {
    address: records.address(at, endpoint),
    port: records.port(at, endpoint),
    family: records.family(at, endpoint),
  };
}

function place(records: Records, at: number, endpoint: number): string {
  return `{"address":"${records.address(at, endpoint)}","port":${records.port(at, endpoint)}}`;
}
