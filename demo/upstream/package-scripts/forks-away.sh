#!/bin/sh
# Leaves a process behind that has left the build's process group and session. Find it by its number.
if command -v setsid >/dev/null 2>&1; then
	setsid sleep 31314 >/dev/null 2>&1 </dev/null &
fi
exit 0
