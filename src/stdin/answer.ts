/** What the table said to one line of `lookup --stdin`, as a line of JSON. */

import { netfilter } from '../../platforms/linux/netfilter/mechanism.ts';
import type { Native } from '../native.ts';
import type { ByteWriter } from '../table/byte-writer.ts';
import {
  ORIGINAL_DESTINATION,
  protocolName,
  RECORD_SIZE,
  REPLY_DESTINATION,
  REPLY_SOURCE,
  type Records,
} from '../table/record.ts';
import type { Endpoint, LookupVerdict, Step } from '../verdict.ts';

/** Far more than the addresses of one answer take; its other words are of known length. */
const LONGEST = 1024;
const text = (words: string) => new TextEncoder().encode(words);
const PROTOCOL = text('{"flow":{"protocol":"');
const PEER = text('","peer":{"address":"');
const PORT = text('","port":');
const LOCAL = text('},"local":{"address":"');
const ZONE = text(',"zone":');
const ORIGINAL = text('},"original":{"address":"');
const TRANSLATED = text(
  '},"verdict":"translated","reason":"translated","mechanism":"netfilter","evidence":[{"call":"ctnetlink get"' +
    ',"target":"conntrack","result":0,"errno":null,"errorName":null,"detail":"zone ',
);
const END = text('","mechanism":"netfilter"}],"cause":null,"remedy":null}\n');

/**
 * Writes the line and answers its verdict.
 * @param asked the question as it was put: its record of `answered` has become the entry
 * @param at index of both
 * @param netns the name of the namespace that was asked as JSON
 */
export function writeAnswer(
  writer: ByteWriter,
  native: Native,
  asked: Records,
  answered: Records,
  at: number,
  netns: string,
): LookupVerdict {
  writer.reserve(LONGEST + netns.length);
  const zone = asked.zone(at);
  writer.encoded(PROTOCOL);
  writer.ascii(protocolName(asked.protocol(at)));
  writePlace(writer, PEER, asked, at, REPLY_DESTINATION);
  writePlace(writer, LOCAL, asked, at, REPLY_SOURCE);
  writer.text(`},"pid":null,"fd":null,"process":null,"netns":${netns}`);
  writer.encoded(ZONE);
  writer.number(zone);
  const errno = answered.errno(at);
  if (errno === 0 && isTranslated(asked, answered, at)) {
    // The one answer of which there are millions: no object is made for it.
    writePlace(writer, ORIGINAL, answered, at, ORIGINAL_DESTINATION);
    writer.encoded(TRANSLATED);
    writer.number(zone);
    writer.encoded(END);
    return 'translated';
  }
  const step = stepOf(native, errno, zone);
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
  writer.text(`},${rest.slice(1)}\n`);
  return verdict;
}

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

function writePlace(
  writer: ByteWriter,
  head: Uint8Array,
  records: Records,
  at: number,
  endpoint: number,
): void {
  writer.encoded(head);
  records.writeAddress(writer, at, endpoint);
  writer.encoded(PORT);
  writer.number(records.port(at, endpoint));
}
