# shellcheck shell=bash disable=SC1091
# Workers that leave get no more work; their tasks may end, their blocks move to others. What is still there after that is computed anew elsewhere.
. /usr/local/lib/spark/cluster.sh
workers=$(spark_workers) || stampede_fail "Spark's master does not answer, so no worker can be let go of: see journalctl -u spark-master"
leaving=$(grep -E '(ALIVE|DECOMMISSIONED)' <<<"$workers" | cut -d ' ' -f 1 | grep -xFf <(stampede_leaving spark_worker | cut -d ' ' -f 1)) || leaving=
[[ -n $leaving ]] || exit 0

for node in $leaving; do
  ! grep -q "^$node ALIVE " <<<"$workers" || spark_get -o /dev/null -X POST "http://127.0.0.1:8080/workers/kill/?host=$node" ||
    stampede_fail "Spark's master does not let $node go: see journalctl -u spark-master"
done
# as the worker says itself: the master no longer counts for one that it has let go of. One that does not answer holds nothing
held() {
  spark_get "http://$1:8091/json/" 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["coresused"])' 2>/dev/null || echo 0
}
idle() {
  local cores=0 node
  for node in $leaving; do cores=$((cores + $(held "$node"))); done
  stampede_detail "tasks hold $cores processors of Spark workers that leave"
  stampede_clock
  ((cores == 0 || STAMPEDE_UP >= END))
}
stampede_clock
END=$((STAMPEDE_UP + SPARK_DRAIN_S))
stampede_wait "$((SPARK_DRAIN_S + 60))" "Spark's workers do not say what they do" idle
