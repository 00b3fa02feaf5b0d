#!/bin/sh
# Runs the tests: all of them, or the files that are named.
#
#   scripts/test.sh [FILE...]
#
# Node runs the TypeScript as it is. The last line is "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/.."
# ORIGDST_TEST_BIN: the folder of another `node` to test with (scripts/sanitize.sh has one).
PATH=${ORIGDST_TEST_BIN:+$ORIGDST_TEST_BIN:}$PWD/node_modules/.bin:$PATH:/usr/sbin:/sbin
export PATH

# A golden file must not depend on the terminal, the language or the hints of whoever runs the tests.
unset FORCE_COLOR NO_COLOR CLICOLOR_FORCE NODE_OPTIONS NODE_TEST_CONTEXT
LC_ALL=C
TZ=UTC
export LC_ALL TZ

if [ $# -eq 0 ]; then
  set -- 'test/unit/**/*.test.ts' 'test/contract/**/*.test.ts' \
    'test/golden/**/*.test.ts' 'test/live/**/*.test.ts'
fi

# Two files at a time: each live test drives namespaces and proxies of its own, and more of them
# at once only make one another miss their time limits. No test takes minutes; one that hangs ends.
exec node --test --test-concurrency=2 --test-timeout=180000 --test-force-exit \
  --test-reporter="$PWD/scripts/reporter.mjs" "$@"
