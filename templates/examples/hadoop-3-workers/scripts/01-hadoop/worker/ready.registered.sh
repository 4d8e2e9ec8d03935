# shellcheck shell=bash disable=SC1091
# This worker works once the NameNode has taken its DataNode and the ResourceManager its NodeManager: green units prove neither.
. /usr/local/lib/hadoop/web.sh

# the DataNode's own word: its threads say RUNNING after the NameNode has taken it
datanode() { ask "http://$STAMPEDE_NODE:9864/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo" | grep -q 'ActorState.*RUNNING'; }

# the ResourceManager knows a NodeManager for minutes after its end: what it was told has to be this one's, by this node's clock
nodemanager() {
  local started known
  started=$(ask "http://$STAMPEDE_NODE:8042/ws/v1/node/info" | field nmStartupTime)
  known=$(ask "http://$STAMPEDE_MASTER:8088/ws/v1/cluster/nodes/$STAMPEDE_NODE:8041")
  state=$(field state <<<"$known")
  health=$(text healthReport <<<"$known")
  [[ -n $started && $state == RUNNING ]] && (($(field lastHealthUpdate <<<"$known") >= started))
}

# YARN gives no work to a node that it finds unhealthy, such as one whose disk is full. A new node that stays so never becomes ready.
unhealthy() {
  stampede_detail "YARN finds this worker unhealthy: ${health:0:150}"
  stampede_clock
  sick_since=${sick_since:-$STAMPEDE_UP}
  ((STAMPEDE_UP - sick_since < 45)) || [[ -n ${STAMPEDE_CHANGE-} ]] || stampede_fail "YARN finds this worker unhealthy: ${health:0:150}"
}

state='' health='' sick_since=''
# one after the other: what waits takes little from what it waits for
registered() {
  if ! datanode; then
    stampede_detail 'the NameNode has not taken its DataNode yet'
  elif ! nodemanager; then
    if [[ $state == UNHEALTHY ]]; then unhealthy; return 1; fi
    sick_since=''
    stampede_detail 'the ResourceManager has not taken its NodeManager yet'
  else
    return 0
  fi
  return 1
}

stampede_wait "$STAMPEDE_TIMEOUT_S" 'the master has not taken this worker; see journalctl -u hadoop-datanode -u hadoop-nodemanager' registered
