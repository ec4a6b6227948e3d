#!/bin/sh
# Leaves a process running in the build's process group. A test finds it by its number of seconds.
sleep 31313 >/dev/null 2>&1 </dev/null &
exit 0
