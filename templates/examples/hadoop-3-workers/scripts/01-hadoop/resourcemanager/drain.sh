. /usr/local/lib/hadoop/lib.sh
. /usr/local/lib/hadoop/leave.sh

let_go() {
  local worker yarn rest=''
  if ! resourcemanager_works; then
    stampede_detail 'the ResourceManager does not answer'
    return 1
  fi
  for worker in "${leaving[@]}"; do
    yarn=$(yarn_ask "nodes/$worker:8041") || (($? == 22)) || return 1
    case $(field state <<<"$yarn") in
      RUNNING | DECOMMISSIONING | UNHEALTHY | NEW | REBOOTED) rest+="${rest:+; }$worker: $(field numContainers <<<"$yarn") containers run" ;;
    esac
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
fi
