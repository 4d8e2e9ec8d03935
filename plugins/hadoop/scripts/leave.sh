# shellcheck shell=bash disable=SC1091,SC2154
# leave.sh - how HDFS and YARN learn who leaves, and when those have let go. It comes after lib.sh.

# who_leaves COMPONENT - sets `leaving` to the names of its members that are to leave, and `stay` to those of all others
who_leaves() {
  local name
  mapfile -t leaving < <(stampede_leaving "$1" | cut -d ' ' -f 1)
  mapfile -t stay < <(stampede_members "$1" | cut -d ' ' -f 1)
  for name in "${leaving[@]}"; do mapfile -t stay < <(printf '%s\n' "${stay[@]}" | grep -vxF "$name"); done
  if [[ -z ${stay[0]-} ]]; then stay=(); fi
}

# excluded FILE NAME... - the list is these names
excluded() { stampede_file 0644 "$1" < <( (($# == 1)) || printf '%s\n' "${@:2}"); }

# exclude_of_hdfs - names those who leave. HDFS is never told that one who left is welcome again: it would count the copies there until it took the node
# for dead, ten minutes later, and might delete others in their place. Names are not given out twice.
exclude_of_hdfs() {
  local name names=("${leaving[@]}")
  while read -r name; do
    [[ " ${stay[*]} ${names[*]} " == *" $name "* ]] || names+=("$name")
  done < <(cat "$data/exclude" 2>/dev/null)
  excluded "$data/exclude" "${names[@]}"
}

# tell WHOM FILE COMMAND... - has a master read its list again, where it has not since that was written
tell() {
  local kept=$STAMPEDE_KEPT/hadoop-told-$1 now
  now=$(sha256sum <"$2")
  [[ $(cat "$kept" 2>/dev/null) != "$now" ]] || return 0
  rm -f "$kept"
  "${@:3}"
  stampede_file 0644 "$kept" <<<"$now"
}

tell_hdfs() {
  namenode_serves
  tell hdfs "$data/exclude" as_daemon hdfs /usr/local/bin/hdfs dfsadmin -refreshNodes
}

# YARN lets their containers go on for a while, and moves them then
tell_yarn() {
  serves hadoop-resourcemanager 'the ResourceManager does not answer; see journalctl -u hadoop-resourcemanager' resourcemanager_works
  tell yarn "$data/exclude-yarn" as_daemon yarn /usr/local/bin/yarn rmadmin -refreshNodes -g "$HADOOP_DRAIN_S" -server
}

# --- what HDFS holds

# fsck QUERY - HDFS's own report of its files, a line a file, of which there may be millions: it is read as it comes and kept nowhere. Half a report
# is none, and lacks the last line.
fsck() { ask --max-time "$STAMPEDE_TIMEOUT_S" "http://$HADOOP_NAMENODE:9870/fsck?ugi=hdfs&$1" || true; }

# beyond REMAIN LIVE - of a report, copies and path of the files that want more than REMAIN copies and no more than LIVE; then `end` and the last line
beyond() {
  sed -nE 's|^(/.*) [0-9]+ bytes, replicated: replication=([0-9]+), .*|\2 \1|p; t; $s|^|end |p' |
    awk -v remain="$1" -v live="$2" '$1 == "end" || ($1 > remain && $1 <= live)'
}

# spread - once nothing is left to copy, HDFS lets go; where a file wants more copies than DataNodes remain there is always something left. Said at
# once, by name, and nothing is touched. Sets `wide` to what the framework itself keeps (history, logs), which may be lowered; nobody else's.
spread() {
  local live copies path end='' own='^/(mr-history|yarn-logs|staging|tmp/stampede-smoke)/'
  wide=()
  live=$(namesystem FSNamesystemState NumLiveDataNodes)
  [[ -n $live ]] || stampede_fail 'HDFS does not tell how many workers it has, so nobody leaves'
  ((${#stay[@]} > 0)) || stampede_fail "no worker would remain beside ${leaving[*]}"
  # files that want more copies than there ever were workers, such as a running job's, lose nothing
  while read -r copies path; do
    if [[ $copies == end ]]; then
      end=$path
    elif [[ $path =~ $own ]]; then
      wide+=("$path")
    else
      stampede_fail "$path keeps $copies copies, ${#stay[@]} workers would remain: lower that (hdfs dfs -setrep ${#stay[@]} /) or let fewer workers go"
    fi
  done < <(fsck 'path=%2F&files=1&openforwrite=1' | beyond "${#stay[@]}" "$live")
  # who cannot see the files does not let anybody go
  [[ $end == 'The filesystem under path '*' is '* ]] || stampede_fail "HDFS does not tell which files there are, so nobody leaves: ${end:0:120}"
}

# PATH as part of a URL
encoded() { printf %s "$1" | od -An -v -tx1 | tr -d '\n' | sed 's/ /%/g; s/%2f/\//g'; }
