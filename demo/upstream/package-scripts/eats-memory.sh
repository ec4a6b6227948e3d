#!/bin/sh
# Doubles a string until it has about a gigabyte, and fails if memory has no room for it.
awk 'BEGIN { s = "0123456789abcdef"; while (length(s) < 1073741824) s = s s; print length(s) }' >/dev/null || exit 1
exit 0
