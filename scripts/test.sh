#!/bin/sh
# Runs the tests: all of them, or the files that are named.
#
#   scripts/test.sh [FILE...]
#
# Node runs the TypeScript as it is. The last line is "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$0")/.."

if [ $# -eq 0 ] && [ "$(id -u)" -ne 0 ]; then
  echo 'The tests make network namespaces, run proxies in them, and change to other users: that takes root.' >&2
  echo 'All of them: sudo npm test      Those that need none: npm test -- test/unit/endpoint.test.ts' >&2
  echo '0 passed, 0 failed, 0 skipped'
  exit 1
fi

# Some tests run the command as `nobody`, who cannot reach a checkout below root's own home. The tests
# then see it in a public place, by a mount that nothing but them can see and that ends with them.
reachable() {
  setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$PWD/bin/run.js" 2>/dev/null
}
if [ "$(id -u)" -eq 0 ] && [ -z "${ORIGDST_TEST_MOUNTED-}" ] && ! reachable &&
  unshare --mount true 2>/dev/null; then
  place=$(mktemp -d /tmp/origdst-test.XXXXXX)
  trap 'rmdir "$place"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  chmod 755 "$place"
  # shellcheck disable=SC2016
  ORIGDST_TEST_MOUNTED=yes unshare --mount --propagation private sh -c '
    mount --bind "$PWD" "$0" && exec "$0/scripts/test.sh" "$@"' "$place" "$@" || exit $?
  exit 0
fi

# ORIGDST_TEST_BUILD: the folder of another build of the addon, and of the Node that it needs, to test
# instead of the plain ones (scripts/sanitize.sh makes one).
PATH=$PWD/node_modules/.bin:$PATH:/usr/sbin:/sbin
if [ -n "${ORIGDST_TEST_BUILD-}" ]; then
  PATH=$PWD/$ORIGDST_TEST_BUILD/bin:$PATH
  ORIGDST_NATIVE=$PWD/$ORIGDST_TEST_BUILD/Release/origdst.node
  export ORIGDST_NATIVE
fi
export PATH

# A golden file must not depend on the terminal, the language or the hints of whoever runs the tests.
unset FORCE_COLOR NO_COLOR CLICOLOR_FORCE NODE_OPTIONS NODE_TEST_CONTEXT
LC_ALL=C
TZ=UTC
export LC_ALL TZ

# test/live drives Linux; the BSDs have suites of their own, and NetBSD none.
case $(uname) in
  Linux) live='test/live/**/*.test.ts' ;;
  *) live=test/live-bsd/$(uname | tr '[:upper:]' '[:lower:]').test.ts ;;
esac
if [ $# -eq 0 ]; then
  set -- 'test/unit/**/*.test.ts' 'test/contract/**/*.test.ts' 'test/golden/**/*.test.ts' "$live"
fi

# Two files at a time: each live test drives namespaces and proxies of its own, and more of them
# at once only make one another miss their time limits. A file that hangs ends after ten minutes; not
# with --test-force-exit, which also ends files before all of their results have been written.
exec node --test --test-concurrency=2 --test-timeout=600000 \
  --test-reporter="$PWD/scripts/reporter.mjs" "$@"
