#!/bin/sh
# Writes eight megabytes to each output stream.
yes 'noise on standard error, as a build that went wrong may make it' | head -c 8388608 >&2
yes 'noise on standard output' | head -c 8388608
exit 0
