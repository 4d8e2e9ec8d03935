. /usr/local/lib/hadoop/lib.sh
. /usr/local/lib/hadoop/leave.sh

leaving=()
mapfile -t stay < <(stampede_members datanode | cut -d ' ' -f 1)
exclude_of_hdfs
tell_hdfs
