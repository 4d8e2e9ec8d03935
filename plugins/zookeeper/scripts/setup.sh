# shellcheck shell=bash disable=SC1091,SC2016
# The server's number, its own copy of the configuration, and its first list of servers; who leads takes its turn last.
. /usr/local/lib/zookeeper/servers.sh
conf=$ZK_DATA/conf

# as its user: nothing in a folder that is not root's is written by root
own() { runuser -u zookeeper -- bash -c 'umask 027; cat >"$0.new" && mv -f "$0.new" "$0"' "$1"; }

# a server that answers knows who votes
find_ensemble() {
  local node
  while read -r node _; do
    [[ $node != "$STAMPEDE_NODE" ]] || continue
    if zk_mode "$node" >/dev/null && VOTERS=$(zk_voters "$node") && [[ -n $VOTERS ]]; then return 0; fi
  done < <(stampede_members zookeeper_server)
  return 1
}

# first_list - all of a new ensemble; else those that vote, and this one, which then follows until it is let in. Two that join never know of one
# another: alone they could be a majority of what each of them knows.
first_list() {
  local node number VOTERS=''
  if ((STAMPEDE_CHANGE == 0)) || [[ $(stampede_joined zookeeper_server) == "$(stampede_members zookeeper_server)" ]]; then
    while read -r node number; do zk_server "$node" "$number"; done < <(stampede_members zookeeper_server)
    return
  fi
  stampede_wait "$((STAMPEDE_TIMEOUT_S / 2))" 'none of the other servers of ZooKeeper answers' find_ensemble
  while read -r number node; do
    ((number == STAMPEDE_INDEX)) || zk_server "$node" "$number"
  done <<<"$VOTERS"
  zk_server "$STAMPEDE_NODE" "$STAMPEDE_INDEX"
}

if zk_mode "$STAMPEDE_ADDRESS" 2>/dev/null | grep -qx leader; then stampede_later; fi

# an earlier membership of this node had another number: what it knew is kept aside, and it begins anew
if [[ -s $ZK_DATA/myid && $(<"$ZK_DATA/myid") != "$STAMPEDE_INDEX" ]]; then
  runuser -u zookeeper -- bash -c 'set -e; cd "$0"; mkdir "former-$1"; for one in myid conf version-2; do [[ ! -e $one ]] || mv -f "$one" "former-$1/"; done' "$ZK_DATA" "$(<"$ZK_DATA/myid")-$EPOCHSECONDS"
fi
[[ -d $conf ]] || runuser -u zookeeper -- mkdir "$conf"
list=$(sed -n 's/^dynamicConfigFile=//p' "$conf/zoo.cfg" 2>/dev/null) || list=
if [[ -z $list || ! -s $list ]]; then
  list=$conf/zoo.cfg.dynamic
  servers=$(first_list)
  own "$list" <<<"$servers"
fi
{ cat /etc/zookeeper/zoo.cfg; echo "dynamicConfigFile=$list"; } | own "$conf/zoo.cfg"
own "$ZK_DATA/myid" <<<"$STAMPEDE_INDEX"

# what the server knows the superuser by; its word cannot be found from that
digest=$(printf 'super:%s' "$(stampede_secret super)" | sha1sum | cut -c -40 | sed 's/../\\x&/g')
stampede_file 0400 /etc/zookeeper/super.env <<<"SUPER_DIGEST=super:$(printf %b "$digest" | base64)"
((STAMPEDE_CHANGED == 0)) || stampede_restart
