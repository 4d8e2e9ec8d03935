# shellcheck shell=bash disable=SC1091
# The cluster is there once every worker has registered with both masters, and HDFS takes writes.
. /usr/local/lib/hadoop/web.sh

workers=$STAMPEDE_WORKER_COUNT
# a change does not wait for a worker that was gone before it
if [[ -n ${STAMPEDE_CHANGE-} && -s $STAMPEDE_RUN/hadoop-registered ]]; then
  before=$(<"$STAMPEDE_RUN/hadoop-registered")
  workers=$((before < workers ? before : workers))
fi

everybody() {
  local hdfs yarn left metrics sick
  hdfs=$(jmx "$STAMPEDE_MASTER:9870" Hadoop:service=NameNode,name=FSNamesystemState NumLiveDataNodes)
  # one that has left is taken for alive for minutes
  left=$(jmx "$STAMPEDE_MASTER:9870" Hadoop:service=NameNode,name=FSNamesystemState NumDecomLiveDataNodes)
  hdfs=$((${hdfs:-0} - ${left:-0}))
  metrics=$(ask "http://$STAMPEDE_MASTER:8088/ws/v1/cluster/metrics") || metrics=''
  yarn=$(field activeNodes <<<"$metrics")
  sick=$(field unhealthyNodes <<<"$metrics")
  ((${sick:-0} == 0)) && sick='' || sick=", $sick unhealthy"
  stampede_detail "$hdfs of $workers DataNodes, ${yarn:-0} of $workers NodeManagers$sick"
  ((hdfs >= workers && ${yarn:-0} >= workers)) && namenode_works
}

history_works() { [[ $(ask "http://$STAMPEDE_MASTER:19888/ws/v1/history/info" | field hadoopVersion) == "$HADOOP_VERSION" ]]; }

. /etc/stampede/hadoop.env
stampede_wait "$STAMPEDE_TIMEOUT_S" 'not every worker has registered' everybody
# nobody waits for it, so it is told to whoever changes the cluster
if systemctl --quiet is-failed hadoop-checkpoint; then
  stampede_say "the NameNode's last checkpoint failed, and its journal grows until one succeeds: $(last_word hadoop-checkpoint)"
  # shellcheck disable=SC2034 # the frame reads it; this is not said again
  STAMPEDE_DETAIL_NEXT=0
  stampede_detail "the NameNode's last checkpoint failed: see journalctl -u hadoop-checkpoint"
fi
# the word count of the first run looks into the history server at its end; it need not wait for it at its beginning
[[ $HADOOP_SMOKE == true ]] && ! stampede_settled ||
  serves hadoop-historyserver 'the history server does not answer; see journalctl -u hadoop-historyserver' history_works
