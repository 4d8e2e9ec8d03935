# shellcheck shell=bash
# servers.sh - what the scripts and the check of ZooKeeper share: asking servers, and changing who votes.

# shellcheck disable=SC2034 # for setup
ZK_DATA=/var/lib/zookeeper

# zk_ask NODE WORD - prints what a server answers to a word of four letters; fails where nobody answers
zk_ask() {
  # shellcheck disable=SC2016 # for that bash
  timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/2181" && printf %s "$1" >&3 && cat <&3' "$1" "$2" 2>/dev/null
}

# zk_mode NODE - prints leader or follower; fails where it is neither
zk_mode() { zk_ask "$1" srvr | grep -Eo '^Mode: (leader|follower)$' | cut -d ' ' -f 2; }

# zk_voters NODE - prints a line `NUMBER NODE` for each server that votes, as the server of NODE knows it
zk_voters() { zk_ask "$1" conf | sed -n 's/^server\.\([0-9]*\)=\([^:]*\):.*:participant.*/\1 \2/p'; }

# zk_server NODE NUMBER - prints the line of a server that votes
zk_server() { printf 'server.%s=%s:2888:3888:participant;2181\n' "$2" "$1"; }

# zk_run NODE - the commands of standard input, on this server; what it says for people is left out
zk_run() {
  timeout 90 "@{java}/bin/java" -Xmx64m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Dzookeeper.level=ERROR -cp '/etc/zookeeper:/opt/zookeeper/lib/*' \
    org.apache.zookeeper.ZooKeeperMain -waitforconnection -timeout 15000 -server "$1:2181" 2>&1 </dev/stdin | sed 's/^\[zk: [^]]*\] //'
}

# zk_reconfigure ARGUMENT... - changes who votes, by way of this node's server. The word of the superuser goes by standard input, so that no list of
# processes shows it; an update after it ends well once the change is in force.
zk_reconfigure() {
  local secret
  secret=$(stampede_secret super)
  printf '%s\n' "addauth digest super:$secret" "reconfig $*" 'create -e /stampede-reconfigured now' quit |
    zk_run "$STAMPEDE_NODE" | sed "s/$secret/.../g" | tail -n 15 >&2
}

# zk_health - a sentence about this node's server; its status is the colour
zk_health() {
  local mode voters synced
  mode=$(zk_mode "$STAMPEDE_ADDRESS") || { echo 'serves nobody: it finds no majority of the servers'; return 1; }
  voters=$(zk_voters "$STAMPEDE_ADDRESS" | wc -l)
  [[ $mode == leader ]] || { echo "follows, one of $voters servers"; return 0; }
  synced=$(zk_ask "$STAMPEDE_ADDRESS" mntr | sed -n 's/^zk_synced_followers[[:space:]]*\([0-9]*\).*/\1/p')
  echo "leads $voters servers, $((${synced:-0} + 1)) of them are up to date"
  ((${synced:-0} + 1 >= voters)) || return 2
}
