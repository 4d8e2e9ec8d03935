# shellcheck shell=bash
# lib.sh - what the frame and the plugins' scripts share; sourced by bash under `set -Eeuo pipefail`.
# It knows nothing of any framework. What it writes for people goes to standard error, which is the log.

STAMPEDE_RUN=/run/stampede              # of this boot: what failed, the way to the progress sender
STAMPEDE_KEPT=/var/lib/stampede         # of this node: signalled or not, checksums of what services run with, its generation
STAMPEDE_CACHE=/var/cache/stampede
STAMPEDE_LOG=/var/log/stampede.log
# shellcheck disable=SC2034 # signals.sh and fetch.sh have it
STAMPEDE_CA=/etc/stampede/ca.pem        # the cloud's own certificate authority, where it has one
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 HOME=${HOME:-/root}
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
umask 022 # a login's, or a hardened image's, would hide from daemons what they read
[[ -w /tmp ]] || export TMPDIR=$STAMPEDE_RUN # long here-documents go through a file

# stampede_node_names TEXT - prints each name of `master,worker-[1-250]`, a line each
stampede_node_names() {
  local part n range IFS=,
  for part in $1; do
    if [[ $part == *'['* ]]; then
      range=${part#*\[}
      range=${range%]}
      for ((n = 10#${range%-*}; n <= 10#${range#*-}; n++)); do printf '%s\n' "${part%%\[*}$n"; done
    else
      printf '%s\n' "$part"
    fi
  done
}

# stampede_inside - prints whom no proxy leads to, separated by commas
stampede_inside() {
  local names IFS=,
  mapfile -t names < <(stampede_node_names "${STAMPEDE_NODES-}")
  printf '%s\n' "localhost,127.0.0.1,169.254.169.254${names:+,${names[*]}}"
}

# a proxy that the image sets for everybody stands between no two nodes
if [[ -n ${http_proxy-}${https_proxy-}${all_proxy-}${HTTPS_PROXY-}${ALL_PROXY-} ]]; then
  no_proxy=${no_proxy:-${NO_PROXY-}} no_proxy=${no_proxy:+$no_proxy,}$(stampede_inside)
  export no_proxy NO_PROXY=$no_proxy
fi

# stampede_begin - first words of a node's script: keeps what the header and the file said, and reports what fails from here on
stampede_begin() {
  set -E
  mkdir -p "$STAMPEDE_RUN" "$STAMPEDE_KEPT" "$STAMPEDE_CACHE" /etc/stampede
  STAMPEDE_PLUGIN=node STAMPEDE_STAGE=setup STAMPEDE_SCRIPT=$0
  trap stampede_trapped ERR
  trap 'stampede_failed $?' EXIT
  local name image=no
  stampede_same_node || image=yes
  for name in "${!STAMPEDE_@}"; do
    case $name in STAMPEDE_RUN | STAMPEDE_KEPT | STAMPEDE_CACHE | STAMPEDE_LOG | STAMPEDE_CA | STAMPEDE_SCRIPT | STAMPEDE_PLUGIN | STAMPEDE_STAGE | STAMPEDE_CHANGED) continue ;; esac
    printf '%s=%q\n' "$name" "${!name}"
  done | stampede_file 0600 /etc/stampede/env
  [[ ! -f $0 ]] || stampede_resumed
  stampede_units
  [[ $image == no ]] ||
    stampede_fail "this image was taken from a node of another cluster, and may hold its data: take another image, or remove /var/lib/stampede and that data from it"
}

# stampede_same_node - fails where another node left what is kept here: then the image was taken from that. Ends well, at once, where cloud-init runs
# the script of a node again: what that brings may be older than what changes have left.
stampede_same_node() {
  local kept=$STAMPEDE_KEPT/node id
  id=$(printf '%s\n' "$STAMPEDE_NODE" "$STAMPEDE_READY" "$STAMPEDE_READY_ENDPOINT" | sha256sum)
  if [[ ! -s $kept ]]; then
    stampede_file 0600 "$kept" <<<"$id"
  elif [[ $(<"$kept") != "$id" ]]; then
    find "$STAMPEDE_KEPT" -mindepth 1 ! -name node -delete
    return 1
  elif stampede_settled; then
    [[ ! -s $STAMPEDE_KEPT/lib.sh ]] || stampede_file 0644 /opt/stampede/lib.sh <"$STAMPEDE_KEPT/lib.sh" # of a change
    stampede_say 'this node has run its script before; /opt/stampede/run runs the stages again'
    exit 0
  fi
}

# stampede_settled - succeeds once it is known what became of the first run, whether Heat has taken it or not
stampede_settled() { [[ -e $STAMPEDE_KEPT/signalled || -e $STAMPEDE_KEPT/verdict || -e $STAMPEDE_RUN/verdict ]]; }

# stampede_units - what runs at every boot. They are there before anything can fail: the watcher also delivers what became of the first run
stampede_units() {
  local units=/etc/systemd/system unit
  stampede_file 0644 $units/stampede-watch.service <<'END'
[Unit]
Description=Stampede: tells Heat what became of this node, and looks for changes of the cluster
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
ExecStart=/opt/stampede/run watch
Restart=always
RestartSec=5

[Install]
WantedBy=multi-user.target
END
  stampede_file 0644 $units/stampede-fence.service <<'END'
[Unit]
Description=Stampede: keeps all but root from the metadata service, which shows how this node signals
Before=network.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/opt/stampede/run fence

[Install]
WantedBy=multi-user.target
END
  # else it takes away the rule of routing that fences
  stampede_file 0644 /etc/systemd/networkd.conf.d/stampede.conf <<<$'[Network]\nManageForeignRoutingPolicyRules=no'
  mkdir -p $units/multi-user.target.wants
  for unit in stampede-watch stampede-fence; do [[ -L $units/multi-user.target.wants/$unit.service ]] || ln -sfn ../$unit.service $units/multi-user.target.wants/$unit.service; done
}

# stampede_resumed - a reset in the middle of the first run is no end of it: cloud-init runs its script once, so the unit runs a copy of it until
# this node has signalled. After cloud-init, which may come to its own run before.
stampede_resumed() {
  local units=/etc/systemd/system
  stampede_file 0600 /opt/stampede/node.sh <"$0"
  stampede_file 0644 $units/stampede-run.service <<'END'
[Unit]
Description=Stampede: the first run of this node, after a reset in the middle of it
ConditionPathExists=!/var/lib/stampede/signalled
ConditionPathExists=!/var/lib/stampede/verdict
Wants=network-online.target
After=network-online.target multi-user.target cloud-final.service

[Service]
Type=oneshot
ExecStart=/bin/bash /opt/stampede/node.sh

[Install]
WantedBy=multi-user.target
END
  mkdir -p $units/multi-user.target.wants
  ln -sfn ../stampede-run.service $units/multi-user.target.wants/stampede-run.service
  sync /opt/stampede/node.sh $units/stampede-run.service $units/multi-user.target.wants
}

# stampede_cut - succeeds where a reset ended an earlier first run: what that wrote may stand there in name only
stampede_cut() { [[ -e $STAMPEDE_RUN/cut ]]; }

# stampede_variable NAME VALUE - sets a variable of the scripts, in this run and in those to come
stampede_variable() {
  local others
  printf -v "$1" %s "$2"
  others=$(sed "/^$1=/d" /etc/stampede/env)
  printf '%s\n%s=%q\n' "$others" "$1" "$2" | stampede_file 0600 /etc/stampede/env
}

# stampede_say TEXT - a line of the log. That there is no room for it ends nothing: whoever ran out of room says so himself
stampede_say() {
  local text
  text=$(stampede_masked "$*")
  printf '%(%FT%T%z)T %s\n' -1 "$text" >&2 2>/dev/null || true
}

# stampede_masked TEXT - prints it without the user and password of any URL
stampede_masked() {
  if [[ $1 == *://*@* ]]; then
    sed -E 's#://[^/[:space:]]*@#://#g' <<<"$1"
  else
    printf '%s\n' "$1"
  fi
}

# stampede_clock - sets STAMPEDE_UP to the seconds since this boot. Bash's SECONDS goes by a clock that is set while nodes boot, at times by years
stampede_clock() {
  read -r STAMPEDE_UP _ </proc/uptime
  STAMPEDE_UP=${STAMPEDE_UP%.*}
}

# stampede_fail TEXT - ends the script, and with it the node's run; TEXT is what the user reads
stampede_fail() {
  printf '%s\n' "$1" >"$STAMPEDE_RUN/reason"
  stampede_say "failed: $1"
  exit 1
}

# stampede_trapped - for ERR traps: notes the script's line and the command that failed; the last note before the end counts
stampede_trapped() {
  local i line=$LINENO command=$BASH_COMMAND
  for ((i = 1; i < ${#BASH_SOURCE[@]}; i++)); do
    line=${BASH_LINENO[i - 1]}
    [[ ${BASH_SOURCE[i]} != "$STAMPEDE_SCRIPT" ]] || break
  done
  { printf '%s\n' "$line" >"$STAMPEDE_RUN/line" && printf '%s\n' "${command%%$'\n'*}" >"$STAMPEDE_RUN/command"; } 2>/dev/null || true
}

# stampede_failed STATUS - for EXIT traps: signals the first failure with everything that is known of it, and ends
stampede_failed() {
  trap - ERR EXIT
  (($1 > 0)) || return 0
  local where="$STAMPEDE_NODE $STAMPEDE_PLUGIN $STAMPEDE_STAGE" line='' command='' text last
  [[ ! -s $STAMPEDE_RUN/line ]] || line=$(<"$STAMPEDE_RUN/line")
  [[ ! -s $STAMPEDE_RUN/command ]] || command=$(<"$STAMPEDE_RUN/command")
  if [[ -s $STAMPEDE_RUN/reason ]]; then
    text=$(<"$STAMPEDE_RUN/reason")
  else
    # the last line that says something; stack traces end in lines that do not
    last=$(tail -n "+$((${STAMPEDE_LOG_LINES:-0} + 1))" "$STAMPEDE_LOG" 2>/dev/null | tail -n 200 |
      grep -aEv '^[[:space:]]*(at |\.\.\. |$)' | tail -n 1) || true
    if ((${#command} > 60)); then command=${command:0:57}...; fi
    text="${command:-exit status $1}: ${last:-exit status $1}"
  fi
  text=$(stampede_masked "$text")
  stampede_say "$where failed${line:+ at line $line}: $text"
  { echo "$where failed: $text" >&3; } 2>/dev/null || true
  text="${line:+line $line: }$text"
  if [[ -n ${STAMPEDE_CHANGE-} ]]; then
    stampede_outcome "failed $STAMPEDE_PLUGIN $STAMPEDE_STAGE $text"
  else
    stampede_verdict FAILURE "$where $text" "$where $text"
    STAMPEDE_TRIES=5 stampede_deliver_verdict || stampede_delivered_later
  fi
  stampede_progress "failed $text"
  stampede_progress_end
  exit 1
}

# stampede_file MODE PATH - standard input becomes PATH, in one step, if it is not already; then STAMPEDE_CHANGED is 1, else 0
stampede_file() {
  local new="$STAMPEDE_RUN/new.$BASHPID"
  STAMPEDE_CHANGED=0
  mkdir -p "$STAMPEDE_RUN"
  (umask 077 && cat >"$new")
  if ! cmp -s "$new" "$2" || [[ $(stat -c %a "$2") != "${1#0}" ]]; then
    [[ -d ${2%/*} ]] || mkdir -p "${2%/*}/"
    install -m "$1" "$new" "$2.stampede-new"
    [[ -z ${STAMPEDE_CHANGE-} ]] || sync "$2.stampede-new" # the first run is made anew after a reset, a change may be over
    mv -fT "$2.stampede-new" "$2"
    # shellcheck disable=SC2034 # for the caller
    STAMPEDE_CHANGED=1
  fi
  rm -f "$new"
}

# stampede_file64 MODE PATH - the same of base64
stampede_file64() { stampede_file "$1" "$2" < <(base64 -d); }

# stampede_wait SECONDS TEXT COMMAND... - repeats COMMAND until it succeeds; after SECONDS fails with TEXT and the last detail
stampede_wait() {
  local end text=$2
  stampede_clock
  end=$((STAMPEDE_UP + $1))
  shift 2
  until "$@"; do
    stampede_clock
    ((STAMPEDE_UP < end)) || stampede_fail "$text${STAMPEDE_DETAIL:+ ($STAMPEDE_DETAIL)}"
    sleep 0.5
  done
}
