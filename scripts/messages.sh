# shellcheck shell=sh
# What the set-up scripts have in common: how they speak, and the log of what they call.
# To be sourced; $log is a file of the one run, and `cleanup` may be defined anew by who sources this.

say() { printf 'setup: %s\n' "$1" >&2; }

# stop WHAT-IS-WRONG [COMMAND-THAT-MENDS-IT]
stop() {
  say "$1"
  [ -z "${2-}" ] || printf 'setup: to mend it: %s\n' "$2" >&2
  exit 1
}

# The end of what a called program said, without the stack traces of npm.
show_log() { grep -Ev '^npm error( +at .*)?$' "$log" | tail -n 15 | sed 's/^/  | /' >&2; }

cleanup() { :; }

log=$(mktemp)
trap 'cleanup; rm -f "$log"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
