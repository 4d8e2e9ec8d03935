# shellcheck shell=bash disable=SC1091
# Those that leave vote no more; the others have to be a majority of themselves, and have all that was written.
. /usr/local/lib/zookeeper/servers.sh

have=$(zk_voters "$STAMPEDE_NODE") || stampede_fail "the server of $STAMPEDE_NODE does not answer, so nobody can be let go of: see journalctl -u zookeeper"
going=$(grep -xFf <(stampede_leaving zookeeper_server | awk '{print $2, $1}') <<<"$have") || going=
[[ -n $going ]] || exit 0
staying=$(grep -vxFf <(printf '%s\n' "$going") <<<"$have") || staying=
left=0 alive=0
while read -r _ node; do
  [[ -n $node ]] || continue
  left=$((left + 1))
  if zk_mode "$node" >/dev/null; then alive=$((alive + 1)); else stampede_say "the server of $node does not answer"; fi
done <<<"$staying"
((2 * alive > left)) ||
  stampede_fail "of $left servers of ZooKeeper that would stay $alive answer, which is no majority: mend those first, or let others go"

numbers=$(cut -d ' ' -f 1 <<<"$going" | paste -sd ,)
gone() {
  ! zk_voters "$STAMPEDE_NODE" | grep -qxF "$going" && zk_mode "$STAMPEDE_NODE" >/dev/null
}
let_go() {
  gone && return 0
  zk_reconfigure -remove "$numbers"
  gone
}
stampede_wait 120 "the servers $numbers of ZooKeeper still vote" let_go
stampede_detail "$left servers of ZooKeeper vote"
