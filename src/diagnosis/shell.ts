/**
 * Words for sh(1). A remedy is run by root as it is printed, and names in it come from the host: a
 * comment of a rule or the name of an interface may hold anything, `$(…)` as well.
 */

const PLAIN = /^[A-Za-z0-9_@%+=:,./-]+$/;

export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** One word, quoted only where it has to be. */
export function shellWord(word: string): string {
  return PLAIN.test(word) ? word : quote(word);
}

/** The options of a rule as iptables-save(8) prints them, for a command line. */
export function shellWords(text: string): string {
  return splitWords(text).map(shellWord).join(' ');
}

/** Words as iptables-save(8) quotes them: xtables_save_string in iptables/libxtables/xtables.c. */
export function splitWords(text: string): string[] {
  const words = text.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
  return words.map((word) =>
    word.startsWith('"') && word.endsWith('"') ? word.slice(1, -1).replace(/\\(.)/g, '$1') : word,
  );
}

/** The inverse of `splitWords`. */
export function joinWords(words: readonly string[]): string {
  return words
    .map((word) => (/^[^\s"'\\]+$/.test(word) ? word : `"${word.replace(/["'\\]/g, '\\$&')}"`))
    .join(' ');
}

/** Control characters out of names would reach the terminal of whoever reads the report. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '?');
}
