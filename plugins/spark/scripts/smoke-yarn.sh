# shellcheck shell=bash disable=SC1091
# Proves Spark on YARN: words are counted on every NodeManager, and the answer, which lies in HDFS, is looked at. YARN puts containers where it likes, so
# nodes that it left out are asked for again, without the others.
. /usr/local/lib/spark/cluster.sh
export HADOOP_CLIENT_OPTS='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx128m'
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

# a line `NODE FREE_MIB` for each
yarn_nodes() {
  spark_get "$SPARK_YARN_WEB/ws/v1/cluster/nodes?states=RUNNING" | python3 -c '
import json, sys
for one in (json.load(sys.stdin)["nodes"] or {}).get("node", []):
    print(one["nodeHostName"], one["availMemoryMB"])' | sort
}
some_nodes() { yarn_nodes >"$out/nodes" && [[ -s $out/nodes ]]; }
stampede_wait "$STAMPEDE_TIMEOUT_S" 'YARN has no node that runs' some_nodes
cut -d ' ' -f 1 "$out/nodes" | sort >"$out/left"
: >"$out/proved"

# no two executors fit on one node, where nodes are alike
least=$(cut -d ' ' -f 2 "$out/nodes" | sort -n | head -n 1)
unit=$SPARK_YARN_UNIT_MIB # containers are multiples of it; the driver's has 768 MiB at least, and each executor takes 256 beside its heap
heap=$(((least - (768 + unit - 1) / unit * unit) / unit * unit - 256))
heap=$((heap < 512 ? 512 : heap > 4096 ? 4096 : heap))

for _ in 1 2 3; do
  count=$(wc -l <"$out/left")
  folder=/user/spark/stampede-smoke-$EPOCHSECONDS
  without=()
  [[ ! -s $out/proved ]] || without=(--conf "spark.yarn.exclude.nodes=$(paste -sd , "$out/proved")")
  stampede_detail "counting words on $count nodes of YARN"
  spark_run timeout "$STAMPEDE_TIMEOUT_S" /opt/spark/bin/spark-submit --deploy-mode cluster --driver-memory 512m --conf spark.driver.memoryOverhead=256m \
    --conf "spark.executor.memory=${heap}m" --conf spark.executor.memoryOverhead=256m --conf spark.executor.cores=1 --conf "spark.executor.instances=$count" \
    --conf spark.dynamicAllocation.enabled=false "${without[@]}" --conf spark.yarn.maxAppAttempts=1 \
    /usr/local/lib/spark/smoke.py "$count" "$folder" >"$out/log" 2>&1 || {
    cat "$out/log" >&2
    stampede_fail "counting words on YARN failed: $(grep -aE '(Exception|Error|diagnostics)' "$out/log" | grep -avE '^[[:space:]]+at ' | tail -n 1)"
  }
  app=$(grep -ao 'application_[0-9]*_[0-9]*' "$out/log" | head -n 1)
  got=$(spark_run hdfs dfs -cat "$folder/part-00000" 2>>"$out/log") || stampede_fail "$app left no answer in HDFS"
  spark_run hdfs dfs -rm -r -skipTrash "$folder" >&2 || true
  [[ $got == "alpha=$((4 * count * 2000)) beta=$((4 * count * 1000)) partitions=$((4 * count)) nodes="?* ]] || stampede_fail "words are counted wrong: $got"
  tr , '\n' <<<"${got#*nodes=}" | sort -u "$out/proved" - >"$out/both"
  mv "$out/both" "$out/proved"
  comm -23 <(cut -d ' ' -f 1 "$out/nodes" | sort) "$out/proved" >"$out/left"
  [[ -s $out/left ]] || break
done
[[ ! -s $out/left ]] || stampede_fail "no executor ran on $(paste -sd , "$out/left")"

# the history server shows it
shown() { spark_get "$SPARK_HISTORY_WEB/api/v1/applications/$app" | grep -Eq '"completed" *: *true'; }
stampede_wait 120 "the history server does not show $app; see journalctl -u spark-history-server" shown
stampede_detail "words are counted right on $(paste -sd , "$out/proved"), and the history server shows it"
