# shellcheck shell=bash disable=SC1091
# Proves the ensemble: on every voter something is written, and read on every other.
. /usr/local/lib/zookeeper/servers.sh
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mapfile -t nodes < <(stampede_members zookeeper_server | cut -d ' ' -f 1)

all_vote() {
  local node voters=0
  for node in "${nodes[@]}"; do ! zk_mode "$node" >/dev/null || voters=$((voters + 1)); done
  stampede_detail "$voters of ${#nodes[@]} servers of ZooKeeper vote"
  ((voters == ${#nodes[@]}))
}
stampede_wait "$STAMPEDE_TIMEOUT_S" 'not every server of ZooKeeper votes' all_vote

# at once on all, each through its own server alone
each() { # NAME
  local node running=()
  for node in "${nodes[@]}"; do
    zk_run "$node" <"$scratch/$1" >"$scratch/$1-$node" &
    running+=($!)
  done
  for node in "${running[@]}"; do wait "$node" || true; done
}
top=/stampede-smoke-$EPOCHSECONDS
printf '%s\n' "create $top" quit | zk_run "$STAMPEDE_NODE" >&2
running=()
for node in "${nodes[@]}"; do
  printf '%s\n' "create $top/$node written-on-$node" quit | zk_run "$node" >"$scratch/write-$node" &
  running+=($!)
done
for one in "${running[@]}"; do wait "$one" || true; done
{
  echo "sync $top"
  for node in "${nodes[@]}"; do echo "get $top/$node"; done
  echo quit
} >"$scratch/read"
each read
want=$(printf 'written-on-%s\n' "${nodes[@]}")
for node in "${nodes[@]}"; do
  got=$(grep '^written-on-' "$scratch/read-$node") || got=
  [[ $got == "$want" ]] || {
    cat "$scratch"/*-"$node" >&2
    stampede_fail "the server of $node says '${got//$'\n'/ }', expected '${want//$'\n'/ }'"
  }
done
printf '%s\n' "deleteall $top" quit | zk_run "$STAMPEDE_NODE" >&2
stampede_detail "what was written on each of ${#nodes[@]} servers was read on all of them"
