#!/bin/sh
# Feeds hostile netlink answers to what reads them (test/fuzz/netlink.c), under libFuzzer,
# AddressSanitizer and UndefinedBehaviorSanitizer.
#
#   scripts/fuzz.sh [SECONDS]     30 by default; what it finds is written to build/fuzz/
#
# Every input of test/fuzz/corpus is run first. New inputs stay in build/fuzz/corpus.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-30}
scripts/system-packages.sh fuzz

folder=build/fuzz
mkdir -p "$folder/corpus" "$folder/found"
clang-14 -std=c11 -g -O1 -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined \
  -fno-sanitize-recover=all -Wall -Wextra -Werror -Inative -Iplatforms/linux/netfilter \
  -o "$folder/netlink" test/fuzz/netlink.c native/address.c \
  platforms/linux/netfilter/batch.c platforms/linux/netfilter/ctnetlink.c \
  platforms/linux/netfilter/dump.c platforms/linux/netfilter/entry.c \
  platforms/linux/netfilter/events.c platforms/linux/netfilter/message.c \
  platforms/linux/netfilter/request.c platforms/linux/host/sock_diag.c

# -timeout: no answer may take long, however hostile; a reader that loops is a fault too.
exec "$folder/netlink" -max_total_time="$seconds" -timeout=5 -max_len=40000 -len_control=0 \
  -print_final_stats=1 -verbosity="${FUZZ_VERBOSITY:-0}" -artifact_prefix="$folder/found/" \
  "$folder/corpus" test/fuzz/corpus
