# shellcheck shell=bash disable=SC2154
# Spark standalone on a master and two workers: its job, what people run, a worker that is let go of and comes back after all.

scenario() { # VERSION CHANGE
  printf '{"groups": [["master", 1, 4096], ["worker", 2, 2048]], "frameworks": [{"name": "spark", "version": "%s", "settings": {"sha512": "%s", "drain_s": 60}}], "change": %s}' \
    "$1" "$(sum_of "spark/spark-$1/spark-$1-bin-hadoop3.tgz")" "$2"
}
check() { # NODE COMPONENT COMMAND - as a check runs, its sentence and status
  printf '. /usr/local/lib/spark/cluster.sh; %s\n' "$3" >"/proc/${INIT[$1]}/root/tmp/check.sh"
  on "$1" env STAMPEDE_PLUGIN=spark STAMPEDE_COMPONENT="$2" /opt/stampede/run script /tmp/check.sh
}
all=(master worker-1 worker-2)

for version in ${SPARK_VERSIONS:-4.2.0 3.5.9}; do
  for node in "${all[@]}"; do node_begin "$node"; done
  lay "$(scenario "$version" '{}')" "${all[@]}"
  boot "${all[@]}"
  saw "$version: words are counted on both workers: $(stages_of master)"
  grep -q 'words are counted right on worker-1,worker-2' "$work/master/var/log/stampede.log" || failed 'the answer is told'
  [[ $(check master spark_master spark_master_health) == '2 of 2 workers are registered' ]] || failed "the master's health"
  [[ $(check master spark_master spark_jobs) == 0 ]] || failed 'no job runs'

  # who is not in its group reads no secret, and gets nothing from the master
  on worker-1 runuser -u nobody -- cat /etc/spark/spark-defaults.conf >"$work/read" 2>&1 && failed 'anybody reads the secret'
  printf 'spark.master spark://master:7077\nspark.authenticate true\nspark.authenticate.secret wrong\nspark.network.timeout 10s\nspark.rpc.askTimeout 5s\n' >"$work/worker-1/tmp/wrong.conf"
  if on worker-1 timeout 40 spark-submit --properties-file /tmp/wrong.conf --conf spark.ui.enabled=false /usr/local/lib/spark/../../../../opt/spark/examples/src/main/python/pi.py 2 >"$work/wrong" 2>&1; then
    failed 'an application with another secret runs'
  fi
  saw "$version: an application without the secret gets nothing"

  # people's own: with what spark-defaults.conf says, executors come by themselves
  on worker-2 timeout 120 runuser -u spark -- env HOME=/tmp spark-submit --conf spark.ui.enabled=false /opt/spark/examples/src/main/python/pi.py 8 >"$work/pi" 2>"$work/pi.log" ||
    { tail -n 20 "$work/pi.log" >&2; failed 'pi is computed'; }
  grep -q '^Pi is roughly 3\.1' "$work/pi" || failed "pi: $(cat "$work/pi")"
  saw "$version: $(cat "$work/pi")"

  # a second run changes nothing
  on master systemctl is-active --quiet spark-master || failed 'the master runs'
  before=$(on master cat /run/units/spark-master.main)
  on master /opt/stampede/run >"$work/run-master" 2>&1 || failed 'a second run'
  [[ $(on master cat /run/units/spark-master.main) == "$before" ]] || failed 'a second run restarts the master'

  # worker-1 is to leave while an application holds executors on both
  cat >"$work/master/tmp/long.py" <<'END'
import time
from pyspark import SparkContext
context = SparkContext(appName="long")
while context._jsc.sc().getExecutorMemoryStatus().size() < 3: time.sleep(0.2)
open("/tmp/both", "w").close()
print("SUM", context.parallelize(range(120), 120).map(lambda n: (time.sleep(0.5), n)[1]).sum(), flush=True)
END
  on master timeout 240 runuser -u spark -- env HOME=/tmp spark-submit --conf spark.ui.enabled=false --conf spark.executor.cores=1 --conf spark.executor.memory=512m \
    --conf spark.dynamicAllocation.enabled=false --conf spark.cores.max=2 /tmp/long.py >"$work/long" 2>"$work/long.log" &
  long=$!
  until_so 'an executor runs on both workers' test -e "$work/master/tmp/both"
  [[ $(check master spark_master spark_jobs) == 1 ]] || failed 'an application is a job'
  lay "$(scenario "$version" '{"leaving": {"spark_worker": [["worker-1", 1]]}}')" master
  change 1 master drain || failed 'worker-1 is let go of'
  [[ $(check master spark_master spark_workers | tr '\n' ' ') =~ ^worker-1\ DECOMMISSIONED.*worker-2\ ALIVE ]] || failed "the workers: $(check master spark_master spark_workers)"
  grep -q 'tasks hold 0 processors' "$work/master/var/log/stampede.log" || failed 'worker-1 holds no work'
  saw "$version: drain: worker-1 takes no work and holds none"
  wait "$long" || { tail -n 20 "$work/long.log" >&2; failed 'the application ends well'; }
  grep -qx 'SUM 7140' "$work/long" || failed "the sum: $(cat "$work/long")"
  saw "$version: the application went on elsewhere, its answer is right"

  # the change is taken back: after a while it works again
  [[ $(check worker-1 spark_worker spark_worker_health || true) == 'let go of: takes no work, for 60 minutes more' ]] || failed "the health of worker-1: $(check worker-1 spark_worker spark_worker_health || true)"
  on worker-1 touch -d '2 hours ago' /run/stampede/spark-let-go
  check worker-1 spark_worker spark_worker_health >/dev/null || true
  back() { check worker-1 spark_worker spark_worker_health; }
  until_so 'worker-1 takes work again' back
  saw "$version: who was let go of and stays takes work again"

  # the master dies and comes back
  on master bash -c 'kill -KILL "$(</run/units/spark-master.main)"'
  until_so 'the master is back with both' check master spark_master spark_master_health
  saw "$version: a master that was killed has both workers again"
  for node in "${all[@]}"; do node_end "$node"; done
  rm -rf "$work"/{master,worker-1,worker-2}
done
