# shellcheck shell=bash disable=SC2318
# units.sh - files, units and checks of a manifest, and its part in the frame. The second half of what nodes have as manifest.sh.

MANIFEST_UNITS=/etc/systemd/system
MANIFEST_LOOK_S=20   # seconds from one look at the checks to the next
MANIFEST_QUIET_S=300 # without a job before a component is told to have none
MANIFEST_SIGNAL_S=60 # and from one signal of health to the next, at least, where nothing is red anew

# --- files

# manifest_filled PLUGIN - standard input, with what each node has of its own in the place of @{...}; what it holds is never looked at by bash
manifest_filled() {
  local LC_ALL=C text out='' name value
  text=$(cat && printf x)
  text=${text%x}
  while [[ $text == *'@{'*'}'* ]]; do
    out+=${text%%'@{'*} text=${text#*'@{'}
    name=${text%%'}'*} text=${text#*'}'}
    case $name in
      node) value=$STAMPEDE_NODE ;;
      address) value=$STAMPEDE_ADDRESS ;;
      java) value=/opt/java-$1 ;;
      index.*) value=$(manifest_index "${name#index.}") ;;
      secret.*) value=$(STAMPEDE_PLUGIN=$1 stampede_secret "${name#secret.}") ;;
      *) value='' ;;
    esac
    [[ $value =~ ^[0-9a-z./-]+$ ]] || stampede_fail "there is no @{${name:0:40}} on this node"
    out+=$value
  done
  printf '%s' "$out$text"
}

manifest_file() {
  local path=${FIELD[path]} folder=${FIELD[path]%/*} new=$STAMPEDE_RUN/filled.$BASHPID
  [[ -r ${FIELD[from]} ]] || stampede_fail "the content of $path is not there: ${FIELD[from]}"
  manifest_owner "${FIELD[owner]}"
  (umask 077 && manifest_filled "${FIELD[plugin]}" <"${FIELD[from]}" >"$new")
  [[ -d $folder/ ]] || mkdir -p "$folder/"
  # whoever owns the folder could have root write elsewhere
  [[ $(stat -L -c %u "$folder/") == 0 ]] || stampede_fail "$path lies in a folder that is not root's: choose another path"
  if ! cmp -s "$new" "$path" || [[ $(stat -c '%a %U %G' "$path") != "${FIELD[mode]#0} $USER_NAME $GROUP_NAME" ]]; then
    install -o "$USER_NAME" -g "$GROUP_NAME" -m "${FIELD[mode]}" "$new" "$path.stampede-new"
    sync "$path.stampede-new"
    mv -fT "$path.stampede-new" "$path"
    stampede_say "$path is new"
  fi
  rm -f "$new"
}

# --- units

# manifest_sum COMPONENT PLUGIN EFFECT - prints one checksum of all that has this effect on the units of a component
manifest_sum() {
  {
    manifest_each file manifest_sum_file "$@"
    [[ $3 == reload ]] || for kind in apt artifact pip java; do manifest_each "$kind" manifest_sum_fetched "$@"; done
  } | sha256sum
}

manifest_concerns() { # COMPONENT PLUGIN - whether the line is of this component: of those it names, or of all of its plugin
  if [[ -n ${FIELD[component]-} ]]; then
    [[ $'\n'${FIELD[component]}$'\n' == *$'\n'"$1"$'\n'* ]]
  else
    [[ ${FIELD[plugin]-$2} == "$2" ]]
  fi
}

manifest_sum_file() { # COMPONENT PLUGIN EFFECT
  [[ ${FIELD[effect]} == "$3" ]] && manifest_concerns "$1" "$2" || return 0
  printf '%s\n' "${FIELD[path]} ${FIELD[mode]} ${FIELD[owner]}"
  sha256sum <"${FIELD[path]}"
}

manifest_sum_fetched() { # COMPONENT PLUGIN
  manifest_concerns "$1" "$2" || return 0
  printf '%s\n' "${FIELD[to]-} ${FIELD[sum]-} ${FIELD[line]-}${FIELD[package]-}"
  [[ -z ${FIELD[oldest]-} ]] || readlink "/opt/java-$2" || true
}

# the frame's own lines first: what a plugin says comes later, and wins
manifest_unit() {
  local name=${FIELD[name]} filled one mounts='' home=''
  manifest_owner "${FIELD[owner]}"
  [[ -z ${FIELD[data]-} ]] || home=${FIELD[data]%%$'\n'*}
  ! findmnt --noheadings "$MANIFEST_VOLUME" >/dev/null || mounts=$MANIFEST_VOLUME
  filled=$(
    printf '%s\n' '[Unit]' "Description=Stampede: ${FIELD[component]}" 'Wants=network-online.target' 'After=network-online.target' 'StartLimitIntervalSec=0' \
      ${mounts:+"RequiresMountsFor=$mounts"} '' '[Service]' "User=$USER_NAME" "Group=$GROUP_NAME" ${home:+"WorkingDirectory=$home"} "ExecStart=${FIELD[exec]}" \
      'Restart=always' 'RestartSec=2' 'SuccessExitStatus=143' 'LimitNOFILE=1048576' 'LimitNPROC=infinity' 'TasksMax=infinity' \
      'IPAddressDeny=169.254.169.254 fe80::a9fe:a9fe'
    [[ -z ${FIELD[directive]-} ]] || printf '%s\n' "${FIELD[directive]}"
    printf '%s\n' '' '[Install]' 'WantedBy=multi-user.target'
  )
  filled=$(manifest_filled "$(manifest_plugin "${FIELD[component]}")" <<<"$filled")
  stampede_file 0644 "$MANIFEST_UNITS/$name.service" <<<"$filled"
  ((STAMPEDE_CHANGED == 0)) || systemctl daemon-reload
  # nor is it restarted on all nodes at once because of a new libc or Java
  stampede_file 0644 "/etc/needrestart/conf.d/stampede-$name.conf" <<<"\$nrconf{override_rc}{qr(^$name\\.service\$)} = 0;"
}

manifest_plugin() { manifest_each component manifest_plugin_of "$1"; }
manifest_plugin_of() { [[ ${FIELD[name]} != "$1" ]] || printf '%s\n' "${FIELD[plugin]}"; }

# manifest_start COMPONENT PLUGIN - of a unit's line: runs from here on and after each boot. It is restarted where what it started with has changed,
# reloaded where only that has which it can read again. Never waits for its start: a blocking one inside cloud-init may wait for cloud-init itself.
manifest_start() {
  local name=${FIELD[name]} kept=$STAMPEDE_KEPT/units/${FIELD[name]} restart reload was_restart='' was_reload=''
  [[ ${FIELD[component]} == "$1" ]] || return 0
  restart=$(manifest_restart_sum "$1" "$2")
  reload=$(manifest_sum "$1" "$2" reload)
  [[ ! -s $kept ]] || { IFS= read -r was_restart && IFS= read -r was_reload; } <"$kept" || true
  [[ -e $MANIFEST_UNITS/multi-user.target.wants/$name.service ]] || systemctl enable --quiet "$name"
  if [[ $was_restart != "$restart" ]] || ! systemctl is-active --quiet "$name"; then
    rm -f "$kept"
    systemctl stop "$name"
    systemctl start --no-block "$name"
    stampede_say "$name is started"
  elif [[ $was_reload != "$reload" ]]; then
    systemctl reload "$name" || stampede_fail "$name cannot be reloaded; see journalctl -u $name"
    stampede_say "$name is reloaded"
  fi
  printf '%s\n' "$restart" "$reload" | stampede_file 0644 "$kept"
}

# manifest_restart_sum COMPONENT PLUGIN - of a unit's line: one checksum of all that it is restarted for
manifest_restart_sum() { cat "$MANIFEST_UNITS/${FIELD[name]}.service" <(manifest_sum "$1" "$2" restart) | sha256sum; }

# stampede_restarts UNIT - for scripts of `setup`: whether UNIT runs, and this run of the stages is going to restart it
stampede_restarts() { [[ -n $(manifest_each unit manifest_restarts "$1") ]]; }

manifest_restarts() { # UNIT
  [[ ${FIELD[name]} == "$1" ]] && systemctl is-active --quiet "$1" >/dev/null || return 0
  [[ $(head -n 1 "$STAMPEDE_KEPT/units/$1" 2>/dev/null) == "$(manifest_restart_sum "${FIELD[component]}" "$(manifest_plugin "${FIELD[component]}")")" ]] || echo yes
}

# --- what is no longer there

manifest_field() { printf '%s\n' "${FIELD[$1]-}"; }

# manifest_gone KIND KEY - prints what an earlier manifest brought and this one does not
manifest_gone() {
  [[ -s $STAMPEDE_KEPT/manifest-$1 ]] || return 0
  grep -vxFf <(manifest_each "$1" manifest_field "$2") "$STAMPEDE_KEPT/manifest-$1" || true
}

# what is brought is noted before it is, so that a reset in between loses nothing
manifest_noted() { # KIND KEY
  { cat "$STAMPEDE_KEPT/manifest-$1" 2>/dev/null || true; manifest_each "$1" manifest_field "$2"; } | sort -u | stampede_file 0644 "$STAMPEDE_KEPT/manifest-$1"
}

manifest_forget() { # KIND KEY
  manifest_each "$1" manifest_field "$2" | sort -u | stampede_file 0644 "$STAMPEDE_KEPT/manifest-$1"
}

manifest_remove() {
  local one
  for one in $(manifest_gone unit name); do
    systemctl disable --quiet --now "$one" || true
    rm -f "$MANIFEST_UNITS/$one.service" "/etc/needrestart/conf.d/stampede-$one.conf" "$STAMPEDE_KEPT/units/$one"
    systemctl daemon-reload
    stampede_say "$one is gone"
  done
  for one in $(manifest_gone file path); do rm -f "$one"; done
  for one in $(manifest_gone artifact to) $(manifest_gone pip to); do [[ ! -L $one ]] || rm -f "$one"; done
}

# manifest_sweep - what nobody uses any more, once units run with what is new. An upgrade that fails is to find what was there before
manifest_sweep() {
  local one used=' '
  [[ ! -e $STAMPEDE_KEPT/next ]] || return 0
  for one in /opt/java-* $(manifest_each artifact manifest_field to) $(manifest_each pip manifest_field to); do
    [[ ! -L $one ]] || used+="$(readlink "$one") "
  done
  for one in "$MANIFEST_STORE"/* "$MANIFEST_STORE"/.new-*; do
    [[ ! -e $one || $used == *" $one "* ]] || rm -rf "$one"
  done
}

# --- in the frame

# manifest_apply - all that stands before any script runs
manifest_apply() {
  local kind
  if declare -F manifest_check >/dev/null; then manifest_check; fi
  manifest_each component manifest_check_index
  for kind in 'unit name' 'file path' 'artifact to' 'pip to'; do
    # shellcheck disable=SC2086 # two words
    manifest_noted $kind
  done
  manifest_remove
  manifest_each group manifest_group
  manifest_each user manifest_user
  manifest_each volume manifest_volume
  manifest_each data manifest_data
  manifest_each secret manifest_secret
  manifest_artifacts
  manifest_packages
  for kind in java pip file unit; do manifest_each $kind "manifest_$kind"; done
  for kind in 'unit name' 'file path' 'artifact to' 'pip to'; do
    # shellcheck disable=SC2086 # two words
    manifest_forget $kind
  done
}

# manifest_stage STAGE - of each component, in the order: its script, and in `setup` its units. `ready` begins when no check of this node is red.
manifest_stage() {
  local i forward=("${MANIFEST_LINES[@]}")
  if [[ $1 == drain ]]; then # those who came last let go first
    local MANIFEST_LINES=()
    for ((i = ${#forward[@]} - 1; i >= 0; i--)); do MANIFEST_LINES+=("${forward[i]}"); done
  fi
  [[ $1 != ready ]] || stage node ready manifest_ready
  manifest_each component manifest_component "$1"
  [[ $1 != setup ]] || manifest_sweep
}

manifest_component() { # STAGE
  local name=${FIELD[name]} plugin=${FIELD[plugin]} index path run=script
  index=$(manifest_index "$name")
  for path in /opt/stampede/scripts/*-"$plugin/$1.$name".sh; do
    [[ -e $path ]] || continue
    [[ $1 != drain && $1 != members ]] || manifest_runs "$name" || continue
    # at the first boot one member proves it
    [[ $1 != smoke || -n ${STAMPEDE_CHANGE-} || $index == "$(stampede_members "$name" | cut -d ' ' -f 2 | sort -n | head -n 1)" ]] || continue
    [[ $1 != smoke ]] || run=smoke
    STAMPEDE_COMPONENT=$name STAMPEDE_INDEX=$index stage "$plugin" "$1" $run "$path"
    [[ ! -e $STAMPEDE_RUN/later ]] || manifest_later
  done
  [[ $1 != setup ]] || manifest_each unit manifest_start "$name" "$plugin"
}

# manifest_runs COMPONENT - whether this node runs what one member of a component runs for all: of those that the change names, or of any
manifest_runs() {
  local those
  those=$(manifest_each runner manifest_field component)
  [[ -z $those || $'\n'$those$'\n' == *$'\n'"$1"$'\n'* ]]
}

manifest_later() {
  rm -f "$STAMPEDE_RUN/later"
  stampede_outcome later
  stampede_progress_end
  trap - ERR EXIT
  exit 0
}

# --- checks

manifest_ready() {
  local RED=''
  stampede_wait "$STAMPEDE_TIMEOUT_S" 'not every check of this node passes' manifest_no_red
}

manifest_no_red() {
  manifest_look
  manifest_restarts_told
  RED=$(awk -F '\t' '$2 == "red" {print $1 ": " $4; exit}' "$STAMPEDE_RUN/health.new")
  [[ -z $RED ]] && return 0
  stampede_detail "$RED"
  return 1
}

# manifest_look - writes a line `COMPONENT COLOUR TIME SENTENCE` with tabs for each component with a check or a unit, its worst. All at once, since
# what does not answer takes its time.
manifest_look() {
  : >"$STAMPEDE_RUN/restarts.new"
  {
    manifest_each unit manifest_look_unit
    manifest_each check manifest_look_aside
    wait
  } | awk -F '\t' -v now="$EPOCHSECONDS" '
    function rank(colour) { return colour == "red" ? 2 : colour == "yellow" }
    !($1 in worst) { order[++n] = $1; worst[$1] = -1 }
    rank($2) > worst[$1] { worst[$1] = rank($2); colour[$1] = $2; text[$1] = $3 }
    END { for (i = 1; i <= n; i++) print order[i] "\t" colour[order[i]] "\t" now "\t" text[order[i]] }' | sort >"$STAMPEDE_RUN/health.new"
}

manifest_look_aside() { manifest_look_check & }

manifest_told() { printf '%s\t%s\t%s\n' "${FIELD[component]}" "$1" "$(printf %s "${2:0:120}" | tr -s '[:cntrl:];' ' ')"; } # COLOUR SENTENCE

# what ended and came back between two looks is red, too, until that was told
manifest_look_unit() {
  local name=${FIELD[name]} state number known
  number=$(systemctl show --property=NRestarts --value "$name") || number=''
  printf '%s %s\n' "$name" "${number:-0}" >>"$STAMPEDE_RUN/restarts.new"
  known=$(sed -n "s/^$name //p" "$STAMPEDE_RUN/restarts" 2>/dev/null | head -n 1) || known=''
  if ! state=$(systemctl is-active "$name"); then
    manifest_told red "$name is ${state:-unknown}"
  elif ((${number:-0} > ${known:-0})); then
    manifest_told red "$name ended by itself and was started again, see journalctl -u $name"
  else
    manifest_told green "$name runs"
  fi
}

manifest_restarts_told() { mv -f "$STAMPEDE_RUN/restarts.new" "$STAMPEDE_RUN/restarts"; }

manifest_command() { # the command of a check, which has 10 seconds
  local file=$STAMPEDE_RUN/check.$BASHPID code=0
  printf '%s\n' "${FIELD[target]}" >"$file"
  STAMPEDE_PLUGIN=$(manifest_plugin "${FIELD[component]}") STAMPEDE_COMPONENT=${FIELD[component]} timeout 10 "$BASH" /opt/stampede/run script "$file" 3>&- 8>&- 9>&- || code=$?
  rm -f "$file"
  return "$code"
}

manifest_look_check() {
  local target=${FIELD[target]} code=0 said
  case ${FIELD[kind]} in
    unit)
      FIELD[name]=$target
      manifest_look_unit
      ;;
    tcp)
      # shellcheck disable=SC2016 # for that bash
      if timeout 5 bash -c ': <"/dev/tcp/$0/$1"' "$STAMPEDE_ADDRESS" "$target" 2>/dev/null; then
        manifest_told green "port $target answers"
      else
        manifest_told red "port $target does not answer"
      fi
      ;;
    http) # http://:8080/path
      code=$(curl -s -k --noproxy '*' -o /dev/null -w '%{http_code}' --max-time 10 -K <(printf 'url = "%s"\n' "${target/:\/\/:/://$STAMPEDE_ADDRESS:}")) || true
      case $code in
        2?? | 3??) manifest_told green "$target answers" ;;
        000 | '') manifest_told red "$target does not answer" ;;
        *) manifest_told red "$target answers $code" ;;
      esac
      ;;
    command)
      said=$(manifest_command 2>&1) || code=$?
      said=$(grep -a '[^[:space:]]' <<<"$said" | tail -n 1) || said=''
      case $code in
        0) manifest_told green "${said:-works}" ;;
        2) manifest_told yellow "${said:-says that something is amiss}" ;;
        124) manifest_told red "gave no answer within 10 seconds" ;;
        *) manifest_told red "${said:-failed with status $code}" ;;
      esac
      ;;
  esac
}

# manifest_jobs - adds to each component in `health.new` that tells of jobs what is told of them: `/busy` at once, `/idle=SINCE` when there was none for a
# while, so that Heat does not hear of every short job; nothing where it is not known. Since when there is none is kept for as long as the node runs.
manifest_jobs() {
  local run=$STAMPEDE_RUN
  (manifest_each check manifest_jobs_aside && wait) >"$run/jobs"
  awk -F '\t' -v OFS='\t' -v now="$EPOCHSECONDS" -v quiet="$MANIFEST_QUIET_S" -v kept="$run/idle.new" '
    from == "told" { sub(/^[^\/]*\/?/, "", $2); told[$1] = $2 }
    from == "idle" { since[$1] = $2 }
    from == "jobs" { if ($2 == "?") unknown[$1]; jobs[$1] += $2 }
    from == "look" {
      if ($1 in jobs && !($1 in unknown)) {
        word = "busy"
        if (!jobs[$1]) {
          if (!($1 in since)) since[$1] = now
          print $1, since[$1] >kept
          if (now - since[$1] >= quiet) word = "idle=" since[$1]
          else if (told[$1] == "") word = ""
        }
        if (word != "") $3 = $3 "/" word
      }
      print
    }' from=told <(cat "$STAMPEDE_KEPT/health" 2>/dev/null) from=idle <(cat "$run/idle" 2>/dev/null) from=jobs "$run/jobs" from=look "$run/health.new" >"$run/health.told"
  mv -f "$run/health.told" "$run/health.new"
  mv -f "$run/idle.new" "$run/idle" 2>/dev/null || rm -f "$run/idle"
}

manifest_jobs_aside() { [[ ${FIELD[kind]} != jobs ]] || manifest_jobs_of & }

manifest_jobs_of() {
  local said
  said=$(manifest_command 2>/dev/null) && said=${said##*$'\n'} && [[ $said =~ ^[0-9]{1,9}$ ]] || said='?'
  printf '%s\t%s\n' "${FIELD[component]}" "$said"
}

# what is compared with what Heat was told: of each component its colour and its jobs
manifest_colours() { awk -F '\t' '{sub(/^[0-9]+/, "", $3); print $1 "\t" $2 $3}' "$STAMPEDE_RUN/health"; }

# manifest_health - for the watcher: looks now and then, and tells Heat which colours have changed: what is red at once, the rest at most once a
# minute
manifest_health() {
  local now colours news
  stampede_clock
  now=$STAMPEDE_UP
  ((now >= ${MANIFEST_NEXT:-0})) || return 0
  MANIFEST_NEXT=$((now + MANIFEST_LOOK_S))
  manifest_look
  manifest_jobs
  mv -f "$STAMPEDE_RUN/health.new" "$STAMPEDE_RUN/health"
  colours=$(manifest_colours)
  if [[ $colours == "$(cat "$STAMPEDE_KEPT/health" 2>/dev/null)" ]]; then
    manifest_restarts_told
    return 0
  fi
  news=$(manifest_news)
  [[ $news == *' red '* ]] || ((now >= ${MANIFEST_TELL:-0})) || return 0
  MANIFEST_TELL=$((now + MANIFEST_SIGNAL_S))
  if STAMPEDE_TRIES=1 stampede_signal PROGRESS SUCCESS "$news" "$(manifest_worst_first | tr '\t\n' ' ;')" "health-$STAMPEDE_NODE"; then
    stampede_keep health "$colours"
    manifest_restarts_told
  fi
}

# a signal is cut where it is long: what is lost then is green
manifest_worst_first() {
  awk -F '\t' '{print ($2 == "red" ? 0 : $2 == "yellow" ? 1 : 2) "\t" $0}' "$STAMPEDE_RUN/health" | sort -s -n -k 1,1 | cut -f 2-
}

# the worst of what has changed, in one line
manifest_news() {
  local worst
  worst=$(grep -vxFf <(cat "$STAMPEDE_KEPT/health" 2>/dev/null || true) <(manifest_colours) | sort -t $'\t' -k 2 | awk -F '\t' '$2 == "red" {print $1; exit} {last = $1} END {print last}' | head -n 1)
  awk -F '\t' -v worst="$worst" -v node="$STAMPEDE_NODE" '$1 == worst {print node " health " $1 " " $2 " " $4}' "$STAMPEDE_RUN/health"
}
