# shellcheck shell=bash disable=SC1091,SC2154
# lib.sh - what Hadoop's scripts share. Questions go over HTTP: a JVM of Hadoop's command line would cost seconds a question.
. /usr/local/lib/hadoop/hadoop.env

data=/var/lib/hadoop

# --- folders and disks

# prepare - what every node has: a place where commands of any user unpack
prepare() {
  [[ -d "$data/tmp" ]] || install -d -m 0755 "$data"
  [[ -d "$data/tmp" ]] || install -d -m 1777 "$data/tmp"
}

# as_daemon USER COMMAND... - a command of Hadoop's, as the user of a daemon
as_daemon() { runuser -u "$1" -g hadoop -- "${@:2}" >&2; }

# reserve FOLDER - measures what HDFS leaves free on its disk: what stood there before its first block, and a tenth, at most 10 GiB. YARN takes the disk
# for full once a third of that is left, so that it finds the disk healthy however full HDFS is. Measured once, since what others write later comes out
# of the tenth; a node has one disk for both.
reserve() {
  local size used avail tenth blocks=0 mib=1048576
  [[ ! -s "$data/reserved" ]] || return 0
  read -r size used avail < <(df --block-size=1 --output=size,used,avail "$1/" | tail -n 1)
  if [[ -d $data/datanode/current ]]; then blocks=$(du --summarize --block-size=1 "$data/datanode/" | cut -f 1); fi
  tenth=$((size / 10 < 10240 * mib ? size / 10 : 10240 * mib))
  ((avail + blocks >= tenth + 512 * mib)) ||
    stampede_fail "the disk of $1 has $((avail / mib)) of $((size / mib)) MiB free, too little for HDFS and YARN: take a flavor with a larger disk, or a volume"
  stampede_file 0644 "$data/free-mib" <<<$((tenth / mib / 3))
  stampede_file 0644 "$data/reserved" <<<$((used - blocks + tenth))
}

# --- asking

ask() { curl -sf --noproxy '*' --max-time "${ASK_S:-10}" "$@"; }

# webhdfs METHOD PATH QUERY [CURL OPTION...] - as the user HDFS_USER; prints the answer, whatever it is
webhdfs() {
  curl -s --noproxy '*' --max-time 60 -L -X "$1" "${@:4}" "http://$HADOOP_NAMENODE:9870/webhdfs/v1$2?user.name=${HDFS_USER:-hdfs}&$3"
}

# hdfs_change METHOD PATH QUERY [CURL OPTION...] - the same for what changes something: a refusal ends the script with HDFS's own words
hdfs_change() {
  local answer
  answer=$(webhdfs "$@") || stampede_fail "HDFS does not answer: $1 $2 ${3%%&*}"
  [[ $answer != *'"RemoteException"'* && $answer != *'{"boolean":false}'* ]] ||
    stampede_fail "HDFS refuses $1 $2 ${3%%&*}: $(text message <<<"$answer" | cut -c 1-150)"
}

# jmx HOST:PORT BEAN KEY - prints the value of KEY
jmx() { ask "http://$1/jmx?qry=$2" | jmx_value "$3"; }

# jmx_value KEY - of what a bean says, on standard input
jmx_value() { sed -n "s/^ *\"$1\" : \"\\?\\([^\",]*\\).*/\\1/p" | head -n 1; }

# namesystem BEAN KEY - of one of the NameNode's
namesystem() { jmx "$HADOOP_NAMENODE:9870" "Hadoop:service=NameNode,name=$1" "$2"; }

# yarn_ask PATH - of the ResourceManager's
yarn_ask() { ask "http://$HADOOP_RESOURCEMANAGER:8088/ws/v1/cluster/$1"; }

# field KEY - of the JSON on standard input, the first value of KEY, if any
field() { grep -o "\"$1\":\"\\?[^\",}]*" | head -n 1 | sed 's/^[^:]*:"\?//' || true; }

# text KEY - the same of a text that holds commas
text() { grep -o "\"$1\":\"[^\"]*" | head -n 1 | sed 's/^[^:]*:"//' || true; }

# count COMPONENT - how many members it has
count() { stampede_members "$1" | wc -l; }

# serves UNIT TEXT COMMAND... - waits until COMMAND succeeds for as long as the cluster has: an image of millions of files is loaded for minutes.
# A daemon of this node that ends again and again is told at once, with its last word.
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

# --- whether daemons work

namenode_works() { [[ $(namesystem FSNamesystemState FSState) == Operational ]]; }

# namenode_serves - waits until the NameNode takes writes
namenode_serves() { serves hadoop-namenode 'the NameNode does not serve; see journalctl -u hadoop-namenode' namenode_ready; }

# namenode_ready - the NameNode takes writes; says how far it is where it does not yet
namenode_ready() {
  local told
  ! namenode_works || return 0
  told=$(namesystem NameNodeInfo Safemode) || told=''
  if [[ -z $told ]]; then
    told=$(namesystem StartupProgress PercentComplete) || told=''
    told=${told:+the NameNode loads its image: $(awk -v part="$told" 'BEGIN {printf "%d %%", part * 100}')}
  fi
  [[ -z $told ]] || stampede_detail "${told:0:150}"
  return 1
}

resourcemanager_works() { [[ $(yarn_ask info | field state) == STARTED ]]; }

# datanodes [steady] - prints how many DataNodes the NameNode has, without those that have left; one that has left is taken for alive for minutes.
# `steady`: without those that are silent, too
datanodes() {
  local said live left silent=0
  said=$(ask "http://$HADOOP_NAMENODE:9870/jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState") || return 1
  live=$(jmx_value NumLiveDataNodes <<<"$said")
  left=$(jmx_value NumDecomLiveDataNodes <<<"$said")
  [[ -n $live ]] || return 1
  [[ -z ${1-} ]] || silent=$(jmx_value NumStaleDataNodes <<<"$said")
  echo "$((live - ${left:-0} - ${silent:-0}))"
}

# nodemanagers - prints how many NodeManagers the ResourceManager has
nodemanagers() {
  local active
  active=$(yarn_ask metrics | field activeNodes)
  [[ -n $active ]] && echo "$active"
}

# remember COMPONENT COMMAND... - for `ready`, before anything restarts in a change: how many there were
remember() {
  ((STAMPEDE_CHANGE == 0)) || "${@:2}" >"$STAMPEDE_RUN/hadoop-$1" || rm -f "$STAMPEDE_RUN/hadoop-$1"
}

# expected COMPONENT - how many `ready` waits for: a change does not wait for one that was gone before it
expected() {
  local all before
  all=$(count "$1")
  before=$(cat "$STAMPEDE_RUN/hadoop-$1" 2>/dev/null) || before=''
  echo "$((${before:-$all} < all && STAMPEDE_CHANGE > 0 ? ${before:-$all} : all))"
}

# --- health: one line for people; 0 is well, 2 amiss, 1 does not work

hdfs_health() {
  local ASK_S=4 said state live dead missing
  said=$(ask "http://$HADOOP_NAMENODE:9870/jmx?qry=Hadoop:service=NameNode,name=FSNamesystem*") || said=''
  state=$(jmx_value FSState <<<"$said")
  live=$(jmx_value NumLiveDataNodes <<<"$said") dead=$(jmx_value NumDeadDataNodes <<<"$said") missing=$(jmx_value MissingBlocks <<<"$said")
  if [[ -z $state ]]; then
    echo 'the NameNode does not answer'
    return 1
  elif [[ $state != Operational ]]; then
    echo 'the NameNode is in safe mode: HDFS can be read alone'
  elif ((${missing:-0} > 0)); then
    echo "HDFS misses $missing blocks: bring dead workers back (hdfs fsck / -list-corruptfileblocks)"
  elif [[ -s /run/hadoop-checkpoint/failed ]]; then
    echo "the NameNode's last checkpoint failed: see journalctl -u hadoop-checkpoint"
  elif ((${dead:-0} > 0)); then
    echo "$live DataNodes live, $dead are dead"
  else
    echo "${live:-0} DataNodes"
    return 0
  fi
  return 2
}

# the DataNode's own word: its threads say RUNNING after the NameNode has taken it
datanode_health() {
  local ASK_S=4
  if ask "http://$STAMPEDE_NODE:9864/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo" | grep -q 'ActorState.*RUNNING'; then
    echo 'the NameNode has taken it'
  else
    echo 'the NameNode has not taken its DataNode; see journalctl -u hadoop-datanode'
    return 1
  fi
}

yarn_health() {
  local ASK_S=4 said active sick lost
  resourcemanager_works || { echo 'the ResourceManager does not answer'; return 1; }
  said=$(yarn_ask metrics) || said=''
  active=$(field activeNodes <<<"$said") sick=$(field unhealthyNodes <<<"$said") lost=$(field lostNodes <<<"$said")
  echo "${active:-0} NodeManagers$( ((${sick:-0} == 0)) || echo ", $sick unhealthy")$( ((${lost:-0} == 0)) || echo ", $lost lost")"
  ((${sick:-0} + ${lost:-0} == 0)) || return 2
}

# yarn_jobs - prints how many applications run or wait
yarn_jobs() {
  local ASK_S=4 said running waiting
  said=$(yarn_ask metrics) || return 1
  running=$(field appsRunning <<<"$said") waiting=$(field appsPending <<<"$said")
  [[ -n $running && -n $waiting ]] || return 1
  echo $((running + waiting))
}

# nodemanager_taken - the ResourceManager knows a NodeManager for minutes after its end: what it was told has to be this one's, by this node's clock.
# Sets `state` and `health` to what it says
nodemanager_taken() {
  local started known
  state='' health=''
  started=$(ask "http://$STAMPEDE_NODE:8042/ws/v1/node/info" | field nmStartupTime) || return 1
  known=$(yarn_ask "nodes/$STAMPEDE_NODE:8041") || return 1
  state=$(field state <<<"$known")
  health=$(text healthReport <<<"$known")
  [[ -n $started && $state == RUNNING ]] && (($(field lastHealthUpdate <<<"$known") >= started))
}

nodemanager_health() {
  local ASK_S=4 state health
  if nodemanager_taken; then
    echo 'the ResourceManager has taken it'
  elif [[ $state == UNHEALTHY ]]; then
    echo "YARN finds this node unhealthy, and gives it no work: ${health:0:90}"
    return 2
  elif [[ $state == DECOMMISSION* ]]; then
    echo 'let go of: YARN gives it no work'
    return 2
  else
    echo 'the ResourceManager has not taken its NodeManager; see journalctl -u hadoop-nodemanager'
    return 1
  fi
}
