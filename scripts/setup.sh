#!/bin/sh
# Makes a fresh checkout ready to run: system packages, npm packages, build.
#
#   scripts/setup.sh start|test|sanitize
#
# Called by `npm start`, `npm test` and `npm run test:sanitize`. One line on stderr for each thing it does, nothing where
# nothing is to do; where it cannot go on, it says what is missing and the command that mends it.
set -eu
cd "$(dirname "$0")/.."

# What each goal needs, as COMMAND:PACKAGE. The command is looked for, so that whatever provides it
# will do; the Debian package is what gets installed when it is not found.
start_tools='g++:g++ cmake:cmake make:make nft:nftables ip:iproute2 iptables:iptables'
test_tools='conntrack:conntrack mandoc:mandoc squid:squid redsocks:redsocks sslsplit:sslsplit
  openssl:openssl curl:curl haproxy:haproxy dovecot:dovecot-core /usr/lib/dovecot/pop3:dovecot-pop3d'
sanitize_tools='patchelf:patchelf'
# Packages that would start a service of their own. The tests want the programs, not the services.
services='squid redsocks haproxy dovecot'
# The Node that npm itself runs under; the project's scripts use the newer one of the npm package.
oldest_node=20

policy=/usr/sbin/policy-rc.d
policy_mark='Written for a moment by origdst scripts/setup.sh'
policy_ours=no
npm_stamp=node_modules/.origdst-package-lock.json

say() { printf 'setup: %s\n' "$1" >&2; }

# stop WHAT-IS-MISSING [COMMAND-THAT-MENDS-IT]
stop() {
  say "$1"
  [ -z "${2-}" ] || printf 'setup: to mend it: %s\n' "$2" >&2
  exit 1
}

show_log() { tail -n 15 "$log" | sed 's/^/  | /' >&2; }

finish() {
  if [ "$policy_ours" = yes ]; then rm -f "$policy"; fi
  if [ -n "${log-}" ]; then rm -f "$log"; fi
}

# npm puts node_modules/.bin first in PATH. While node_modules is being replaced that Node comes and
# goes, so npm must not run on it. And nft, ip, squid live in directories a plain user's PATH lacks.
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
  printf '%s' "$plain:/usr/sbin:/sbin"
}

# Sets $missing to the packages of the tools that are not here.
look_for() {
  missing=
  for tool in $1; do
    command -v "${tool%%:*}" >/dev/null 2>&1 || missing=$missing${missing:+ }${tool#*:}
  done
}

# Debian starts a service as soon as it is installed, unless policy-rc.d forbids it. An existing one
# is the administrator's (or the container's) answer and stays as it is; noclobber sees to that.
forbid_services() {
  if grep -qs "$policy_mark" "$policy"; then
    policy_ours=yes # left by a run that was killed
  elif [ ! -e "$policy" ] && [ ! -L "$policy" ]; then
    policy_ours=yes
    pattern=$(printf '%s*|' $services)
    (set -C; printf '#!/bin/sh\n# %s\ncase $1 in %s) exit 101 ;; esac\n' \
      "$policy_mark" "${pattern%|}" >"$policy")
    chmod 755 "$policy"
  fi
}

# Nor may they come up at the next boot, or because somebody else's policy let them.
disable_services() {
  for service in $services; do
    case " $missing" in *" $service"*) ;; *) continue ;; esac # dovecot comes with dovecot-core
    update-rc.d "$service" disable >>"$log" 2>&1 || true
    if [ -d /run/systemd/system ]; then systemctl stop "$service" >>"$log" 2>&1 || true; fi
  done
}

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 </dev/null
}

install_system_packages() {
  look_for "$1"
  [ -n "$missing" ] || return 0
  install="apt-get install --no-install-recommends $missing"
  command -v apt-get >/dev/null 2>&1 ||
    stop "missing: $missing (Debian's names), and there is no apt-get on this system" \
      "install them with this system's package manager, then run this again"
  [ "$(id -u)" -eq 0 ] || stop "missing: $missing; only root can install them" "sudo $install"

  exec 8>/run/origdst-setup.lock # two checkouts must not take away each other's policy-rc.d
  flock 8
  look_for "$1"
  [ -n "$missing" ] || return 0
  say "system packages: $missing"
  forbid_services
  # The package lists may be absent or out of date; a source that has nothing to do with us may
  # be out of reach, so what counts is whether the second install works.
  apt install --no-install-recommends $missing || {
    apt update || true
    apt install --no-install-recommends $missing || {
      show_log
      stop "apt-get could not install: $missing" "apt-get update && $install"
    }
  }
  disable_services
  if [ "$policy_ours" = yes ]; then rm -f "$policy"; policy_ours=no; fi
  exec 8>&-
  hash -r
  look_for "$1"
  [ -z "$missing" ] || stop "installed, but still not found in PATH: $missing" "$install --reinstall"
}

node_is_older_than() {
  version=$("$1" --version 2>/dev/null) || return 0
  version=${version#v}
  [ "${version%%.*}" -lt "$2" ]
}

install_npm_packages() {
  ! cmp -s package-lock.json "$npm_stamp" || return 0
  command -v npm >/dev/null 2>&1 && command -v node >/dev/null 2>&1 ||
    stop "missing: Node.js $oldest_node or newer, with npm" 'see https://nodejs.org/en/download'
  if node_is_older_than node "$oldest_node"; then
    stop "Node.js $oldest_node or newer is needed to start with; this is $(node --version)" \
      'see https://nodejs.org/en/download'
  fi
  # The directory itself is the lock: there is no file to leave behind. Waiting may have been enough.
  exec 9<.
  flock 9
  ! cmp -s package-lock.json "$npm_stamp" || { exec 9<&-; return 0; }
  say 'npm packages (npm ci)'
  npm ci --include=dev --no-audit --no-fund --no-progress --loglevel=error \
    --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=8000 >"$log" 2>&1 </dev/null || {
    show_log
    registry=$(npm config get registry 2>/dev/null) || registry=
    if grep -Eq 'ENOTFOUND|EAI_AGAIN|ECONN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|E50[0-9]' "$log"; then
      stop "the npm registry cannot be reached: $registry" "npm ping --registry $registry"
    fi
    stop 'npm could not install what package-lock.json names' 'npm ci --include=dev'
  }
  # The package `node` fetches its binary in an install script, which npm may have been told not to run.
  if node_is_older_than node_modules/.bin/node 22; then
    stop 'the npm package "node" has no working binary: npm did not run its install script' \
      'npm rebuild --ignore-scripts=false node esbuild'
  fi
  cp package-lock.json "$npm_stamp"
  exec 9<&-
}

case ${1-} in
  start) tools=$start_tools ;;
  test) tools="$start_tools $test_tools" ;;
  sanitize) tools="$start_tools $test_tools $sanitize_tools" ;;
  *) echo 'usage: scripts/setup.sh start|test|sanitize' >&2; exit 2 ;;
esac
PATH=$(plain_path)
export PATH
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
log=$(mktemp)
install_system_packages "$tools"
install_npm_packages
scripts/build.sh
