#!/bin/bash
# /opt/stampede/run - every stage of this node, in the chain's order. A second run changes nothing.
# /opt/stampede/run prove - the same, and the smoke stages once more.
# /opt/stampede/run script FILE - one script, as a stage runs it.
# /opt/stampede/run watch - the unit stampede-watch: tells Heat what became of this node, looks for changes of the cluster and has them done.
# /opt/stampede/run fence - the unit stampede-fence: keeps all but root from the metadata service.
# /opt/stampede/run change GENERATION STAGE... - applies /opt/stampede/change.sh, then runs the stages.
set -Eeuo pipefail
# shellcheck source=/dev/null
. /etc/stampede/env
# shellcheck source=templates/node/lib.sh
. /opt/stampede/lib.sh
# shellcheck source=templates/node/manifest.sh
. /opt/stampede/manifest.sh

if [[ ${1-} == script ]]; then
  STAMPEDE_SCRIPT=$2
  export STAMPEDE_PLUGIN STAMPEDE_CHANGE=${STAMPEDE_CHANGE:-${STAMPEDE_GENERATION:-0}} # of the one that the node boots in
  trap 'stampede_trapped' ERR
  # shellcheck source=/dev/null
  . "$2"
  exit
fi

# --- stages

# stage PLUGIN STAGE COMMAND... - runs it, reports its end and its seconds
stage() {
  local start took
  stampede_clock
  start=$STAMPEDE_UP
  STAMPEDE_PLUGIN=$1 STAMPEDE_STAGE=$2
  rm -f "$STAMPEDE_RUN"/{reason,line,command}
  stampede_say "$1 $2 began"
  STAMPEDE_LOG_LINES=$(wc -l <"$STAMPEDE_LOG")
  "${@:3}"
  stampede_clock
  took="$((STAMPEDE_UP - start)) s"
  stampede_say "$1 $2 done $took"
  stampede_progress "done $took"
  STAGES+="${STAGES:+, }$1 $2 $took"
}

script() {
  export STAMPEDE_PLUGIN STAMPEDE_STAGE
  "$BASH" /opt/stampede/run script "$1" 3>&- 8>&- 9>&- || stampede_failed $?
}

# a job that proved these very scripts and files once need not run again, unless it is asked for
smoke() {
  local kept="$STAMPEDE_KEPT/proved-$STAMPEDE_PLUGIN${STAMPEDE_COMPONENT:+-$STAMPEDE_COMPONENT}" sum
  sum=$({ cat "${1%/*}"/*.sh /etc/stampede/env /opt/stampede/{manifest,members,files/*} 2>/dev/null || true; } | sha512sum)
  if [[ $PROVE == no && -f $kept && $(<"$kept") == "$sum" ]]; then
    stampede_say "$STAMPEDE_PLUGIN was proved before"
    return 0
  fi
  script "$1"
  printf '%s\n' "$sum" >"$kept"
}

stages() {
  local stage
  for stage in "$@"; do manifest_stage "$stage"; done
}

# --- the first run, and those by hand

run() {
  local metadata='' looked
  begin_tries
  stampede_progress_begin
  stampede_progress began
  if ! stampede_settled; then
    node_system
    first_begin
  fi
  stage node setup node_setup
  # it asks by curl, which this image may not have had
  if ! stampede_settled; then meta_shows_node 3>&- 8>&- 9>&- & looked=$!; fi
  stages setup ready smoke
  stampede_say "$STAMPEDE_NODE ready: $STAGES"
  [[ -z ${looked-} ]] || wait "$looked" || metadata=', no metadata service'
  stampede_verdict SUCCESS "$STAMPEDE_NODE ready$metadata" "$STAGES"
  STAMPEDE_TRIES=5 stampede_deliver_verdict || stampede_delivered_later
  rm -f "$STAMPEDE_RUN/cut" "$MANIFEST_STEP"
  stampede_progress_end
  systemctl start --no-block stampede-watch
  echo "$STAMPEDE_NODE ready: $STAGES" >&3
}

# what may pass is tried again for half of the cluster's time, over all stages together
begin_tries() {
  unset STAMPEDE_GIVES_UP
  stampede_time_left
  export STAMPEDE_GIVES_UP
}

# a boot other than that of the last try: a reset came in between, and what was written then need not be whole
first_begin() {
  local boot kept=$STAMPEDE_KEPT/boot
  boot=$(</proc/sys/kernel/random/boot_id)
  if [[ -e $kept && $(<"$kept") != "$boot" ]]; then
    stampede_say 'a reset ended the last run; going on'
    : >"$STAMPEDE_RUN/cut"
  fi
  printf '%s\n' "$boot" >"$kept"
  sync "$kept"
}
