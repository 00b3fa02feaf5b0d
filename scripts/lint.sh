#!/bin/sh
# Everything that reads the sources without running them, but for the type checker (npm run types).
# All of it is run, so that one look shows all there is to mend.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/node_modules/.bin:$PATH
export PATH
failed=0

biome check --error-on-warnings --diagnostic-level=warn || failed=1

for script in scripts/*.sh; do
  sh -n "$script" || failed=1
done

# -W style is the strictest level: it reports what renders differently in another mdoc reader.
# Which other pages are installed is no fault of ours.
set -- man/*.[1-9]
if [ -e "$1" ]; then
  faults=$(mandoc -T lint -W style "$@" 2>/dev/null | grep -v 'referenced manual not found' || true)
  if [ -n "$faults" ]; then
    printf '%s\n' "$faults"
    failed=1
  fi
fi

exit "$failed"
