#!/bin/sh
# Builds what is out of date: the native addon and the TypeScript.
#
#   scripts/build.sh                      both, each only when an input is newer than its last build
#   scripts/build.sh native|ts|sanitize   that part, whether or not it looks up to date
#
# One line on stderr for each part that is built; the compiler's output only when it fails.
set -eu
cd "$(dirname "$0")/.."
PATH=$PWD/node_modules/.bin:$PATH
export PATH

say() { printf 'build: %s\n' "$1" >&2; }

# Two runs at once would write the same object files. The directory itself is the lock, so that
# none is left behind; a system without flock has no second run to fear but the user's own.
lock() {
  exec 9<.
  if command -v flock >/dev/null 2>&1; then flock 9; fi
}

# is_fresh STAMP OUTPUT INPUT...: the output is there and no input is newer than the stamp. The stamp
# is taken *before* a build starts, so that a file saved in the middle of one counts as newer.
# Directories are inputs too: their time changes when a file is deleted.
is_fresh() {
  stamp=$1
  output=$2
  shift 2
  [ -e "$stamp" ] && [ -e "$output" ] || return 1
  ! find "$@" -newer "$stamp" \( -type d -o -name '*.[ch]' -o -name '*.cc' -o -name '*.ts' \
    -o -name '*.mjs' -o -name '*.js' -o -name CMakeLists.txt -o -name 'tsconfig*.json' \
    -o -name package.json -o -name .origdst-package-lock.json \) -print | grep -q .
}

# run NAME COMMAND...: quiet unless it fails, then everything it said.
run() {
  name=$1
  shift
  say "$name"
  mkdir -p build
  : >"build/$part.started"
  if ! "$@" >"build/$part.log" 2>&1 </dev/null; then
    cat "build/$part.log" >&2
    say "$name failed: $*"
    exit 1
  fi
  mv "build/$part.started" "build/$part.stamp"
}

# CMake refuses a build directory that was made for another place: a checkout that was moved.
forget_moved_build() {
  if [ -e "$1/CMakeCache.txt" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$PWD" "$1/CMakeCache.txt"; then
    rm -rf "$1"
  fi
}

native_inputs='native platforms CMakeLists.txt package.json'
ts_inputs='src platforms scripts tsconfig.json package.json'
packages=node_modules/.origdst-package-lock.json
if [ -e "$packages" ]; then
  native_inputs="$native_inputs $packages"
  ts_inputs="$ts_inputs $packages"
fi

build_native() {
  part=native
  forget_moved_build build
  run 'native addon' cmake-js compile -l warn -p 2
}

# The same addon with AddressSanitizer and UndefinedBehaviorSanitizer, beside the plain one.
build_sanitize() {
  part=sanitize
  forget_moved_build build/asan
  run 'native addon with sanitizers' cmake-js compile -l warn -p 2 -O build/asan --CDODST_SANITIZE=ON
}

build_ts() {
  part=ts
  run TypeScript node scripts/build-ts.mjs
}

lock
case ${1-all} in
  all)
    is_fresh build/native.stamp build/Release/origdst.node $native_inputs || build_native
    is_fresh build/ts.stamp dist $ts_inputs || build_ts
    ;;
  native | sanitize | ts) "build_$1" ;;
  *)
    echo 'usage: scripts/build.sh [native|ts|sanitize]' >&2
    exit 2
    ;;
esac
