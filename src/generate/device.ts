/** `--interface NAME`, checked before it goes into a command of a shell. */

import { string } from '@oclif/core/flags';

export function deviceFlag(description: string) {
  return string({
    description,
    helpValue: 'NAME',
    parse: async (name) => {
      if (/^[A-Za-z0-9_.:@-]{1,15}$/.test(name) && !name.startsWith('-')) return name;
      throw new SyntaxError(`--interface '${name}' is no name of an interface`);
    },
  });
}
