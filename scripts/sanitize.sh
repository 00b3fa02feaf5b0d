#!/bin/sh
# Runs the tests against an addon built with AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   scripts/sanitize.sh [FILE...]        all unit, contract and live tests unless files are named
#
# A sanitizer's report ends the process that it happens in, so the test there fails and the report is
# printed with it. The last line is that of scripts/test.sh.
set -eu
cd "$(dirname "$0")/.."
scripts/setup.sh sanitize
scripts/build.sh sanitize

# ASan must be the first library of the process. LD_PRELOAD would see to that, but every program that
# the tests start would inherit it, and some (curl) hang at start-up then. So the library becomes a
# dependency of a copy of Node, and reaches nothing but Node and the Nodes that it starts.
build=build/asan
mkdir -p "$build/bin"
cp node_modules/node/bin/node "$build/bin/node"
patchelf --add-needed libubsan.so.1 --add-needed libasan.so.8 "$build/bin/node"

# No leak check: Node frees little when it exits, and the check could not tell that from ours. The
# backends allocate nothing that outlives a call.
ASAN_OPTIONS=detect_leaks=0:halt_on_error=1:exitcode=86:strict_string_checks=1:detect_stack_use_after_return=1
UBSAN_OPTIONS=halt_on_error=1:exitcode=86:print_stacktrace=1
export ASAN_OPTIONS UBSAN_OPTIONS

# Nothing would be tested if the loader fell back on the plain addon: ask the process what it mapped.
addon=$PWD/$build/Release/origdst.node
ORIGDST_NATIVE=$addon "$build/bin/node" --input-type=module -e '
  import { readFileSync } from "node:fs";
  const { requireNative } = await import(`${process.cwd()}/src/native.ts`);
  requireNative();
  const maps = readFileSync("/proc/self/maps", "utf8");
  process.exit(maps.includes(process.env.ORIGDST_NATIVE) && maps.includes("/libasan.so") ? 0 : 1);
' || {
  echo "sanitize: Node does not load $addon together with libasan" >&2
  exit 1
}

if [ $# -eq 0 ]; then
  set -- 'test/unit/**/*.test.ts' 'test/contract/**/*.test.ts' 'test/live/**/*.test.ts'
fi
export ORIGDST_TEST_BUILD=$build
exec scripts/test.sh "$@"
