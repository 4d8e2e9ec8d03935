# shellcheck shell=bash
# The home of its user in HDFS, where Spark on YARN puts what an application needs.
made=$STAMPEDE_KEPT/jupyter-home
if [[ ! -e $made ]]; then
  command -v hdfs >/dev/null || stampede_fail 'this node has no client of Hadoop: give its group hadoop_client, too'
  export HADOOP_USER_NAME=hdfs HADOOP_CLIENT_OPTS='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx128m'
  home() { timeout 120 hdfs dfs -mkdir -p /user/jupyter >&2; }
  stampede_wait "$((STAMPEDE_TIMEOUT_S / 2))" 'HDFS does not make /user/jupyter' home
  hdfs dfs -chown jupyter /user/jupyter >&2
  stampede_file 0644 "$made" </dev/null
fi
