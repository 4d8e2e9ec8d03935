# shellcheck shell=bash disable=SC1091
# The cluster is there once every worker has registered with both masters, and HDFS takes writes.
. /usr/local/lib/hadoop/web.sh

everybody() {
  local hdfs yarn left
  hdfs=$(jmx "$STAMPEDE_MASTER:9870" Hadoop:service=NameNode,name=FSNamesystemState NumLiveDataNodes)
  # one that has left is taken for alive for minutes
  left=$(jmx "$STAMPEDE_MASTER:9870" Hadoop:service=NameNode,name=FSNamesystemState NumDecomLiveDataNodes)
  hdfs=$((${hdfs:-0} - ${left:-0}))
  yarn=$(ask "http://$STAMPEDE_MASTER:8088/ws/v1/cluster/metrics" | field activeNodes)
  stampede_detail "$hdfs of $STAMPEDE_WORKER_COUNT DataNodes, ${yarn:-0} of $STAMPEDE_WORKER_COUNT NodeManagers"
  ((hdfs >= STAMPEDE_WORKER_COUNT && ${yarn:-0} >= STAMPEDE_WORKER_COUNT)) && namenode_works
}

history_works() { [[ $(ask "http://$STAMPEDE_MASTER:19888/ws/v1/history/info" | field hadoopVersion) == "$HADOOP_VERSION" ]]; }

. /etc/stampede/hadoop.env
stampede_wait "$STAMPEDE_TIMEOUT_S" 'not every worker has registered' everybody
# the word count of the first run looks into the history server at its end; it need not wait for it at its beginning
[[ $HADOOP_SMOKE == true && ! -e $STAMPEDE_KEPT/signalled ]] ||
  stampede_wait 120 'the history server does not answer; see journalctl -u hadoop-historyserver' history_works
