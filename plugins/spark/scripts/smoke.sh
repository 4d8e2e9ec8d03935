# shellcheck shell=bash disable=SC1091
# Proves the cluster: words are counted on every worker, and the answer is looked at.
. /usr/local/lib/spark/cluster.sh
nodes=$(stampede_members spark_worker | cut -d ' ' -f 1 | sort | paste -sd ,)
count=$(stampede_members spark_worker | wc -l)
out=$(mktemp)
trap 'rm -f "$out" "$out.log"' EXIT
stampede_detail "counting words on $count workers"
# one small executor on each: a master spreads them
spark_run timeout "$STAMPEDE_TIMEOUT_S" /opt/spark/bin/spark-submit --driver-memory 512m --conf spark.executor.memory=512m --conf spark.executor.cores=1 \
  --conf "spark.cores.max=$count" --conf spark.dynamicAllocation.enabled=false --conf spark.ui.enabled=false \
  --driver-java-options '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' --conf spark.executor.extraJavaOptions='-XX:TieredStopAtLevel=1' \
  /usr/local/lib/spark/smoke.py "$count" >"$out" 2>"$out.log" || {
  cat "$out.log" >&2
  stampede_fail "counting words failed: $(grep -aE '(Exception|Error)' "$out.log" | grep -avE '^[[:space:]]+at ' | tail -n 1)"
}
got=$(sed -n 's/^ANSWER //p' "$out")
want="alpha=$((4 * count * 2000)) beta=$((4 * count * 1000)) partitions=$((4 * count)) nodes=$nodes"
[[ $got == "$want" ]] || {
  cat "$out.log" >&2
  stampede_fail "words are counted wrong, or not everywhere: $got, expected $want"
}
stampede_detail "words are counted right on $nodes"
