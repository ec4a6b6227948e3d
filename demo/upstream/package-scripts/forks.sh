#!/bin/sh
# Leaves a process behind, in the build's own process group. Find it by its number.
sleep 31313 >/dev/null 2>&1 </dev/null &
exit 0
