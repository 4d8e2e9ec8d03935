# shellcheck shell=bash disable=SC1091
# web.sh - what the scripts ask Hadoop over HTTP; a JVM of Hadoop's command line would cost seconds a question.

ask() { curl -sf --max-time 10 "$@"; }

# webhdfs METHOD PATH QUERY [CURL OPTION...] - as the user HDFS_USER; prints the answer, whatever it is
webhdfs() {
  curl -s --max-time 60 -L -X "$1" "${@:4}" "http://$STAMPEDE_MASTER:9870/webhdfs/v1$2?user.name=${HDFS_USER:-hdfs}&$3"
}

# jmx HOST:PORT BEAN KEY - prints the value of KEY
jmx() { ask "http://$1/jmx?qry=$2" | sed -n "s/^ *\"$3\" : \"\\?\\([^\",]*\\).*/\\1/p" | head -n 1; }

# field KEY - of the JSON on standard input, the first value of KEY
field() { grep -o "\"$1\":\"\\?[^\",}]*" | head -n 1 | sed 's/^[^:]*:"\?//'; }

# registered - prints how many workers both masters have, without those that have left or are silent
registered() {
  local bean=Hadoop:service=NameNode,name=FSNamesystemState hdfs left silent yarn
  hdfs=$(jmx "$STAMPEDE_MASTER:9870" "$bean" NumLiveDataNodes)
  left=$(jmx "$STAMPEDE_MASTER:9870" "$bean" NumDecomLiveDataNodes)
  silent=$(jmx "$STAMPEDE_MASTER:9870" "$bean" NumStaleDataNodes)
  yarn=$(ask "http://$STAMPEDE_MASTER:8088/ws/v1/cluster/metrics" | field activeNodes)
  [[ -n $hdfs && -n $yarn ]] || return 1
  hdfs=$((hdfs - ${left:-0} - ${silent:-0}))
  echo "$((hdfs < yarn ? hdfs : yarn))"
}

resourcemanager_works() { [[ $(ask "http://$STAMPEDE_MASTER:8088/ws/v1/cluster/info" | field state) == STARTED ]]; }

namenode_works() {
  [[ $(jmx "$STAMPEDE_MASTER:9870" Hadoop:service=NameNode,name=FSNamesystemState FSState) == Operational ]]
}
