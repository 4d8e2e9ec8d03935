. /usr/local/lib/hadoop/lib.sh
prepare
remember nodemanager nodemanagers
[[ -e "$data/exclude-yarn" ]] || stampede_file 0644 "$data/exclude-yarn" </dev/null
