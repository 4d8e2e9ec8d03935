# shellcheck shell=bash disable=SC1091,SC2034,SC2154
# Takes back who is to stay after all; who has left stays excluded.
. /usr/local/lib/hadoop/lib.sh
. /usr/local/lib/hadoop/leave.sh

leaving=()
mapfile -t stay < <(stampede_members datanode | cut -d ' ' -f 1)
exclude_of_hdfs
tell_hdfs
