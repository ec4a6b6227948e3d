#!/bin/sh
# Can only be killed.
trap '' TERM INT HUP
while :; do sleep 1; done
