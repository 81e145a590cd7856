#!/bin/sh
# The toolstack's daemon, begun again whenever it ends, as a service manager would: daemon.sh LOG ARGUMENT...
log=$1
shift
{
    while :; do
        morgana daemon "$@"
        sleep 0.1
    done
} </dev/null >>"$log" 2>&1 &
until [ -S /run/morgana/socket ]; do sleep 0.05; done
