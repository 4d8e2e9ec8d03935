. /usr/local/lib/hadoop/lib.sh

wanted=$(expected datanode)
everybody() {
  local live
  live=$(datanodes) || live=0
  stampede_detail "$live of $wanted DataNodes"
  ((live >= wanted))
}

namenode_serves
stampede_wait "$STAMPEDE_TIMEOUT_S" 'not every DataNode has registered' everybody
