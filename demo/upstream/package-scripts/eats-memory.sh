#!/bin/sh
# Doubles a string until a gigabyte or so, and fails when that does not fit.
awk 'BEGIN { s = "0123456789abcdef"; while (length(s) < 1073741824) s = s s; print length(s) }' >/dev/null || exit 1
exit 0
