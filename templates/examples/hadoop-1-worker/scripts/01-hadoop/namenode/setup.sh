. /usr/local/lib/hadoop/lib.sh
prepare

name=$data/namenode/name

may_format() {
  ! stampede_settled && [[ ! -e $STAMPEDE_KEPT/formatted-name ]] && ((STAMPEDE_CHANGE == 0 && ${STAMPEDE_GENERATION:-0} == 0))
}

formatted() {
  [[ ! -e $STAMPEDE_KEPT/formatted-name ]] || return 0
  : >"$STAMPEDE_KEPT/formatted-name"
  sync "$STAMPEDE_KEPT/formatted-name"
}

format() {
  if [[ -e $name/current/VERSION ]]; then
    formatted
    return 0
  fi
  may_format ||
    stampede_fail "the NameNode's folder $name is gone or damaged; it is not formatted anew: bring it back from a backup, or by hdfs namenode -importCheckpoint from $data/namenode/checkpoint"
  [[ ! -e $name ]] || stampede_fail "$name is there and holds no NameNode's image; it is not formatted: look what it is, and move it away"
  as_daemon hdfs rm -rf "$name.new"
  as_daemon hdfs mkdir -m 0700 "$name.new"
  as_daemon hdfs /usr/local/bin/hdfs namenode -D "dfs.namenode.name.dir=file://$name.new" -format -nonInteractive
  find "$name.new" -type f -exec sync {} +
  as_daemon hdfs mv -T "$name.new" "$name"
  formatted
}

may_restart() {
  local missing total
  ((STAMPEDE_CHANGE > 0)) && stampede_restarts hadoop-namenode || return 0
  missing=$(namesystem FSNamesystem MissingBlocks) || missing=0
  total=$(namesystem FSNamesystem BlocksTotal) || total=0
  ((${missing:-0} * 1000 <= ${total:-0})) ||
    stampede_fail "HDFS misses $missing of $total blocks, and a NameNode that restarts now would stay in safe mode: bring the dead workers back, or delete what is lost (hdfs fsck / -list-corruptfileblocks)"
}

remember datanode datanodes steady
[[ -e "$data/exclude" ]] || stampede_file 0644 "$data/exclude" </dev/null
format
may_restart
