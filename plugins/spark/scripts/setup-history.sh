# shellcheck shell=bash
# Folders in HDFS: what applications log, and the home of Spark's user.
made=$STAMPEDE_KEPT/spark-folders
if [[ ! -e $made ]]; then
  command -v hdfs >/dev/null || stampede_fail 'this node has no client of Hadoop: give its group hadoop_client, too'
  export HADOOP_USER_NAME=hdfs HADOOP_CLIENT_OPTS='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx128m'
  folders() { timeout 120 hdfs dfs -mkdir -p /spark-logs /user/spark >&2; }
  stampede_wait "$((STAMPEDE_TIMEOUT_S / 2))" 'HDFS does not make /spark-logs' folders
  hdfs dfs -chown spark:spark /spark-logs /user/spark >&2
  # whoever runs an application writes there, and the history server reads it by the folder's group
  hdfs dfs -chmod 1777 /spark-logs >&2
  stampede_file 0644 "$made" </dev/null
fi
