#!/bin/sh
# Leaves a process running outside the build's process group and session. A test finds it by its number of seconds.
if command -v setsid >/dev/null 2>&1; then
	setsid sleep 31314 >/dev/null 2>&1 </dev/null &
fi
exit 0
