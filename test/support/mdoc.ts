/** What an mdoc(7) page says, as far as the tests ask. */

import { readFileSync } from 'node:fs';

const FOLDER = new URL('../../man/', import.meta.url);

export function readPage(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8');
}

/** The macro lines of a page, in words. */
function macroLines(page: string): string[][] {
  return page
    .split('\n')
    .filter((line) => /^\.[A-Z%]/.test(line))
    .map((line) => line.slice(1).split(/\s+/));
}

/** The flags that follow `Fl` in a line: `.It Fl q , -quiet` has `q` and `-quiet`. */
function flagsOf(line: readonly string[]): string[] {
  let within = false;
  return line.filter((word) => {
    if (/^[A-Z][a-z]$/.test(word)) within = word === 'Fl';
    return within && /^-?[a-z]/.test(word);
  });
}

/** Every flag that a page speaks of, without `Fl`'s hyphen: `q`, `-quiet`. */
export function mentionedFlags(page: string): Set<string> {
  return new Set(macroLines(page).flatMap(flagsOf));
}

/** The flags that have an entry of their own in a list. */
export function describedFlags(page: string): Set<string> {
  return new Set(
    macroLines(page)
      .filter(([macro]) => macro === 'It')
      .flatMap(flagsOf),
  );
}

/** The lines of a page that are set as they stand: each a list, without the macros around it. */
export function literalBlocks(page: string): string[] {
  return [...page.matchAll(/^\.Bd -literal[^\n]*\n([\s\S]*?)^\.Ed$/gm)].map(([, text = '']) =>
    text.replaceAll('\\e', '\\').replaceAll('\\&', '').replaceAll('\\-', '-'),
  );
}

/** The text of one section. */
export function section(page: string, name: string): string {
  return part(page, `.Sh ${name}`, /^\.Sh /m);
}

/** The text of one subsection. */
export function subsection(page: string, name: string): string {
  return part(page, `.Ss ${name}`, /^\.S[hs] /m);
}

function part(page: string, heading: string, next: RegExp): string {
  const [, text] = page.split(`\n${heading}\n`);
  if (text === undefined) throw new Error(`the page has no ${heading}`);
  return text.split(next)[0] ?? '';
}

/** The pages that a page refers to, as `origdst.1`. */
export function references(page: string): string[] {
  return macroLines(page).flatMap((line) =>
    line.flatMap((word, index) => (word === 'Xr' ? [`${line[index + 1]}.${line[index + 2]}`] : [])),
  );
}
