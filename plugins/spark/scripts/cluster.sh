# shellcheck shell=bash disable=SC1091
# cluster.sh - what the scripts and checks of Spark share.
. /etc/spark/cluster.env
SPARK_BACK_S=3600 # a worker that was let go of and is still there takes work again after this

spark_get() { curl -sf --noproxy '*' --connect-timeout 3 --max-time 8 "$@"; }

# spark_workers - prints a line `NODE STATE CORES_IN_USE` for each worker that the master knows, the newest of a node alone
spark_workers() {
  spark_get "$SPARK_MASTER_WEB/json/" | python3 -c '
import json, sys
known = {}
for one in json.load(sys.stdin)["workers"]:
    if one["state"] == "ALIVE" or known.get(one["host"], ("", 0, 0))[2] < one["lastheartbeat"]:
        known[one["host"]] = one["state"], one["coresused"], one["lastheartbeat"] if one["state"] != "ALIVE" else float("inf")
for host, (state, cores, _) in sorted(known.items()):
    print(host, state, cores)'
}

# spark_alive - prints the members that the master counts on
spark_alive() {
  local workers
  workers=$(spark_workers) || return 1
  comm -12 <(stampede_members spark_worker | cut -d ' ' -f 1 | sort) <(sed -n 's/ ALIVE .*//p' <<<"$workers" | sort)
}

# spark_run COMMAND... - as Spark's user, in a folder of its own
spark_run() { runuser -u spark -- env -C /var/lib/spark HOME=/var/lib/spark SPARK_HOME=/opt/spark SPARK_CONF_DIR=/etc/spark "$@"; }

spark_master_health() {
  local alive all
  alive=$(spark_alive) || { echo 'the master does not answer'; return 1; }
  alive=$(grep -c . <<<"$alive") || true
  all=$(stampede_members spark_worker | wc -l)
  echo "$alive of $all workers are registered"
  ((alive > 0)) || return 1
  ((alive == all)) || return 2
}

# spark_jobs - prints how many applications and drivers run or wait
spark_jobs() {
  spark_get "$SPARK_MASTER_WEB/json/" | python3 -c '
import json, sys
told = json.load(sys.stdin)
print(len(told["activeapps"]) + len(told["activedrivers"]))'
}

# let go of and not gone after all, since a change was taken back: nothing but a start of its own makes it take work again
spark_worker_health() {
  local workers state since=/run/stampede/spark-let-go left
  workers=$(spark_workers) || { echo 'the master does not answer'; return 2; }
  state=$(sed -n "s/^$STAMPEDE_NODE \([A-Z]*\) .*/\1/p" <<<"$workers")
  case $state in
    ALIVE)
      rm -f "$since"
      echo 'registered with the master'
      ;;
    DECOMMISSIONED)
      [[ -e $since ]] || : >"$since"
      left=$((SPARK_BACK_S - EPOCHSECONDS + $(stat -c %Y "$since")))
      if ((left <= 0)); then
        rm -f "$since"
        systemctl restart --no-block spark-worker
      fi
      echo "let go of: takes no work, for $((left > 0 ? (left + 59) / 60 : 0)) minutes more"
      return 2
      ;;
    *)
      echo "not registered with the master${state:+: $state}"
      return 1
      ;;
  esac
}
