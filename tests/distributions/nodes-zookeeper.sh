# shellcheck shell=bash disable=SC2154
# Three voters on four workers: one is killed, one comes and one goes, and no write that was taken is lost.

scenario() { # MEMBERS CHANGE
  printf '{"groups": [["master", 1, 2048], ["worker", 5, 2048]], "frameworks": [{"name": "zookeeper", "version": "3.9.5", "settings": {"sha512": "%s", "tick_ms": 500}}],
    "members": {"zookeeper_server": %s}, "change": %s}' "$(sum_of zookeeper/zookeeper-3.9.5/apache-zookeeper-3.9.5-bin.tar.gz)" "$1" "$2"
}
set_of() { # NODE INDEX... - as JSON
  local all=''
  while (($#)); do all+="${all:+, }[\"$1\", $2]" && shift 2; done
  printf '[%s]' "$all"
}
script() { # NODE TEXT - as a check runs
  cat >"/proc/${INIT[$1]}/root/tmp/script.sh" <<<". /usr/local/lib/zookeeper/servers.sh; $2"
  on "$1" env STAMPEDE_PLUGIN=zookeeper STAMPEDE_COMPONENT=zookeeper_server /opt/stampede/run script /tmp/script.sh
}
voters() { # NODE
  script "$1" 'zk_voters "$STAMPEDE_NODE"' | tr '\n' ' '
}

for node in worker-{1,2,3,4}; do node_begin "$node"; done
three=$(set_of worker-1 1 worker-2 2 worker-3 3)
lay "$(scenario "$three" '{}')" worker-{1,2,3}
boot worker-{1,2,3}
saw "three voters are verified: $(stages_of worker-1)"
[[ $(voters worker-2) == '1 worker-1 2 worker-2 3 worker-3 ' ]] || failed "the voters are $(voters worker-2)"

# every number that was taken is written down; the writer knows all servers
cat >"$work/writer.sh" <<'END'
. /usr/local/lib/zookeeper/servers.sh
all=worker-1:2181,worker-2:2181,worker-3:2181,worker-4:2181
try=0
while [[ ! -e /tmp/enough ]]; do
  {
    for ((n = 0; n < 50; n++)); do echo "create /kept/$((try * 50 + n)) x"; done
    echo quit
  } | sed 's/^/ /' | timeout 60 "$(readlink -f /opt/java-zookeeper)/bin/java" -Xmx64m -Dzookeeper.level=ERROR -cp '/etc/zookeeper:/opt/zookeeper/lib/*' \
    org.apache.zookeeper.ZooKeeperMain -waitforconnection -timeout 20000 -server "$all" 2>&1 | sed -n 's#^.*Created /kept/##p' >>/tmp/taken || true
  try=$((try + 1))
done
END
script worker-1 'printf "%s\n" "create /kept" quit | zk_run worker-1' >/dev/null
cp "$work/writer.sh" "/proc/${INIT[worker-1]}/root/tmp/writer.sh"
on worker-1 bash /tmp/writer.sh &
writer=$!
taken() { (($(wc -l <"$work/worker-1/tmp/taken") > ${1:-0})); }
until_so 'the writer writes' taken

# --- the leader is killed, and comes back

leader=''
for node in worker-{1,2,3}; do if [[ $(script "$node" 'zk_mode "$STAMPEDE_NODE"') == leader ]]; then leader=$node; fi; done
before=$(wc -l <"$work/worker-1/tmp/taken")
on "$leader" bash -c 'kill -KILL "$(</run/units/zookeeper.main)"'
until_so 'writing goes on' taken "$before"
until_so 'the one that was killed serves again' script "$leader" 'zk_mode "$STAMPEDE_NODE"'
saw "$leader led, was killed and serves again"

# --- one is to go for good: worker-4 comes, then worker-2 goes

four=$(set_of worker-1 1 worker-2 2 worker-3 3 worker-4 4)
lay "$(scenario "$four" "{\"joined\": {\"zookeeper_server\": $(set_of worker-4 4)}}")" worker-{1,2,3,4}
sed -i 's/^STAMPEDE_GENERATION=.*/STAMPEDE_GENERATION=1/' "/proc/${INIT[worker-4]}/root/etc/stampede/env"
boot worker-4
[[ $(voters worker-4) == '1 worker-1 2 worker-2 3 worker-3 ' ]] || failed "who has just come votes already: $(voters worker-4)"
saw "worker-4 follows without a vote: $(stages_of worker-4)"
on worker-4 systemctl stop zookeeper
on worker-4 systemctl start zookeeper
until_so 'it follows again after a restart' script worker-4 'zk_mode "$STAMPEDE_NODE"'
saw 'and does so after a restart, too'
change 1 worker-1 members || failed 'it is let in to vote'
[[ $(voters worker-3) == '1 worker-1 2 worker-2 3 worker-3 4 worker-4 ' ]] || failed "the voters are $(voters worker-3)"
saw 'members: four vote'
lay "$(scenario "$four" "{\"leaving\": {\"zookeeper_server\": $(set_of worker-2 2)}}")" worker-1
change 2 worker-1 drain || failed 'one is let go of'
[[ $(voters worker-3) == '1 worker-1 3 worker-3 4 worker-4 ' ]] || failed "the voters are $(voters worker-3)"
saw 'drain: three vote'
node_end worker-2
three=$(set_of worker-1 1 worker-3 3 worker-4 4)
lay "$(scenario "$three" "{\"left\": {\"zookeeper_server\": $(set_of worker-2 2)}}")" worker-{1,3,4}
change 3 worker-1 members || failed 'members after one has gone'

# --- all that was taken is there

: >"$work/worker-1/tmp/enough"
wait "$writer" || true
sort -u "$work/worker-1/tmp/taken" >"$work/taken"
for node in worker-{1,3,4}; do
  script "$node" 'printf "%s\n" "sync /kept" "ls /kept" quit | zk_run "$STAMPEDE_NODE"' | grep -o '\[[0-9, ]*\]' | tail -n 1 | tr -d '[] ' | tr , '\n' | sort -u >"$work/there"
  lost=$(comm -23 "$work/taken" "$work/there" | wc -l)
  ((lost == 0)) || failed "$node lacks $lost of $(wc -l <"$work/taken") writes"
done
saw "none of $(wc -l <"$work/taken") writes that were taken is lost on any of the three"

# --- nobody is let go of where the others are no majority

node_end worker-4
lay "$(scenario "$three" "{\"leaving\": {\"zookeeper_server\": $(set_of worker-3 3)}}")" worker-1
! change 4 worker-1 drain || failed 'one was let go of though of the two others one is dead'
grep -q 'of 2 servers of ZooKeeper that would stay 1 answer' "$work/worker-1/var/log/stampede.log" || failed 'it is said why'
[[ $(voters worker-1) == '1 worker-1 3 worker-3 4 worker-4 ' ]] || failed 'nothing was touched'
saw 'with one dead nobody else is let go of, and it is said why'
