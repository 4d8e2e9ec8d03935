#!/bin/bash
# /opt/stampede/run - every stage of this node, in the chain's order. A second run changes nothing.
# /opt/stampede/run prove - the same, and the smoke stages once more.
# /opt/stampede/run script FILE - one script, as a stage runs it.
set -Eeuo pipefail
# shellcheck source=/dev/null
. /etc/stampede/env
# shellcheck source=templates/node/lib.sh
. /opt/stampede/lib.sh

if [[ ${1-} == script ]]; then
  STAMPEDE_SCRIPT=$2
  trap 'stampede_trapped' ERR
  # shellcheck source=/dev/null
  . "$2"
  exit
fi

# --- the node itself: its name, its hosts file, its memory

node_setup() {
  # first of all: cloud-init writes 127.0.1.1 back at every boot unless told not to, and daemons would bind to it
  stampede_file 0644 /etc/cloud/cloud.cfg.d/99-stampede.cfg <<<$'manage_etc_hosts: false\npreserve_hostname: true'
  stampede_file 0644 /etc/hostname <<<"$STAMPEDE_NODE"
  [[ $(</proc/sys/kernel/hostname) == "$STAMPEDE_NODE" ]] || hostname "$STAMPEDE_NODE"
  local hosts
  hosts=$(node_hosts)
  stampede_file 0644 /etc/hosts <<<"$hosts"
  node_memory
  command -v curl >/dev/null || stampede_packages curl ca-certificates
}

# what the file held before without 127.0.1.1, and every name there can ever be: addresses follow from ids
node_hosts() {
  local a b c d n at
  sed '/^127\.0\.1\.1[[:space:]]/d; /^# stampede begin$/,/^# stampede end$/d' /etc/hosts
  echo '# stampede begin'
  echo "$STAMPEDE_MASTER_ADDRESS $STAMPEDE_MASTER"
  IFS=. read -r a b c d <<<"$STAMPEDE_MASTER_ADDRESS"
  for ((n = 1; n <= 500; n++)); do
    at=$(((a << 24) + (b << 16) + (c << 8) + d + n))
    at=$((at >> 24)).$((at >> 16 & 255)).$((at >> 8 & 255)).$((at & 255))
    echo "$at worker-$n"
    [[ worker-$n != "$STAMPEDE_NODE" || $at == "$STAMPEDE_ADDRESS" ]] ||
      stampede_fail "the template gave this node $STAMPEDE_ADDRESS, its name stands for $at"
  done
  echo '# stampede end'
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
  local start=$SECONDS
  STAMPEDE_PLUGIN=$1 STAMPEDE_STAGE=$2
  rm -f "$STAMPEDE_RUN"/{reason,line,command}
  STAMPEDE_LOG_LINES=$(wc -l <"$STAMPEDE_LOG")
  stampede_say "$1 $2 began"
  "${@:3}"
  stampede_say "$1 $2 done $((SECONDS - start)) s"
  stampede_progress "done $((SECONDS - start)) s"
  STAGES+="${STAGES:+, }$1 $2 $((SECONDS - start)) s"
}

script() {
  export STAMPEDE_PLUGIN STAMPEDE_STAGE
  "$BASH" /opt/stampede/run script "$1" 3>&- 8>&- 9>&- || stampede_failed $?
}

# a job that proved these very scripts and files once need not run again, unless it is asked for
smoke() {
  local kept="$STAMPEDE_KEPT/proved-$STAMPEDE_PLUGIN" sum
  sum=$(cat "${1%/*}"/*.sh /etc/stampede/*env | sha512sum)
  if [[ $PROVE == no && -f $kept && $(<"$kept") == "$sum" ]]; then
    stampede_say "$STAMPEDE_PLUGIN was proved before"
    return 0
  fi
  script "$1"
  printf '%s\n' "$sum" >"$kept"
}

all() {
  local stage path plugin run
  for stage in setup ready smoke; do
    for path in /opt/stampede/scripts/*/"$stage".*.sh; do
      [[ -e $path ]] || continue
      plugin=${path%/*}
      plugin=${plugin##*/}
      run=script
      [[ $stage != smoke ]] || run=smoke
      stage "${plugin#*-}" "$stage" "$run" "$path"
    done
  done
}

# --- the run

exec 8>/run/stampede.lock
flock -n 8 || { echo 'another run is under way; see /var/log/stampede.log' >&2; exit 1; }
mkdir -p "$STAMPEDE_RUN" "$STAMPEDE_KEPT"
exec 3>&2 >>"$STAMPEDE_LOG" 2>&1
trap stampede_trapped ERR
trap 'stampede_failed $?' EXIT
STAMPEDE_SCRIPT=/opt/stampede/run STAGES='' PROVE=no
[[ ${1-} != prove ]] || PROVE=yes
STAMPEDE_PLUGIN=node STAMPEDE_STAGE=setup
stampede_progress_begin
stampede_progress began
stage node setup node_setup
all
stampede_say "$STAMPEDE_NODE ready: $STAGES"
STAMPEDE_TRIES=40 stampede_once SUCCESS "$STAMPEDE_NODE ready" "$STAGES"
stampede_progress_end
echo "$STAMPEDE_NODE ready: $STAGES" >&3
