. /usr/local/lib/hadoop/lib.sh

state='' health='' sick_since=''
works() {
  if nodemanager_taken; then return 0; fi
  if [[ $state != UNHEALTHY ]]; then
    sick_since=''
    stampede_detail 'the ResourceManager has not taken its NodeManager yet'
    return 1
  fi
  stampede_detail "YARN finds this node unhealthy: ${health:0:150}"
  stampede_clock
  sick_since=${sick_since:-$STAMPEDE_UP}
  ((STAMPEDE_UP - sick_since < 45 || STAMPEDE_CHANGE > 0)) || stampede_fail "YARN finds this node unhealthy: ${health:0:150}"
  return 1
}

stampede_wait "$STAMPEDE_TIMEOUT_S" 'the ResourceManager has not taken this node; see journalctl -u hadoop-nodemanager' works
