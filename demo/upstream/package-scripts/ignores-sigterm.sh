#!/bin/sh
# Ignores SIGTERM and ends only on SIGKILL.
trap '' TERM INT HUP
while :; do sleep 1; done
