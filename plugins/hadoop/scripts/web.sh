# shellcheck shell=bash disable=SC1091
# web.sh - what the scripts ask Hadoop over HTTP; a JVM of Hadoop's command line would cost seconds a question.

ask() { curl -sf --max-time 10 "$@"; }

# webhdfs METHOD PATH QUERY [CURL OPTION...] - as the user HDFS_USER; prints the answer, whatever it is
webhdfs() {
  curl -s --max-time 60 -L -X "$1" "${@:4}" "http://$STAMPEDE_MASTER:9870/webhdfs/v1$2?user.name=${HDFS_USER:-hdfs}&$3"
}

# hdfs_change METHOD PATH QUERY [CURL OPTION...] - the same for what changes something: a refusal ends the script with HDFS's own words
hdfs_change() {
  local answer
  answer=$(webhdfs "$@") || stampede_fail "HDFS does not answer: $1 $2 ${3%%&*}"
  [[ $answer != *'"RemoteException"'* && $answer != *'{"boolean":false}'* ]] ||
    stampede_fail "HDFS refuses $1 $2 ${3%%&*}: $(text message <<<"$answer" | cut -c 1-150)"
}

# jmx HOST:PORT BEAN KEY - prints the value of KEY
jmx() { ask "http://$1/jmx?qry=$2" | sed -n "s/^ *\"$3\" : \"\\?\\([^\",]*\\).*/\\1/p" | head -n 1; }

# field KEY - of the JSON on standard input, the first value of KEY
field() { grep -o "\"$1\":\"\\?[^\",}]*" | head -n 1 | sed 's/^[^:]*:"\?//'; }

# text KEY - the same of a text that holds commas
text() { grep -o "\"$1\":\"[^\"]*" | head -n 1 | sed 's/^[^:]*:"//'; }

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

# serves UNIT TEXT COMMAND... - waits until COMMAND succeeds for as long as the cluster has: an image of millions of files is loaded for minutes.
# A daemon that ends again and again is told at once, with its last word.
serves() {
  local unit=$1 text=$2 end before now
  shift 2
  stampede_clock
  end=$((STAMPEDE_UP + STAMPEDE_TIMEOUT_S))
  before=$(restarts "$unit")
  until "$@"; do
    now=$(restarts "$unit")
    if ((now < before)); then before=$now; fi
    ((now - before < 5)) || stampede_fail "$unit ends again and again: $(last_word "$unit")"
    stampede_clock
    ((STAMPEDE_UP < end)) || stampede_fail "$text${STAMPEDE_DETAIL:+ ($STAMPEDE_DETAIL)}"
    sleep 0.5
  done
}

restarts() {
  local count
  count=$(systemctl show --property NRestarts --value "$1") || count=0
  echo "${count:-0}"
}

last_word() {
  journalctl -u "$1" -n 400 -o cat --no-pager 2>/dev/null | grep -aE '(ERROR|FATAL) |(Exception|Error): ' | grep -avE '^[[:space:]]+at ' | tail -n 1 | cut -c 1-150
}

# namenode_ready - the NameNode takes writes; says how far it is where it does not yet
namenode_ready() {
  local told
  ! namenode_works || return 0
  told=$(jmx "$STAMPEDE_MASTER:9870" Hadoop:service=NameNode,name=NameNodeInfo Safemode) || told=''
  if [[ -z $told ]]; then
    told=$(jmx "$STAMPEDE_MASTER:9870" Hadoop:service=NameNode,name=StartupProgress PercentComplete) || told=''
    told=${told:+the NameNode loads its image: $(awk -v part="$told" 'BEGIN {printf "%d %%", part * 100}')}
  fi
  [[ -z $told ]] || stampede_detail "${told:0:150}"
  return 1
}

namenode_works() {
  [[ $(jmx "$STAMPEDE_MASTER:9870" Hadoop:service=NameNode,name=FSNamesystemState FSState) == Operational ]]
}
