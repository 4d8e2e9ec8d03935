# shellcheck shell=bash disable=SC1091,SC2154
# Tells YARN who leaves, and waits until nothing of its applications is left on them. HDFS is asked first whether it can let go, which it is told to after this:
# who cannot leave there loses no container here.
. /usr/local/lib/hadoop/lib.sh
. /usr/local/lib/hadoop/leave.sh

# needs WORKER - names the applications that go on and need what their containers left there: reducers of MapReduce fetch it from the NodeManager, and
# of others nobody knows. Spark's executors have taken along what they had. YARN itself would wait for every application that ran there.
needs() {
  local there id type
  there=$(ask "http://$1:8042/ws/v1/node/apps?state=RUNNING") || return 1
  for id in $(grep -o 'application_[0-9_]*' <<<"$there" | sort -u); do
    type=$(yarn_ask "apps/$id" | field applicationType)
    [[ $type == SPARK ]] || echo "$id"
  done
}

let_go() {
  local worker yarn state run why rest=''
  free=()
  if ! resourcemanager_works; then
    stampede_detail 'the ResourceManager does not answer'
    return 1
  fi
  for worker in "${leaving[@]}"; do
    # 22 says that there is no such node, all others that nobody answers
    yarn=$(yarn_ask "nodes/$worker:8041") || (($? == 22)) || return 1
    state=$(field state <<<"$yarn") run=$(field numContainers <<<"$yarn")
    case $state in
      DECOMMISSIONING | RUNNING | UNHEALTHY | NEW | REBOOTED) ;;
      *) continue ;;
    esac
    # one that is not yet told to leave may still get work
    if [[ $state != DECOMMISSIONING || $run != 0 ]]; then
      why="$run containers run"
    elif ! why=$(needs "$worker"); then
      why='its NodeManager does not answer'
    elif [[ -z $why ]]; then
      free+=("$worker")
      continue
    else
      why="${why//$'\n'/, } needs what it left there"
    fi
    rest+="${rest:+; }$worker: $why"
  done
  [[ -n $rest ]] || return 0
  stampede_detail "$rest"
  return 1
}

who_leaves datanode
if ((${#leaving[@]} > 0)); then
  namenode_serves
  spread
fi
who_leaves nodemanager
if ((${#leaving[@]} > 0)); then
  excluded "$data/exclude-yarn" "${leaving[@]}"
  tell_yarn
  stampede_wait "$STAMPEDE_TIMEOUT_S" 'the workers that leave still run something' let_go
  # at once, for those whom nothing but YARN's own patience holds
  ((${#free[@]} == 0)) || as_daemon yarn /usr/local/bin/yarn rmadmin -refreshNodes
fi
