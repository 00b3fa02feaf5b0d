/** Draws the conclusion: from what the socket was told first, from the wire where it was told nothing. */

import { type Explained, explained, type Facts } from './facts.ts';

export async function conclude(facts: Facts): Promise<Explained> {
  const last = facts.stages.at(-1);
  if (last === undefined) throw new Error('nothing was tried');
  const hasData = facts.received !== null && facts.received.length > 0;
  const isConnected = facts.request.protocol === 'tcp' && last.stage === 'data';
  const isSilent = last.verdict === 'waiting' && !isConnected && !hasData;
  // What reads the host's rules is only loaded where there is something to explain.
  if (isSilent) return (await import('./silence.ts')).concludeSilence(facts);
  if (last.verdict === 'failed' || last.verdict === 'denied') {
    return (await import('./refusal.ts')).concludeRefusal(facts, last);
  }
  return (await concludeWire(facts)) ?? concludeData(facts);
}

/** The socket was answered. Did the packets bear the addresses that were meant? */
async function concludeWire(facts: Facts): Promise<Explained | null> {
  const { sighting } = facts;
  if (sighting === null || (sighting.rewritten === null && sighting.sent !== null)) return null;
  const { sourceRewritten, targetRewritten } = await import('./rewritten.ts');
  return sighting.rewritten === null ? targetRewritten(facts) : sourceRewritten(facts, sighting.rewritten);
}

function concludeData({ request, received, isClosed }: Facts): Explained {
  const { expect, protocol } = request;
  const count = received?.length ?? 0;
  const isAnswered = expect === null || received?.includes(expect) === true;
  if (isAnswered) return explained('spoofed', 'spoofed', null, null);
  const end = isClosed ? ' and closed the connection' : ` within ${request.timeoutMs / 1000} s`;
  return explained(
    'unexpected-data',
    isClosed ? 'closed' : count === 0 ? 'no-data' : 'other-data',
    `${protocol === 'tcp' ? 'The connection' : 'The exchange'} from the foreign address works, but ‘${expect}’ did not ` +
      `come: the target sent ${count} bytes${end}.`,
    'origdst spoof-connect --json   # and the same arguments: “received” has what the target sent',
  );
}
