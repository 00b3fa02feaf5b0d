#!/bin/sh
# Loads the one built addon in every Node that this package promises to run on, and uses it there.
#
#   scripts/node-versions.sh [MAJOR...]      22, 24 and the project's own unless majors are named
#
# The other Nodes come from the npm registry into a temporary folder: the packages that hold nothing
# but the binary, because the package `node` needs an install script, which npm may forbid.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
PATH=$root/node_modules/.bin:$PATH
export PATH

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

[ $# -gt 0 ] || set -- 22 24
platform=$(node -p '`${process.platform}-${process.arch}`')
wanted=
for major in "$@"; do
  wanted="$wanted node$major@npm:node-$platform@$major"
done
(
  cd "$folder"
  echo '{ "private": true }' >package.json
  npm install --no-save --no-package-lock --no-audit --no-fund --ignore-scripts --loglevel=error \
    $wanted >npm.log 2>&1 </dev/null
) || {
  cat "$folder/npm.log" >&2
  echo "node-versions: could not install:$wanted" >&2
  exit 1
}

failed=0
for major in "$@"; do
  "$folder/node_modules/node$major/bin/node" scripts/check-node.mjs || {
    echo "node-versions: failed with Node $major" >&2
    failed=1
  }
done
node scripts/check-node.mjs || failed=1
exit "$failed"
