# shellcheck shell=bash disable=SC1091
. /usr/local/lib/spark/cluster.sh
registered() { spark_workers | grep -q "^$STAMPEDE_NODE ALIVE "; }
stampede_wait "$STAMPEDE_TIMEOUT_S" "Spark's worker is not registered with its master; see journalctl -u spark-worker" registered
