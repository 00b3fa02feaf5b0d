#!/bin/sh
# Makes a fresh checkout ready to run: system packages, npm packages, build.
#
#   scripts/setup.sh start|test|sanitize
#
# Called by `npm start`, `npm test` and `npm run test:sanitize`. One line on stderr for each thing it
# does, nothing where nothing is to do; where it cannot go on, it says what is missing and the command
# that mends it.
set -eu
cd "$(dirname "$0")/.."

# The Node that npm itself runs under; the project's scripts use the newer one of the npm package.
oldest_node=20
newer_node=22
npm_stamp=node_modules/.origdst-package-lock.json

# npm puts node_modules/.bin first in PATH. While node_modules is being replaced that Node comes and
# goes, so npm must not run on it.
plain_path() {
  plain=
  IFS=:
  for directory in $PATH; do
    case $directory in
      */node_modules/.bin) ;;
      *) plain=$plain${plain:+:}$directory ;;
    esac
  done
  unset IFS
  printf '%s' "$plain"
}

# True also when it does not run at all.
is_older_than() {
  version=$("$1" --version 2>/dev/null) || return 0
  version=${version#v}
  [ "${version%%.*}" -lt "$2" ]
}

are_npm_packages_here() { cmp -s package-lock.json "$npm_stamp"; }

check_node() {
  for command in node npm; do
    command -v "$command" >/dev/null 2>&1 ||
      stop "missing: $command (Node.js $oldest_node or newer, with npm)" 'see https://nodejs.org/en/download'
  done
  if is_older_than node "$oldest_node"; then
    stop "Node.js $oldest_node or newer is needed to start with; this is $(node --version)" \
      'see https://nodejs.org/en/download'
  fi
}

explain_npm_failure() {
  show_log
  if grep -Eq 'ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|E50[0-9]' "$log"; then
    registry=$(npm config get registry 2>/dev/null) || registry=
    stop "the npm registry cannot be reached: $registry" "npm ping --registry $registry"
  fi
  stop 'npm could not install what package-lock.json names' 'npm ci --include=dev'
}

install_npm_packages() {
  check_node
  # The directory itself is the lock: there is no file to leave behind. Waiting may have been enough.
  exec 9<.
  flock 9
  if ! are_npm_packages_here; then
    say 'npm packages (npm ci)'
    npm ci --include=dev --no-audit --no-fund --no-progress --no-update-notifier --loglevel=error \
      --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=8000 >"$log" 2>&1 </dev/null ||
      explain_npm_failure
    # The package `node` fetches its binary in an install script, which npm may have been told not to run.
    if is_older_than node_modules/.bin/node "$newer_node"; then
      stop 'the npm package "node" has no working binary: npm did not run its install script' \
        'npm rebuild --ignore-scripts=false node esbuild'
    fi
    cp package-lock.json "$npm_stamp"
  fi
  exec 9<&-
}

scripts/system-packages.sh "${1-}"
if ! are_npm_packages_here; then
  . scripts/messages.sh
  PATH=$(plain_path)
  export PATH
  install_npm_packages
fi
scripts/build.sh
