#!/bin/sh
# Compiles every C file of this system's build on its own, as strict C11 and without the flags of the
# build: a file that compiles only because of what another one defined is found here.
set -eu
cd "$(dirname "$0")/.."

os=$(uname -s | tr '[:upper:]' '[:lower:]')
folders=platforms/$os
case $os in *bsd) folders="$folders platforms/bsd" ;; esac

failed=0
for file in native/address.c native/kernel_posix.c "native/kernel_$os.c" $(find $folders -name '*.c' | sort); do
  "${CC:-gcc}" -std=c11 -Wall -Wextra -Werror -Inative -fsyntax-only "$file" || failed=1
done
exit "$failed"
