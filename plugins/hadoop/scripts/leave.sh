# shellcheck shell=bash disable=SC1091
# leave.sh - how both masters learn who leaves.

# as_daemon USER COMMAND... - a command of Hadoop's, as the user of a daemon
as_daemon() { runuser -u "$1" -g hadoop -- "${@:2}" >&2; }

# Those who leave are named to both masters. HDFS is never told that one who left is welcome again: it would count the copies there until it took
# the node for dead, ten minutes later, and might delete others in their place. Names are not given out twice.
exclude() {
  local name names
  read -ra names <<<"${STAMPEDE_LEAVING-}"
  stampede_file 0644 /var/lib/hadoop/exclude-yarn < <( ((${#names[@]} == 0)) || printf '%s\n' "${names[@]}")
  for name in $(cat /var/lib/hadoop/exclude 2>/dev/null); do
    [[ " $STAMPEDE_WORKERS ${names[*]} " == *" $name "* ]] || names+=("$name")
  done
  stampede_file 0644 /var/lib/hadoop/exclude < <( ((${#names[@]} == 0)) || printf '%s\n' "${names[@]}")
}

# YARN lets their containers go on for a while, and moves them then
leaving() {
  local kept=$STAMPEDE_KEPT/hadoop-leaving told=${STAMPEDE_LEAVING-} refreshing
  [[ $(cat "$kept" 2>/dev/null) != "$told" ]] || return 0
  serves hadoop-resourcemanager 'the ResourceManager does not answer; see journalctl -u hadoop-resourcemanager' resourcemanager_works
  echo unknown >"$kept" # until both have been told
  as_daemon hdfs /usr/local/bin/hdfs dfsadmin -refreshNodes &
  refreshing=$!
  as_daemon yarn /usr/local/bin/yarn rmadmin -refreshNodes -g "$HADOOP_DRAIN_S" -server
  wait $refreshing
  printf '%s\n' "$told" >"$kept"
}
