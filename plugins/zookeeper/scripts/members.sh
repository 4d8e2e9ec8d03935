# shellcheck shell=bash disable=SC1091
# Lets those vote that are members, one after the other, and nobody else.
. /usr/local/lib/zookeeper/servers.sh

wanted=$(stampede_members zookeeper_server | awk '{print $2, $1}' | sort -n)
follows() { zk_mode "$1" >/dev/null; }
votes() { grep -qxF "$1" < <(zk_voters "$STAMPEDE_NODE"); }

votes_now() { # NODE NUMBER
  votes "$2 $1" && return 0
  zk_reconfigure -add "$(zk_server "$1" "$2")"
  votes "$2 $1"
}
nobody_else() {
  local others
  others=$(zk_voters "$STAMPEDE_NODE" | grep -vxF "$wanted" | cut -d ' ' -f 1 | paste -sd ,) || true
  [[ -n $others ]] || return 0
  zk_reconfigure -remove "$others"
  ! zk_voters "$STAMPEDE_NODE" | grep -qvxF "$wanted"
}

stampede_wait "$STAMPEDE_TIMEOUT_S" "the server of $STAMPEDE_NODE finds no majority" follows "$STAMPEDE_NODE"
while read -r number node; do
  ! votes "$number $node" || continue
  stampede_wait "$((STAMPEDE_TIMEOUT_S / 2))" "the server of $node does not follow; see journalctl -u zookeeper there" follows "$node"
  stampede_wait 120 "the server of $node cannot be let in to vote" votes_now "$node" "$number"
  stampede_detail "the server of $node votes"
done <<<"$wanted"
stampede_wait 120 'a server that is no member still votes' nobody_else
