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

# what plugins need as data, where they say so
manifest_load() {
  MANIFESTED=no
  [[ -s /opt/stampede/manifest ]] || return 0
  # shellcheck source=templates/node/manifest.sh
  . /opt/stampede/manifest.sh
  MANIFESTED=yes
}
manifest_load

if [[ ${1-} == script ]]; then
  STAMPEDE_SCRIPT=$2
  [[ -z ${STAMPEDE_COMPONENT-} ]] || export STAMPEDE_PLUGIN STAMPEDE_CHANGE=${STAMPEDE_CHANGE:-${STAMPEDE_GENERATION:-0}} # of the one that the node boots in
  trap 'stampede_trapped' ERR
  # shellcheck source=/dev/null
  . "$2"
  exit
fi

# --- the node itself: its system, its name, its hosts file, its memory, whom it trusts

# before anything else: what comes after it would fail in words that nobody understands
node_system() {
  local ID='' ID_LIKE='' PRETTY_NAME='' machine
  # shellcheck source=/dev/null
  [[ ! -r /etc/os-release ]] || . /etc/os-release
  case " $ID $ID_LIKE " in
    *' debian '* | *' ubuntu '*) ;;
    *) stampede_fail "needs Debian or Ubuntu, this is ${PRETTY_NAME:-${ID:-an unknown system}}: take another image" ;;
  esac
  machine=$(uname -m)
  [[ $machine == x86_64 ]] || stampede_fail "needs x86_64, this machine is $machine: take another image or flavor"
  command -v apt-get dpkg-query >/dev/null || stampede_fail "needs apt-get and dpkg, this ${PRETTY_NAME:-$ID} has none: take another image"
}

node_setup() {
  # first of all: cloud-init writes 127.0.1.1 back at every boot unless told not to, and daemons would bind to it
  stampede_file 0644 /etc/cloud/cloud.cfg.d/99-stampede.cfg <<<$'manage_etc_hosts: false\npreserve_hostname: true'
  stampede_file 0644 /etc/hostname <<<"$STAMPEDE_NODE"
  [[ $(</proc/sys/kernel/hostname) == "$STAMPEDE_NODE" ]] || hostname "$STAMPEDE_NODE"
  node_hosts_file
  node_memory
  node_fence || true
  way_out
  node_programs
  node_fence || stampede_say 'this kernel has no rules by user: any process may ask the metadata service'
  node_trust
  stampede_units
  [[ $MANIFESTED == no ]] || manifest_apply
}

# what the frame itself needs, and a small image lacks
node_programs() {
  local lacking=() store take
  command -v curl >/dev/null || lacking+=(curl)
  command -v ip >/dev/null || lacking+=(iproute2)
  if ! stampede_image_trusts >/dev/null || { [[ -s $STAMPEDE_CA ]] && ! node_store; }; then lacking+=(ca-certificates); fi
  ((${#lacking[@]} == 0)) || stampede_packages "${lacking[@]}"
}

# node_store - sets where the system wants further certificates, and by what it takes them: Debian's way, or Red Hat's
node_store() {
  store=/usr/local/share/ca-certificates take=update-ca-certificates
  ! command -v $take >/dev/null || return 0
  store=/etc/pki/ca-trust/source/anchors take=update-ca-trust
  command -v $take >/dev/null
}

# The metadata service shows how this node signals. A rule of routing needs no package and stands beside whatever firewall there is; port 80 alone,
# since some clouds have a name server at the same address.
node_fence() {
  local family at status=0
  for family in 4 6; do
    at=169.254.169.254/32
    [[ $family == 4 ]] || at=fe80::a9fe:a9fe/128
    if ! ip "-$family" rule show 2>/dev/null | grep -q "to ${at%/*} .*prohibit"; then
      ip "-$family" rule add to "$at" ipproto tcp dport 80 uidrange 1-4294967294 prohibit 2>/dev/null || [[ $family == 6 ]] || status=1
    fi
  done
  return $status
}

# the cloud's own authority, also for what plugins start: each certificate a file, as update-ca-certificates wants it. After a reset the files may be
# there, and not taken.
node_trust() {
  local store take new=$STAMPEDE_RUN/trust file changed=no
  node_store || return 0
  [[ ! -s $STAMPEDE_CA ]] || stampede_settled || changed=yes
  rm -rf "$new"
  mkdir -p "$new" "$store"
  [[ ! -s $STAMPEDE_CA ]] || awk -v "to=$new/stampede-cloud-" '/-BEGIN CERTIFICATE-/ {n++} n {print >(to n ".crt")}' "$STAMPEDE_CA"
  for file in "$store"/stampede-cloud-*.crt; do
    [[ ! -e $file || -e $new/${file##*/} ]] || { rm -f "$file" && changed=yes; }
  done
  for file in "$new"/*.crt; do
    [[ -e $file ]] || continue
    stampede_file 0644 "$store/${file##*/}" <"$file"
    ((STAMPEDE_CHANGED == 0)) || changed=yes
  done
  [[ $changed == no ]] || $take >&2 || stampede_say "the system does not take the cloud's certificates; signals do"
}

node_hosts_file() {
  local hosts
  hosts=$(node_hosts)
  stampede_file 0644 /etc/hosts <<<"$hosts"
}

# what the file held before, without whatever it says of the cluster's addresses and names, and every name there can ever be: addresses follow from
# ids. An image, a template of cloud-init's or a domain may have written the node's own address under another name, which daemons would register by.
node_hosts() {
  local blocks
  blocks=$(node_blocks)
  awk -v "blocks=${blocks//$'\n'/,}" '
    function number(text,  part) { return split(text, part, ".") == 4 ? ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4] : -1 }
    function ours(name,  i, id) {
      name = tolower(name)
      for (i = 1; i <= n; i++) {
        id = index(name, group[i] "-") == 1 ? substr(name, length(group[i]) + 2) : ""
        if (name == group[i] || (id ~ /^[1-9][0-9]*$/ && id + 0 >= from[i] + 0 && id + 0 < from[i] + count[i])) return 1
      }
      return 0
    }
    function stands(at,  i) {
      for (i = 1; i <= n; i++) if (at >= block[i] && at < block[i] + count[i]) return 1
      return 0
    }
    BEGIN {
      n = split(blocks, all, ",")
      for (i = n; i > 0; i--) { split(all[i], of, " "); group[i] = of[1]; block[i] = number(of[2]); count[i] = of[3]; from[i] = of[4] }
    }
    /^# stampede begin$/ { inside = 1 }
    inside { if (/^# stampede end$/) inside = 0; next }
    /^[[:space:]]*(#|$)/ { print; next }
    $1 == "127.0.1.1" { next }
    stands(number($1)) { next }
    {
      left = $1; names = 0; kept = 1
      for (i = 2; i <= NF && $i !~ /^#/; i++)
        if (ours($i)) kept = 0
        else { left = left " " $i; names++ }
      if (kept) print
      else if (names) print left
    }' /etc/hosts
  echo '# stampede begin'
  node_names <<<"$blocks"
  echo '# stampede end'
}

# node_blocks - prints a line `GROUP ADDRESS COUNT FROM NAME` for each block of addresses: its group, the first one, how many, the id of the first,
# and what that is called
node_blocks() {
  local one group base count first from ids
  if [[ -n ${STAMPEDE_MASTER-} ]]; then
    node_ids
    echo "$STAMPEDE_MASTER $STAMPEDE_MASTER_ADDRESS 1 1 $STAMPEDE_MASTER"
    echo "worker $(node_address "$STAMPEDE_MASTER_ADDRESS" 1) $ids 1 worker-1"
  fi
  for one in ${STAMPEDE_GROUPS-}; do
    IFS=: read -r group base count first <<<"$one"
    from=${first#"$group"}
    from=${from#-}
    echo "$group $base $count ${from:-1} $first"
  done
}

# node_ids - sets how many workers' addresses there are: at most 500, and what lies behind the network's end is somebody else's
node_ids() {
  local at a b c d first last
  ids=500
  at=$(ip -o -4 addr show to "$STAMPEDE_ADDRESS" 2>/dev/null) || true
  [[ $at =~ \ inet\ [0-9.]+/([0-9]+)\  ]] || return 0
  IFS=. read -r a b c d <<<"$STAMPEDE_MASTER_ADDRESS"
  first=$(((a << 24) + (b << 16) + (c << 8) + d))
  last=$(((first | (1 << 32 - BASH_REMATCH[1]) - 1) - 1))
  ((first + ids <= last)) || ids=$((last - first))
}

# node_address ADDRESS ABOVE - prints the one that is so far above it
node_address() {
  local a b c d at
  IFS=. read -r a b c d <<<"$1"
  at=$(((a << 24) + (b << 16) + (c << 8) + d + $2))
  echo "$((at >> 24)).$((at >> 16 & 255)).$((at >> 8 & 255)).$((at & 255))"
}

# node_names - of blocks on standard input
node_names() {
  local group base count from first a b c d n at name
  while read -r group base count from first; do
    IFS=. read -r a b c d <<<"$base"
    for ((n = 0; n < count; n++)); do
      at=$(((a << 24) + (b << 16) + (c << 8) + d + n)) name=$group-$((from + n))
      ((n > 0)) || name=$first
      at=$((at >> 24)).$((at >> 16 & 255)).$((at >> 8 & 255)).$((at & 255))
      echo "$at $name"
      [[ $name != "$STAMPEDE_NODE" || $at == "$STAMPEDE_ADDRESS" ]] ||
        stampede_fail "the template gave this node $STAMPEDE_ADDRESS, its name stands for $at"
    done
  done
}

# Heat joins the network to its router while the node boots, and Neutron wires it some time later; after two minutes whoever wants something from
# outside says that it is not there
way_out() {
  local url one at=() end
  ! stampede_settled || return 0
  stampede_clock
  end=$((STAMPEDE_UP + 120))
  url=$(stampede_value "$STAMPEDE_READY" alarm_url) || url=$STAMPEDE_READY_ENDPOINT
  stampede_host "$url" || return 0
  read -ra at < <(stampede_known "$STAMPEDE_HOST" | tr -d '[]' | tr , ' ') || true
  at=("$STAMPEDE_HOST" "${at[@]}")
  at=("${at[@]/%/ $STAMPEDE_PORT}") one=$STAMPEDE_HOST
  if stampede_host "$STAMPEDE_PROXY"; then at+=("$STAMPEDE_HOST $STAMPEDE_PORT"); fi
  while :; do
    for url in "${at[@]}"; do
      # shellcheck disable=SC2016 # for that bash
      if timeout 3 bash -c ': <"/dev/tcp/$0/$1"' "${url% *}" "${url##* }" 2>/dev/null; then return 0; fi
    done
    stampede_clock
    if ((STAMPEDE_UP >= end)); then
      stampede_say "$one does not answer"
      return 0
    fi
    sleep 0.5
  done
}

# a template made for another flavor gives daemons that the kernel kills one day; a tenth is the kernel's own
node_memory() {
  local mib limit file
  mib=$(($(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1024))
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    limit=$(cat "$file" 2>/dev/null) || continue
    if [[ $limit =~ ^[0-9]+$ ]] && ((${#limit} < 18 && limit / 1048576 < mib)); then mib=$((limit / 1048576)); fi
  done
  ((mib * 100 >= STAMPEDE_RAM_MIB * 85)) ||
    stampede_fail "node has $mib MiB of memory, the template was made for $STAMPEDE_RAM_MIB: take the flavor it names or make it anew"
}

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
  sum=$(cat "${1%/*}"/*.sh /etc/stampede/*env | sha512sum)
  if [[ $PROVE == no && -f $kept && $(<"$kept") == "$sum" ]]; then
    stampede_say "$STAMPEDE_PLUGIN was proved before"
    return 0
  fi
  script "$1"
  printf '%s\n' "$sum" >"$kept"
}

stages() {
  local stage path plugin run
  for stage in "$@"; do
    for path in /opt/stampede/scripts/*/"$stage".*.sh; do
      [[ -e $path ]] || continue
      plugin=${path%/*}
      plugin=${plugin##*/}
      [[ $MANIFESTED == no ]] || ! manifest_has "${plugin#*-}" || continue
      run=script
      [[ $stage != smoke ]] || run=smoke
      stage "${plugin#*-}" "$stage" "$run" "$path"
    done
    [[ $MANIFESTED == no ]] || manifest_stage "$stage"
  done
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
  rm -f "$STAMPEDE_RUN/cut"
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

# --- changes of the running cluster; what host and node say to one another stands in templates/node/README.md

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
  read -ra nodes <<<"${STAMPEDE_NODES-${STAMPEDE_WORKERS-}}"
  every=$((${#nodes[@]} / 10 > 5 ? ${#nodes[@]} / 10 : 5))
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
    [[ $MANIFESTED == no || -n $CHANGE_PID ]] || manifest_health
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
  # shellcheck source=/dev/null
  . /opt/stampede/change.sh
  stampede_file 0644 "$STAMPEDE_KEPT/lib.sh" </opt/stampede/lib.sh
  manifest_load
  node_hosts_file # a group that is new has names of its own, also for nodes that run no stage
}

if [[ ${1-} == fence ]]; then
  node_fence
  exit
fi

if [[ ${1-} == watch ]]; then
  mkdir -p "$STAMPEDE_RUN"
  watch
fi

mkdir -p "$STAMPEDE_RUN" "$STAMPEDE_KEPT"
exec 8>/run/stampede.lock
if [[ ${1-} == change ]]; then
  export STAMPEDE_CHANGE=$2
  flock 8
else
  flock -n 8 || { echo 'another run is under way; see /var/log/stampede.log' >&2; exit 1; }
fi
rm -f "$STAMPEDE_RUN"/{reason,line,command} # of an earlier run
exec 3>&2 >>"$STAMPEDE_LOG" 2>&1
trap stampede_trapped ERR
trap 'stampede_failed $?' EXIT
STAMPEDE_SCRIPT=/opt/stampede/run STAGES='' PROVE=no STAMPEDE_PLUGIN=node STAMPEDE_STAGE=setup
case ${1-} in
  change) change "${@:2}" ;;
  prove)
    PROVE=yes
    run
    ;;
  *) run ;;
esac
