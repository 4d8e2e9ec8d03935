# shellcheck shell=bash disable=SC1091
# This worker works once the NameNode has taken its DataNode and the ResourceManager its NodeManager: green units prove neither.
. /usr/local/lib/hadoop/web.sh

registered() {
  local hdfs=no yarn=no started known
  # the DataNode's own word: its threads say RUNNING after the NameNode has taken it
  if ask "http://$STAMPEDE_NODE:9864/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo" | grep -q 'ActorState.*RUNNING'; then hdfs=yes; fi
  # the ResourceManager knows a NodeManager for minutes after its end: what it was told has to be this one's, by this node's clock
  started=$(ask "http://$STAMPEDE_NODE:8042/ws/v1/node/info" | field nmStartupTime)
  known=$(ask "http://$STAMPEDE_MASTER:8088/ws/v1/cluster/nodes/$STAMPEDE_NODE:8041")
  if [[ -n $started && $(field state <<<"$known") == RUNNING ]] && (($(field lastHealthUpdate <<<"$known") >= started)); then yarn=yes; fi
  if [[ $hdfs$yarn == yesyes ]]; then return 0; fi
  stampede_detail "DataNode registered: $hdfs, NodeManager registered: $yarn"
  return 1
}

stampede_wait "$STAMPEDE_TIMEOUT_S" 'the master has not taken this worker; see journalctl -u hadoop-datanode -u hadoop-nodemanager' registered
