# shellcheck shell=bash disable=SC1091
# All workers are registered. In a change one that was dead before holds nobody up.
. /usr/local/lib/spark/cluster.sh
all=$(stampede_members spark_worker | wc -l)
registered() {
  local alive
  alive=$(spark_alive) || { stampede_detail "Spark's master does not answer"; return 1; }
  alive=$(grep -c . <<<"$alive") || true
  stampede_detail "$alive of $all Spark workers are registered"
  ((alive == all)) || { ((STAMPEDE_CHANGE > 0 && alive > 0)) && [[ -n ${GIVES_UP-} ]] && ((SECONDS > GIVES_UP)); }
}
((STAMPEDE_CHANGE == 0)) || GIVES_UP=$((SECONDS + 90))
stampede_wait "$STAMPEDE_TIMEOUT_S" "not all of Spark's workers are registered; see journalctl -u spark-master" registered
