/** Draws the conclusion: from what the socket was told first, from the wire where it was told nothing. */

import { formatEndpoint } from '../endpoint.ts';
import { type Explained, explained, type Facts } from './facts.ts';
import { concludeRefusal } from './refusal.ts';
import { concludeSilence, sourceRewritten } from './silence.ts';

export async function conclude(facts: Facts): Promise<Explained> {
  const last = facts.stages.at(-1);
  if (last === undefined) throw new Error('nothing was tried');
  const hasData = facts.received !== null && facts.received.length > 0;
  const isConnected = facts.request.protocol === 'tcp' && last.stage === 'data';
  if (last.verdict === 'waiting') {
    return isConnected || hasData ? concludeData(facts) : concludeSilence(facts);
  }
  if (last.verdict !== 'ok') return concludeRefusal(facts, last);
  return concludeWire(facts) ?? concludeData(facts);
}

/** The socket was answered. Did the packets bear the addresses that were meant? */
function concludeWire({ sighting, flow }: Facts): Explained | null {
  if (sighting === null) return null;
  if (sighting.rewritten !== null) return sourceRewritten(flow, sighting.rewritten);
  if (sighting.sent !== null) return null;
  return explained(
    'rewritten',
    'target-rewritten',
    `It was answered, but no packet to ${formatEndpoint(flow.peer)} left this host: a rule of its output redirected ` +
      'the request to somewhere else.',
    'nft list ruleset; iptables-save -t nat   # narrow the redirection in the output hook',
  );
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
