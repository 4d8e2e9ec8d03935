# shellcheck shell=bash disable=SC2034
# watch.sh - changes of the running cluster: looked for in the server's metadata, and done. What host and node say to one another stands in README.md.
# A part of /opt/stampede/run.

meta_load() { META=$(curl -sf --noproxy '*' --connect-timeout 5 --max-time 20 http://169.254.169.254/openstack/latest/meta_data.json); }

# meta KEY - prints the server's metadata KEY
meta() {
  local value
  value=$(stampede_value "$META" "$1") && printf '%s\n' "${value//\\\//\/}"
}

# does the metadata service know this node? Answers take their time while many nodes boot
meta_shows_node() {
  local try
  trap - ERR EXIT
  way_out
  for try in 1 2 3; do
    if meta_load && [[ $(meta stampede_node) == "$STAMPEDE_NODE" ]]; then return 0; fi
    sleep "$try"
  done
  return 1
}

# change_fetch - the payload of the change, whole, becomes /opt/stampede/change.sh; Heat sets keys one after another, so a part may be of another one.
# Status 2: it is whole, and cannot be written
change_fetch() {
  local parts part text='' key i
  parts=$(meta stampede_parts) && [[ $parts =~ ^[0-9]{1,3}$ ]] || return 1
  for ((i = 0; i < 10#$parts; i++)); do
    printf -v key 'stampede_part_%03d' "$i"
    part=$(meta "$key") || return 1
    text+=$part
  done
  [[ $(printf %s "$text" | sha256sum) == "$(meta stampede_sha256)  -" ]] || return 1
  if (umask 077 && printf %s "$text" | base64 -d | gzip -d >/opt/stampede/change.sh.new) && mv -f /opt/stampede/change.sh.new /opt/stampede/change.sh; then return 0; fi
  rm -f /opt/stampede/change.sh.new
  return 2
}

change_alive() { [[ -n $CHANGE_PID ]] && kill -0 "$CHANGE_PID" 2>/dev/null; }

# a change that still waits while a newer one is there is ended, with all that it started
change_end() {
  local i
  [[ -n $CHANGE_PID ]] || return 0
  kill -TERM -- "-$CHANGE_PID" 2>/dev/null || true
  for ((i = 0; i < 100; i++)); do
    change_alive || break
    sleep 0.1
  done
  kill -KILL -- "-$CHANGE_PID" 2>/dev/null || true
  wait "$CHANGE_PID" || true
  CHANGE_PID=
}

# look - one look at the metadata: begins the change that is newer than what was done or is under way
look() {
  local new stages=() status=0
  meta_load || return 0
  new=$(meta stampede_generation) && [[ $new =~ ^[0-9]{1,15}$ ]] && ((10#$new > DOING)) || return 0
  change_fetch || status=$?
  if ((status == 1)); then
    [[ ${UNFIT-} == "$new" ]] || stampede_say "change $new: the parts do not fit their checksum yet"
    UNFIT=$new
    return 0
  fi
  read -ra stages < <(meta stampede_stages) || true
  change_end
  rm -f "$STAMPEDE_KEPT/outcome" "$STAMPEDE_RUN/outcome"
  DOING=$((10#$new))
  if ((status == 2)); then
    STAMPEDE_CHANGE=$DOING stampede_outcome "failed node change cannot write /opt/stampede/change.sh: is the disk full? $(df -h --output=avail,target /opt/stampede | tail -n 1)"
    return 0
  fi
  setsid /opt/stampede/run change "$DOING" "${stages[@]}" &
  CHANGE_PID=$!
}

watch() {
  local nodes every delay=0 next=0 fenced=0
  nodes=$(stampede_node_names "$STAMPEDE_NODES" | wc -l)
  every=$((nodes / 10 > 5 ? nodes / 10 : 5))
  CHANGE_PID='' DOING=${STAMPEDE_GENERATION:-0}
  until [[ -e $STAMPEDE_KEPT/signalled ]]; do
    # what became of the first run, until Heat has taken it
    if STAMPEDE_TRIES=1 stampede_deliver_verdict; then delay=$every; else delay=$((delay < 30 ? delay + every : 30)); fi
    [[ -e $STAMPEDE_KEPT/signalled ]] || sleep "$delay"
  done
  delay=0
  DOING=$(stampede_kept generation) || DOING=${STAMPEDE_GENERATION:-0}
  trap change_end EXIT
  while :; do
    stampede_clock
    if ((STAMPEDE_UP >= fenced)); then # whatever configures the network may have taken it away
      node_fence || true
      fenced=$((STAMPEDE_UP + 60))
    fi
    look
    if [[ -n $CHANGE_PID ]] && ! change_alive; then
      change_ended
      exec "$0" watch # with the frame and the variables that the change has left
    elif [[ -z $CHANGE_PID ]] && ((STAMPEDE_UP >= next)); then
      # a Heat that takes nothing is asked ever less often
      if STAMPEDE_TRIES=1 stampede_deliver; then delay=0; else delay=$((delay < 60 ? delay + every : 60)); fi
      next=$((STAMPEDE_UP + delay))
    fi
    [[ -n $CHANGE_PID ]] || manifest_health
    pause "$((every * 1000 + RANDOM % (every * 250)))" # not all nodes at the same moment
  done
}

# pause MILLISECONDS - or until the change under way has ended
pause() {
  local i
  for ((i = 0; i < $1; i += 500)); do
    change_alive || break
    sleep 0.5
  done
  [[ -n $CHANGE_PID ]] || sleep "$(($1 / 1000)).$(printf %03d $(($1 % 1000)))"
}

# a change says itself what became of it; one that could not, because it was killed, is not tried for ever
change_ended() {
  local status=0
  wait "$CHANGE_PID" || status=$?
  rm -f "$MANIFEST_STEP"
  if [[ $(stampede_kept generation) != "$DOING" ]]; then
    STAMPEDE_CHANGE=$DOING stampede_outcome "failed node change ended with status $status; see /var/log/stampede.log"
  fi
}

change() { # GENERATION STAGE...
  local stage
  trap 'trap - ERR EXIT; exit 143' TERM
  begin_tries
  stampede_progress_begin
  STAMPEDE_STAGE=change STAMPEDE_SCRIPT=/opt/stampede/change.sh
  for stage in "${@:2}"; do
    case $stage in setup | drain | ready | smoke | members) ;; *) stampede_fail "there is no stage $stage" ;; esac
  done
  stage node change apply
  STAMPEDE_SCRIPT=/opt/stampede/run
  for stage in "${@:2}"; do
    [[ $stage != setup ]] || stage node setup node_setup
    stages "$stage"
  done
  stampede_say "$STAMPEDE_NODE change $STAMPEDE_CHANGE done: $STAGES"
  rm -f "$STAMPEDE_KEPT/later"
  stampede_outcome 'done' # the watcher delivers it
  stampede_progress_end
}

apply() {
  rm -f "$MANIFEST_STEP" # of an earlier change
  local what
  IFS= read -r what </opt/stampede/change.sh || true
  [[ ${what-} == '# upgrade.sh'* ]] || rm -rf "$STAMPEDE_KEPT/next" # of an upgrade that nobody takes back any more
  # shellcheck source=/dev/null
  . /opt/stampede/change.sh
  stampede_file 0644 "$STAMPEDE_KEPT/lib.sh" </opt/stampede/lib.sh
  # shellcheck source=templates/node/manifest.sh
  . /opt/stampede/manifest.sh
  node_hosts_file # a group that is new has names of its own, also for nodes that run no stage
}
