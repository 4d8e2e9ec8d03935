# shellcheck shell=bash disable=SC1091,SC2154
# Takes back who is to stay after all; YARN forgets by itself who has left.
. /usr/local/lib/hadoop/lib.sh
. /usr/local/lib/hadoop/leave.sh

excluded "$data/exclude-yarn"
tell_yarn
