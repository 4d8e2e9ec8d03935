# shellcheck shell=sh disable=SC1083
export HADOOP_HOME=/opt/hadoop HADOOP_CONF_DIR=/etc/hadoop YARN_CONF_DIR=/etc/hadoop HADOOP_MAPRED_HOME=/opt/hadoop
export JAVA_HOME=${JAVA_HOME:-@{java}}
# the one who logs in is who can mend it
case $- in *i*)
  if [ -s /run/hadoop-checkpoint/failed ]; then
    echo "The NameNode's last checkpoint failed, and its journal grows until one succeeds: journalctl -u hadoop-checkpoint" >&2
  fi ;;
esac
