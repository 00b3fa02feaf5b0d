/** Random translation files and connections, from a seed. */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below `limit`. mulberry32. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 2 ** 32) * limit);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  of<T>(list: readonly T[]): T {
    const chosen = list[this.below(list.length)];
    if (chosen === undefined) throw new Error('nothing to choose from');
    return chosen;
  }
}

/** ORIGDST_SEED repeats a run. */
export function seed(): number {
  const given = process.env.ORIGDST_SEED;
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

export interface World {
  clients: readonly string[];
  targets: readonly string[];
  newAddresses: readonly string[];
  sourceAddresses: readonly string[];
  ports: readonly number[];
  devices: readonly string[];
}

export function randomFile(random: Random, world: World): string {
  const lines: string[] = random.chance(30) ? ['# a comment', ''] : [];
  const rules = 1 + random.below(8);
  for (let rule = 0; rule < rules; rule++) lines.push(...randomRule(random, world));
  lines.push('END');
  return `${lines.join('\n')}\n`;
}

function randomRule(random: Random, world: World): string[] {
  const direction = random.of(['PRE', 'PRE', 'PRE', 'PRE', 'OUTPUT', 'POST']);
  const lines = [`DIRECTION=${direction}`, `PROTOCOL=${random.of([6, 6, 6, 17, 17, 1])}`];
  if (random.chance(20)) lines.push(`NAME=${random.of(['pop3', 'the web', 'ünïcode'])}`);
  if (random.chance(10))
    lines.push(random.of(['POSITION=18', 'DPORT=80', 'KEEP_STATE=YES', '# mine', '', ' NAT=YES', 'TOS=16']));
  if (direction === 'PRE' && random.chance(15)) lines.push(`INDEVICE=${random.of(world.devices)}`);
  if (random.chance(40))
    lines.push(
      ...selector(random, 'SRCADDR', direction === 'OUTPUT' ? world.sourceAddresses : world.clients),
    );
  if (random.chance(60)) lines.push(...selector(random, 'DSTADDR', world.targets));
  if (random.chance(60)) lines.push(...selector(random, 'DSTPORT', world.ports.map(String)));
  if (random.chance(5)) lines.push('SRCPORT_NOT=1', 'SRCPORT2_NOT=7');
  if (direction === 'POST') {
    lines.push(random.of(['SNAT=YES', 'SNAT=YES', 'MASQUERADE=YES', 'NAT=YES']));
    if (random.chance(80)) lines.push(`NEWADDR=${random.of(world.sourceAddresses)}`);
    if (random.chance(25)) lines.push(`NEWPORT=${20000 + random.below(20000)}`);
  } else {
    if (!random.chance(5)) lines.push('NAT=YES');
    if (random.chance(85)) lines.push(`NEWADDR=${random.of(world.newAddresses)}`);
    if (random.chance(70)) lines.push(`NEWPORT=${random.of(world.ports)}`);
  }
  return ['RULE', ...lines];
}

function selector(random: Random, key: string, values: readonly string[]): string[] {
  const not = random.chance(40) ? '_NOT' : '';
  const first = `${key}${not}=${random.of(values)}`;
  if (random.chance(30)) return [first];
  if (random.chance(35)) {
    const end = key.endsWith('PORT') ? '' : not;
    return [first, `_END_${key}${end}=${random.of(values)}`];
  }
  const members = 1 + random.below(4);
  const lines = [first];
  for (let member = 0; member < members; member++)
    lines.push(`${key}${member + 2}${not}=${random.of(values)}`);
  return random.chance(5) ? lines.slice(1) : lines;
}
