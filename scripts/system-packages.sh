#!/bin/sh
# Installs the system packages that are missing for a goal, through apt.
#
#   scripts/system-packages.sh start|test|sanitize|fuzz|cross
#
# Part of scripts/setup.sh. Silent, and without starting any process, when nothing is missing.
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin # where nft, ip and squid live, and a plain user's PATH may lack
export PATH

# What each goal needs, as COMMAND:PACKAGE. The command is looked for, so that whatever provides it
# will do; the Debian package is what gets installed when it is not found.
start_tools='g++:g++ cmake:cmake make:make nft:nftables ip:iproute2 iptables:iptables'
test_tools='conntrack:conntrack mandoc:mandoc squid:squid redsocks:redsocks sslsplit:sslsplit
  openssl:openssl curl:curl haproxy:haproxy dovecot:dovecot-core /usr/lib/dovecot/pop3:dovecot-pop3d
  clang-14:clang-14 /usr/include/bpf/libbpf.h:libbpf-dev bpftool:bpftool zsh:zsh fish:fish'
sanitize_tools='patchelf:patchelf'
cross_tools='python3:python3 /usr/lib/python3.11/ensurepip/__init__.py:python3-venv' # Debian 12's
llvm=/usr/lib/llvm-14/lib/clang/14.0.6 # Debian 12's
fuzz_tools="clang-14:clang-14 $llvm/include/fuzzer/FuzzedDataProvider.h:libclang-rt-14-dev"
# Packages that would start a service, as SERVICE:PACKAGE. The tests want the programs alone.
services='squid:squid redsocks:redsocks haproxy:haproxy dovecot:dovecot-core'

policy=/usr/sbin/policy-rc.d
policy_mark='# Written for a moment by the set-up of origdst, to install:'
lock=/run/origdst-setup.lock
installing= # the packages of an installation that is under way

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
  pattern=
  for service in $services; do pattern=$pattern${pattern:+|}${service%%:*}'*'; done
  (
    set -C
    printf '#!/bin/sh\n%s %s\ncase $1 in %s) exit 101 ;; esac\n' \
      "$policy_mark" "$installing" "$pattern" >"$policy"
  ) 2>/dev/null && chmod 755 "$policy" || true
}

is_our_policy() { grep -qsF "$policy_mark" "$policy"; }

# Nor may a service come up at the next boot, or because somebody else's policy let it. Only what was
# installed here: a service that was there before is the administrator's.
end_installation() {
  for service in $services; do
    case " $installing " in *" ${service#*:} "*) ;; *) continue ;; esac
    update-rc.d "${service%%:*}" disable || true
    invoke-rc.d "${service%%:*}" stop || true
  done >>"$log" 2>&1
  installing=
  if is_our_policy; then rm -f "$policy"; fi
}

# A run that was killed outright left its policy behind. What apt still does then holds the lock.
tidy_up_after_the_killed() {
  is_our_policy && [ "$(id -u)" -eq 0 ] || return 0
  exec 8>"$lock"
  if flock -n 8 && is_our_policy; then
    installing=$(sed -n "s/^$policy_mark //p" "$policy")
    end_installation
  fi
  exec 8>&-
}

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 </dev/null
}

# The package lists may be absent or out of date. A source that has nothing to do with us may be out
# of reach, so that it is not the update that counts, but whether the second installation works.
install() {
  apt install --no-install-recommends $installing && return 0
  apt update || true
  apt install --no-install-recommends $installing
}

case ${1-} in
  start) tools=$start_tools ;;
  test) tools="$start_tools $test_tools" ;;
  sanitize) tools="$start_tools $test_tools $sanitize_tools" ;;
  fuzz) tools=$fuzz_tools ;;
  cross) tools=$cross_tools ;;
  *) echo 'usage: scripts/system-packages.sh start|test|sanitize|fuzz|cross' >&2; exit 2 ;;
esac
look_for "$tools"
if [ -z "$missing" ] && [ ! -e "$policy" ]; then exit 0; fi

. scripts/messages.sh
# shellcheck disable=SC2329 # called on exit
cleanup() { if [ -n "$installing" ]; then end_installation; fi; }
tidy_up_after_the_killed
[ -n "$missing" ] || exit 0
by_hand="apt-get install --no-install-recommends $missing"
command -v apt-get >/dev/null 2>&1 ||
  stop "missing: $missing (Debian's names), and there is no apt-get on this system" \
    "install them with this system's package manager, then run this again"
[ "$(id -u)" -eq 0 ] || stop "missing: $missing; only root can install them" "sudo $by_hand"

exec 8>"$lock" # two checkouts must not take away each other's policy-rc.d
flock 8
look_for "$tools" # waiting may have been enough
[ -n "$missing" ] || exit 0
say "system packages: $missing"
installing=$missing
forbid_services
install || {
  show_log
  stop "apt-get could not install: $missing" "apt-get update && $by_hand"
}
end_installation
hash -r
look_for "$tools"
[ -z "$missing" ] || stop "installed, but still not found in PATH: $missing" "$by_hand --reinstall"
