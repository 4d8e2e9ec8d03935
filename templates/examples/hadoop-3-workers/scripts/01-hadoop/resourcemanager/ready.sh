. /usr/local/lib/hadoop/lib.sh

wanted=$(expected nodemanager)
everybody() {
  local metrics active sick
  metrics=$(yarn_ask metrics) || metrics=''
  active=$(field activeNodes <<<"$metrics")
  sick=$(field unhealthyNodes <<<"$metrics")
  ((${sick:-0} == 0)) && sick='' || sick=", $sick unhealthy"
  stampede_detail "${active:-0} of $wanted NodeManagers$sick"
  ((${active:-0} >= wanted))
}

stampede_wait "$STAMPEDE_TIMEOUT_S" 'not every NodeManager has registered' everybody
