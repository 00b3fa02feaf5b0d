// An esbuild plugin: the modules of @oclif/core are evaluated when they are first used, not when
// the bundle is loaded. A command needs a fifth of them; the rest (help, plugins, prompts) costs
// 8 to 10 ms of every start-up. TypeScript's CommonJS output makes this safe to do by name: each
// import is one constant `name_1` that is only ever read as `name_1.member`.
import { readFileSync } from 'node:fs';

const IMPORT = /^const (\w+) = ((?:__import\w+\()?require\("[^"]+"\)\)?);$/gm;

export const lazyRequire = {
  name: 'lazy-require',
  setup(build) {
    build.onLoad({ filter: /node_modules\/@oclif\/core\/lib\/.*\.js$/ }, ({ path }) => ({
      contents: makeLazy(readFileSync(path, 'utf8')),
      loader: 'js',
    }));
  },
};

function makeLazy(source) {
  const names = [];
  const declared = source.replace(IMPORT, (_, name, expression) => {
    names.push(name);
    return `let ${name}$module; const ${name}$lazy = () => (${name}$module ??= ${expression});`;
  });
  return names.reduce(
    (text, name) => text.replace(new RegExp(`(?<![.\\w$])${name}(?![\\w$])`, 'g'), `(${name}$lazy())`),
    declared,
  );
}
