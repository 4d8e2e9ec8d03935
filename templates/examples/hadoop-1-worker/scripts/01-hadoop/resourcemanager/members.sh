. /usr/local/lib/hadoop/lib.sh
. /usr/local/lib/hadoop/leave.sh

excluded "$data/exclude-yarn"
tell_yarn
