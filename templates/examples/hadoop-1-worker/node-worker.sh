# shellcheck shell=bash disable=SC2034,SC1091
set -euo pipefail
STAMPEDE_CLUSTER='hadoop'
STAMPEDE_ROLE='worker'
STAMPEDE_MASTER='master'
STAMPEDE_MASTER_ADDRESS='10.77.0.10'
STAMPEDE_WORKERS='worker-1'
STAMPEDE_WORKER_COUNT='1'
STAMPEDE_LEAVING=''
STAMPEDE_GENERATION='0'
STAMPEDE_MIRROR=''
STAMPEDE_PROXY=''
STAMPEDE_RAM_MIB='4096'
STAMPEDE_TIMEOUT_S='3600'
mkdir -p /opt/stampede
cat >/opt/stampede/lib.sh <<'STAMPEDE_END'
# shellcheck shell=bash
# lib.sh - what the frame and the plugins' scripts share; sourced by bash under `set -Eeuo pipefail`.
# It knows nothing of any framework. What it writes for people goes to standard error, which is the log.

STAMPEDE_RUN=/run/stampede              # of this boot: what failed, the way to the progress sender
STAMPEDE_KEPT=/var/lib/stampede         # of this node: signalled or not, checksums of what services run with
STAMPEDE_CACHE=/var/cache/stampede
STAMPEDE_LOG=/var/log/stampede.log
export LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 HOME=${HOME:-/root}
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# stampede_begin - first words of a node's script: keeps what the header and the file said, and reports what fails from here on
stampede_begin() {
  set -E
  mkdir -p "$STAMPEDE_RUN" "$STAMPEDE_KEPT" "$STAMPEDE_CACHE" /etc/stampede
  STAMPEDE_PLUGIN=node STAMPEDE_STAGE=setup STAMPEDE_SCRIPT=$0
  trap stampede_trapped ERR
  trap 'stampede_failed $?' EXIT
  local name
  for name in "${!STAMPEDE_@}"; do
    case $name in STAMPEDE_RUN | STAMPEDE_KEPT | STAMPEDE_CACHE | STAMPEDE_LOG | STAMPEDE_SCRIPT | STAMPEDE_PLUGIN | STAMPEDE_STAGE) continue ;; esac
    printf '%s=%q\n' "$name" "${!name}"
  done | (umask 077 && cat >/etc/stampede/env)
}

# stampede_say TEXT - a line of the log
stampede_say() { printf '%(%FT%T%z)T %s\n' -1 "$*" >&2; }

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
  stampede_say "$where failed${line:+ at line $line}: $text"
  { echo "$where failed: $text" >&3; } 2>/dev/null || true
  text="${line:+line $line: }$text"
  STAMPEDE_TRIES=40 stampede_once FAILURE "$where $text" "$where $text" || true
  stampede_progress "failed $text"
  stampede_progress_end
  exit 1
}

# stampede_json LENGTH TEXT - a JSON string of the first LENGTH characters of TEXT, whatever bytes these are
stampede_json() {
  printf '"%s"' "$(printf "%.$1s" "$2" | LC_ALL=C tr '\000-\037\177' ' ' | (iconv -c -f UTF-8 -t UTF-8 2>/dev/null || true) |
    LC_ALL=C sed 's/[\\"]/\\&/g')"
}

# stampede_signal READY|PROGRESS STATUS REASON DATA - one signal to Heat, tried again while Heat is busy
stampede_signal() {
  local signal=STAMPEDE_$1 endpoint=STAMPEDE_$1_ENDPOINT token=STAMPEDE_$1_TOKEN method=PUT header='Content-Type:' url body try code=000
  body="{\"id\": $(stampede_json 99 "$STAMPEDE_NODE"), \"status\": \"$2\", \"reason\": $(stampede_json 190 "$3"), \"data\": $(stampede_json 2000 "$4")}"
  if [[ ${!signal} =~ \"alarm_url\":\ *\"([^\"]+)\" ]]; then
    url=${BASH_REMATCH[1]}
  elif [[ -n ${!endpoint} ]]; then
    method=POST url=${!endpoint} header="Content-Type: application/json"$'\n'"X-Auth-Token: ${!token}"
  else
    stampede_say "the template gave no way to signal; not sent: $body"
    return 0
  fi
  for ((try = 1; try <= ${STAMPEDE_TRIES:-5}; try++)); do
    code=$(stampede_http "$method" "$url" "$header" "$body") || true
    [[ $code != 2?? ]] || return 0
    [[ $code != 40[0134] ]] || ((try < 4)) || break # not Heat's mood: it will not change
    sleep $((try < 5 ? try : 5))
  done
  stampede_say "Heat did not take the signal (status $code): $body"
  return 1
}

# stampede_http METHOD URL HEADERS BODY - prints the status; nothing secret stands on a command line
stampede_http() {
  if command -v curl >/dev/null; then
    curl -sS -o /dev/null -w '%{http_code}' --max-time 30 -X "$1" -H "@"<(printf '%s\n' "$3") --data-binary @- -K <(printf 'url = "%s"\n' "$2") <<<"$4"
  else # cloud-init is Python, so Python is there
    STAMPEDE_HTTP_URL=$2 STAMPEDE_HTTP_HEADERS=$3 python3 -c '
import os, sys, urllib.error, urllib.request
lines = os.environ["STAMPEDE_HTTP_HEADERS"].splitlines()
headers = {k.strip(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
request = urllib.request.Request(os.environ["STAMPEDE_HTTP_URL"], sys.stdin.buffer.read(), headers, method=sys.argv[1])
try: print(urllib.request.urlopen(request, timeout=30).status, end="")
except urllib.error.HTTPError as e: print(e.code, end="")' "$1" <<<"$4"
  fi
}

# stampede_once STATUS REASON DATA - the node's one signal of readiness
stampede_once() {
  [[ ! -e $STAMPEDE_KEPT/signalled ]] || return 0
  stampede_signal READY "$1" "$2" "$3" && : >"$STAMPEDE_KEPT/signalled"
}

# stampede_progress TEXT - `TEXT` is `OUTCOME REST`; goes to the sender in the background, if this run has one
stampede_progress() {
  local line="$STAMPEDE_NODE $STAMPEDE_PLUGIN $STAMPEDE_STAGE $1"
  [[ ! -p $STAMPEDE_RUN/progress ]] || printf '%s\n' "${line//$'\n'/ }" 1<>"$STAMPEDE_RUN/progress"
}

stampede_progress_begin() {
  [[ ! -e $STAMPEDE_KEPT/signalled ]] || return 0
  rm -f "$STAMPEDE_RUN/progress"
  mkfifo -m 600 "$STAMPEDE_RUN/progress"
  exec 9<>"$STAMPEDE_RUN/progress" # held open from here on: what is written while nobody has it open is lost
  (
    trap - ERR
    set +e
    while IFS= read -r line <&9 && [[ $line != end ]]; do STAMPEDE_TRIES=3 stampede_signal PROGRESS SUCCESS "$line" "$line"; done
  ) &
  STAMPEDE_SENDER=$!
}

stampede_progress_end() {
  [[ -n ${STAMPEDE_SENDER-} ]] || return 0
  printf 'end\n' >&9
  wait "$STAMPEDE_SENDER" || true
  rm -f "$STAMPEDE_RUN/progress"
}

# stampede_detail TEXT - one more line of progress for the user: logged when it is new, sent at most once in five seconds
stampede_detail() {
  [[ ${STAMPEDE_DETAIL-} != "$1" ]] || return 0
  STAMPEDE_DETAIL=$1
  stampede_say "$1"
  ((SECONDS >= ${STAMPEDE_DETAIL_NEXT:-0})) || return 0
  STAMPEDE_DETAIL_NEXT=$((SECONDS + 5))
  stampede_progress "detail $1"
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
    mv -fT "$2.stampede-new" "$2"
    # shellcheck disable=SC2034 # for the caller
    STAMPEDE_CHANGED=1
  fi
  rm -f "$new"
}

# stampede_file64 MODE PATH - the same of base64
stampede_file64() { stampede_file "$1" "$2" < <(base64 -d); }

# stampede_download URL SHA512 FILE - FILE holds what URL gives, checked; resumed and tried again, unless the answer is final
stampede_download() {
  local url=$1 want=$2 file=$3 delay code got='' resumed
  if [[ -f $file ]] && stampede_sha512 "$file" "$want"; then return 0; fi
  mkdir -p "${file%/*}"
  for delay in 1 2 4 0; do
    resumed=no
    [[ ! -s $file.part ]] || resumed=yes
    code=$(curl -sSfL --stderr "$file.error" --connect-timeout 8 --speed-limit 1000 --speed-time 20 -C - -o "$file.part" -w '%{http_code}' "$url") && got=yes || got=no
    if [[ $code == 416 || $got == yes ]]; then # 416: all of it was there already
      if stampede_sha512 "$file.part" "$want"; then
        mv -f "$file.part" "$file"
        rm -f "$file.error"
        return 0
      fi
      got=$(sha512sum <"$file.part")
      rm -f "$file.part"
      [[ $resumed == yes ]] || stampede_fail "sha512 of $url is ${got:0:12}..., expected ${want:0:12}..."
    fi
    cat "$file.error" >&2
    if [[ $resumed$code == yes200 ]]; then # this server cannot resume
      rm -f "$file.part"
      continue
    fi
    case $code in 40[0134] | 410) break ;; esac
    sleep $delay
  done
  case $code in
    000) stampede_fail "cannot reach $url: $(sed -n 's/^curl: //p' "$file.error" | tail -n 1)" ;;
    *) stampede_fail "cannot download $url: the server answered $code" ;;
  esac
}

stampede_sha512() { printf '%s  %s\n' "$2" "$1" | sha512sum --check --status -; }

# stampede_packages NAME... - the distribution's packages that are missing, through the proxy if there is one
stampede_packages() {
  local name missing=()
  for name in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  stampede_apt_update
  stampede_apt install -y -q --no-install-recommends "${missing[@]}" >&2 ||
    stampede_fail "cannot install ${missing[*]}: $(grep -a '^E:' "$STAMPEDE_LOG" | tail -n 1)"
}

stampede_apt() {
  local options=(-o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 -o Acquire::http::Timeout=15 -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0)
  [[ -z $STAMPEDE_PROXY ]] || options+=(-o "Acquire::http::Proxy=$STAMPEDE_PROXY" -o "Acquire::https::Proxy=$STAMPEDE_PROXY")
  apt-get "${options[@]}" "$@" </dev/null
}

# once a boot; the lock of the lists is not among those that apt waits for
stampede_apt_update() {
  local start=$SECONDS
  [[ ! -e $STAMPEDE_RUN/apt-updated ]] || return 0
  until stampede_apt -q update >"$STAMPEDE_RUN/apt" 2>&1 && ! grep -q '^[EW]:.*Failed to fetch' "$STAMPEDE_RUN/apt"; do
    cat "$STAMPEDE_RUN/apt" >&2
    if ! grep -qi 'could not get lock' "$STAMPEDE_RUN/apt" || ((SECONDS - start > 300)); then
      stampede_fail "cannot read the package lists: $(grep '^[EW]:' "$STAMPEDE_RUN/apt" | head -n 1)"
    fi
    sleep 2
  done
  : >"$STAMPEDE_RUN/apt-updated"
}

# stampede_java MIN MAX - prints the home of the newest Java in the range; 17, else the newest, is installed where there is none
stampede_java() {
  local home version best='' best_version=0 try=()
  for home in /usr/lib/jvm/*; do
    version=$(sed -n 's/^JAVA_VERSION="\(1\.\)\?\([0-9]*\).*/\2/p' "$home/release" 2>/dev/null) || continue
    [[ -x $home/bin/java && ! -L $home ]] || continue
    if ((version >= $1 && version <= $2 && version > best_version)); then best=$home best_version=$version; fi
  done
  if [[ -z $best ]]; then
    [[ -z ${STAMPEDE_JAVA_TRIED-} ]] || stampede_fail "installed Java, but found no version from $1 to $2 in /usr/lib/jvm"
    for ((version = $2; version >= $1; version--)); do try+=("$version"); done
    if (($1 <= 17 && 17 <= $2)); then try=(17 "${try[@]}"); fi
    stampede_apt_update
    for version in "${try[@]}"; do
      apt-cache show "openjdk-$version-jre-headless" >/dev/null 2>&1 || continue
      stampede_packages "openjdk-$version-jre-headless"
      STAMPEDE_JAVA_TRIED=1 stampede_java "$1" "$2"
      return
    done
    stampede_fail "this image's packages hold no Java from $1 to $2"
  fi
  printf '%s\n' "$best"
}

# stampede_wait SECONDS TEXT COMMAND... - repeats COMMAND until it succeeds; after SECONDS fails with TEXT and the last detail
stampede_wait() {
  local end=$((SECONDS + $1)) text=$2
  shift 2
  until "$@"; do
    ((SECONDS < end)) || stampede_fail "$text${STAMPEDE_DETAIL:+ ($STAMPEDE_DETAIL)}"
    sleep 0.5
  done
}

# stampede_service UNIT FILE... - UNIT runs now and after each boot; restarted when it ran with other FILEs. Never waits for it to
# start: a blocking start inside cloud-init may wait for cloud-init itself.
stampede_service() {
  local unit=$1 kept="$STAMPEDE_KEPT/$1" sum
  sum=$(cat "/etc/systemd/system/$unit.service" "${@:2}" | sha512sum)
  if [[ ! -e /etc/systemd/system/multi-user.target.wants/$unit.service ]]; then systemctl enable --quiet "$unit"; fi
  if systemctl is-active --quiet "$unit" && [[ -f $kept && $(<"$kept") == "$sum" ]]; then return 0; fi
  systemctl daemon-reload
  systemctl restart --no-block "$unit"
  printf '%s\n' "$sum" >"$kept"
}
STAMPEDE_END
. /opt/stampede/lib.sh
stampede_begin
stampede_file 0755 '/opt/stampede/run' <<'STAMPEDE_END'
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
STAMPEDE_END
stampede_file 0644 '/etc/hadoop/core-site.xml' <<'STAMPEDE_END'
<?xml version="1.0" encoding="UTF-8"?>
<configuration>
<property><name>fs.defaultFS</name><value>hdfs://master:8020</value></property>
<property><name>hadoop.tmp.dir</name><value>/var/lib/hadoop/tmp/${user.name}</value></property>
</configuration>
STAMPEDE_END
stampede_file 0644 '/etc/hadoop/hdfs-site.xml' <<'STAMPEDE_END'
<?xml version="1.0" encoding="UTF-8"?>
<configuration>
<property><name>dfs.replication</name><value>1</value></property>
<property><name>dfs.blocksize</name><value>134217728</value></property>
<property><name>dfs.namenode.name.dir</name><value>file:///var/lib/hadoop/name</value></property>
<property><name>dfs.namenode.checkpoint.dir</name><value>file:///var/lib/hadoop/checkpoint</value></property>
<property><name>dfs.datanode.data.dir</name><value>file:///var/lib/hadoop/hdfs</value></property>
<property><name>dfs.namenode.rpc-bind-host</name><value>0.0.0.0</value></property>
<property><name>dfs.namenode.http-bind-host</name><value>0.0.0.0</value></property>
<property><name>dfs.namenode.datanode.registration.ip-hostname-check</name><value>false</value></property>
<property><name>dfs.hosts.exclude</name><value>/var/lib/hadoop/exclude</value></property>
<property><name>dfs.namenode.safemode.extension</name><value>5000</value></property>
<property><name>dfs.datanode.du.reserved.calculator</name><value>org.apache.hadoop.hdfs.server.datanode.fsdataset.impl.ReservedSpaceCalculator$ReservedSpaceCalculatorPercentage</value></property>
<property><name>dfs.datanode.du.reserved.pct</name><value>5</value></property>
<property><name>dfs.webhdfs.enabled</name><value>true</value></property>
</configuration>
STAMPEDE_END
stampede_file 0644 '/etc/hadoop/yarn-site.xml' <<'STAMPEDE_END'
<?xml version="1.0" encoding="UTF-8"?>
<configuration>
<property><name>yarn.resourcemanager.hostname</name><value>master</value></property>
<property><name>yarn.resourcemanager.bind-host</name><value>0.0.0.0</value></property>
<property><name>yarn.resourcemanager.nodes.exclude-path</name><value>/var/lib/hadoop/exclude</value></property>
<property><name>yarn.resourcemanager.connect.retry-interval.ms</name><value>1000</value></property>
<property><name>yarn.nodemanager.address</name><value>0.0.0.0:8041</value></property>
<property><name>yarn.nodemanager.aux-services</name><value>mapreduce_shuffle</value></property>
<property><name>yarn.nodemanager.aux-services.mapreduce_shuffle.class</name><value>org.apache.hadoop.mapred.ShuffleHandler</value></property>
<property><name>yarn.nodemanager.local-dirs</name><value>/var/lib/hadoop/yarn/local</value></property>
<property><name>yarn.nodemanager.log-dirs</name><value>/var/log/hadoop-yarn</value></property>
<property><name>yarn.nodemanager.resource.memory-mb</name><value>2560</value></property>
<property><name>yarn.nodemanager.resource.cpu-vcores</name><value>2</value></property>
<property><name>yarn.scheduler.minimum-allocation-mb</name><value>512</value></property>
<property><name>yarn.scheduler.maximum-allocation-mb</name><value>2560</value></property>
<property><name>yarn.scheduler.maximum-allocation-vcores</name><value>2</value></property>
<property><name>yarn.nodemanager.vmem-check-enabled</name><value>false</value></property>
<property><name>yarn.nodemanager.env-whitelist</name><value>JAVA_HOME,HADOOP_COMMON_HOME,HADOOP_HDFS_HOME,HADOOP_CONF_DIR,HADOOP_YARN_HOME,HADOOP_MAPRED_HOME,HADOOP_HOME,PATH,LANG,TZ</value></property>
<property><name>yarn.application.classpath</name><value>/etc/hadoop,/opt/hadoop/share/hadoop/common/*,/opt/hadoop/share/hadoop/common/lib/*,/opt/hadoop/share/hadoop/hdfs/*,/opt/hadoop/share/hadoop/hdfs/lib/*,/opt/hadoop/share/hadoop/yarn/*,/opt/hadoop/share/hadoop/yarn/lib/*,/opt/hadoop/share/hadoop/mapreduce/*,/opt/hadoop/share/hadoop/mapreduce/lib/*</value></property>
<property><name>yarn.log-aggregation-enable</name><value>true</value></property>
<property><name>yarn.nodemanager.remote-app-log-dir</name><value>/yarn-logs</value></property>
<property><name>yarn.log.server.url</name><value>http://master:19888/jobhistory/logs</value></property>
<property><name>yarn.nodemanager.delete.debug-delay-sec</name><value>0</value></property>
<property><name>yarn.resourcemanager.nodemanagers.heartbeat-interval-ms</name><value>500</value></property>
</configuration>
STAMPEDE_END
stampede_file 0644 '/etc/hadoop/mapred-site.xml' <<'STAMPEDE_END'
<?xml version="1.0" encoding="UTF-8"?>
<configuration>
<property><name>mapreduce.framework.name</name><value>yarn</value></property>
<property><name>mapreduce.jobhistory.address</name><value>master:10020</value></property>
<property><name>mapreduce.jobhistory.webapp.address</name><value>master:19888</value></property>
<property><name>mapreduce.jobhistory.bind-host</name><value>0.0.0.0</value></property>
<property><name>mapreduce.jobhistory.intermediate-done-dir</name><value>/mr-history/tmp</value></property>
<property><name>mapreduce.jobhistory.done-dir</name><value>/mr-history/done</value></property>
<property><name>yarn.app.mapreduce.am.staging-dir</name><value>/staging</value></property>
<property><name>mapreduce.application.classpath</name><value>/opt/hadoop/share/hadoop/mapreduce/*,/opt/hadoop/share/hadoop/mapreduce/lib/*</value></property>
<property><name>yarn.app.mapreduce.am.resource.mb</name><value>512</value></property>
<property><name>yarn.app.mapreduce.am.command-opts</name><value>-Xmx384m -XX:+UseSerialGC --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/java.util.concurrent=ALL-UNNAMED --add-opens=java.base/java.util.zip=ALL-UNNAMED --add-opens=java.base/java.net=ALL-UNNAMED --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=java.base/sun.security.util=ALL-UNNAMED --add-opens=java.base/sun.security.x509=ALL-UNNAMED</value></property>
<property><name>mapreduce.map.memory.mb</name><value>512</value></property>
<property><name>mapreduce.map.java.opts</name><value>-Xmx384m -XX:+UseSerialGC --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/java.util.concurrent=ALL-UNNAMED --add-opens=java.base/java.util.zip=ALL-UNNAMED --add-opens=java.base/java.net=ALL-UNNAMED --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=java.base/sun.security.util=ALL-UNNAMED --add-opens=java.base/sun.security.x509=ALL-UNNAMED</value></property>
<property><name>mapreduce.reduce.memory.mb</name><value>1024</value></property>
<property><name>mapreduce.reduce.java.opts</name><value>-Xmx816m -XX:+UseSerialGC --add-opens=java.base/java.lang=ALL-UNNAMED --add-opens=java.base/java.util=ALL-UNNAMED --add-opens=java.base/java.util.concurrent=ALL-UNNAMED --add-opens=java.base/java.util.zip=ALL-UNNAMED --add-opens=java.base/java.net=ALL-UNNAMED --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=java.base/sun.security.util=ALL-UNNAMED --add-opens=java.base/sun.security.x509=ALL-UNNAMED</value></property>
<property><name>mapreduce.task.io.sort.mb</name><value>96</value></property>
<property><name>yarn.app.mapreduce.am.env</name><value>HADOOP_MAPRED_HOME=/opt/hadoop</value></property>
<property><name>mapreduce.map.env</name><value>HADOOP_MAPRED_HOME=/opt/hadoop</value></property>
<property><name>mapreduce.reduce.env</name><value>HADOOP_MAPRED_HOME=/opt/hadoop</value></property>
</configuration>
STAMPEDE_END
stampede_file 0644 '/etc/hadoop/capacity-scheduler.xml' <<'STAMPEDE_END'
<?xml version="1.0" encoding="UTF-8"?>
<configuration>
<property><name>yarn.scheduler.capacity.root.queues</name><value>default</value></property>
<property><name>yarn.scheduler.capacity.root.default.capacity</name><value>100</value></property>
<property><name>yarn.scheduler.capacity.maximum-am-resource-percent</name><value>0.5</value></property>
</configuration>
STAMPEDE_END
stampede_file 0644 '/etc/hadoop/log4j.properties' <<'STAMPEDE_END'
hadoop.root.logger=INFO,console
log4j.rootLogger=${hadoop.root.logger}
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %p %c{2}: %m%n
log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR
STAMPEDE_END
stampede_file 0644 '/etc/stampede/hadoop.env' <<'STAMPEDE_END'
HADOOP_VERSION='3.5.0'
HADOOP_URLS='https://dlcdn.apache.org/hadoop/common/hadoop-3.5.0/hadoop-3.5.0.tar.gz https://archive.apache.org/dist/hadoop/common/hadoop-3.5.0/hadoop-3.5.0.tar.gz'
HADOOP_SHA512='04ab94496cc00c8b7a28d03f6308eff8d2a4e7f37a9da5e8e086e4d6fc990e7a94d661908f6a6136039536efb362614b8aecdef185b5fb8ed588f0b152c7aa16'
HADOOP_JAVA_MIN='17'
HADOOP_JAVA_MAX='17'
HADOOP_SMOKE='true'
HADOOP_VOLUME_GIB='0'
HADOOP_NAMENODE_HEAP='1152'
HADOOP_RESOURCEMANAGER_HEAP='1152'
HADOOP_HISTORYSERVER_HEAP='768'
HADOOP_DATANODE_HEAP='256'
HADOOP_NODEMANAGER_HEAP='256'
STAMPEDE_END
stampede_file 0644 '/etc/profile.d/hadoop.sh' <<'STAMPEDE_END'
export HADOOP_HOME=/opt/hadoop HADOOP_CONF_DIR=/etc/hadoop YARN_CONF_DIR=/etc/hadoop HADOOP_MAPRED_HOME=/opt/hadoop
export JAVA_HOME=${JAVA_HOME:-/usr/local/lib/hadoop/java}
STAMPEDE_END
stampede_file 0644 '/etc/sysusers.d/hadoop.conf' <<'STAMPEDE_END'
g hadoop -
u hdfs - "Hadoop HDFS" /var/lib/hadoop
u yarn - "Hadoop YARN" /var/lib/hadoop
u mapred - "Hadoop MapReduce" /var/lib/hadoop
m hdfs hadoop
m yarn hadoop
m mapred hadoop
STAMPEDE_END
stampede_file 0644 '/usr/local/lib/hadoop/web.sh' <<'STAMPEDE_END'
# shellcheck shell=bash disable=SC1091
# web.sh - what the scripts ask Hadoop over HTTP; a JVM of Hadoop's command line would cost seconds a question.

ask() { curl -sf --max-time 10 "$@"; }

# webhdfs METHOD PATH QUERY [CURL OPTION...] - as the user HDFS_USER; prints the answer, whatever it is
webhdfs() {
  curl -s --max-time 60 -L -X "$1" "${@:4}" "http://$STAMPEDE_MASTER:9870/webhdfs/v1$2?user.name=${HDFS_USER:-hdfs}&$3"
}

# jmx HOST:PORT BEAN KEY - prints the value of KEY
jmx() { ask "http://$1/jmx?qry=$2" | sed -n "s/^ *\"$3\" : \"\\?\\([^\",]*\\).*/\\1/p" | head -n 1; }

# field KEY - of the JSON on standard input, the first value of KEY
field() { grep -o "\"$1\":\"\\?[^\",}]*" | head -n 1 | sed 's/^[^:]*:"\?//'; }

namenode_works() {
  [[ $(jmx "$STAMPEDE_MASTER:9870" Hadoop:service=NameNode,name=FSNamesystemState FSState) == Operational ]]
}
STAMPEDE_END
stampede_file 0755 '/usr/local/lib/hadoop/launch' <<'STAMPEDE_END'
#!/bin/bash
# shellcheck disable=SC1091
# hadoop, hdfs, yarn, mapred - one script under four names. It needs Hadoop's jars alone, so it starts daemons and commands alike from the
# official tarball and from one without bin/.
set -euo pipefail
. /etc/stampede/hadoop.env
lib=/usr/local/lib/hadoop
export JAVA_HOME=$lib/java HADOOP_HOME=/opt/hadoop HADOOP_CONF_DIR=${HADOOP_CONF_DIR:-/etc/hadoop}
export HADOOP_COMMON_HOME=$HADOOP_HOME HADOOP_HDFS_HOME=$HADOOP_HOME HADOOP_YARN_HOME=$HADOOP_HOME HADOOP_MAPRED_HOME=$HADOOP_HOME YARN_CONF_DIR=$HADOOP_CONF_DIR
share=$HADOOP_HOME/share/hadoop
# the folder hdfs itself holds webapps/; timelineservice holds a class that the ResourceManager wants
classpath=$HADOOP_CONF_DIR:$share/hdfs
for part in common hdfs yarn mapreduce; do classpath+=":$share/$part/*:$share/$part/lib/*"; done
classpath+=":$share/yarn/timelineservice/*:$share/yarn/timelineservice/lib/*${HADOOP_CLASSPATH:+:$HADOOP_CLASSPATH}"

command=${0##*/}
if (($# == 0)); then
  echo "usage: $command COMMAND [ARGUMENT...], such as: hdfs dfs -ls /; yarn node -list; hadoop jar FILE; mapred job -list all" >&2
  exit 2
fi
what=$1
shift
options=(-XX:+IgnoreUnrecognizedVMOptions)
for package in java.lang java.util java.util.concurrent java.util.zip java.net java.nio sun.nio.ch sun.security.util sun.security.x509; do
  options+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
options+=(-Djava.net.preferIPv4Stack=true "-Dhadoop.home.dir=$HADOOP_HOME" "-Djava.library.path=$HADOOP_HOME/lib/native")

daemon() { # HEAP_MIB CLASS
  options+=("-Xmx$1m" "-Dhadoop.root.logger=INFO,console" -XX:+ExitOnOutOfMemoryError)
  if (($1 < 1024)); then options+=(-XX:+UseSerialGC); fi
  class=$2
}

opts=$(printenv HADOOP_OPTS || true)
client="${HADOOP_CLIENT_OPTS:--XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx512m} -Dhadoop.root.logger=${HADOOP_ROOT_LOGGER:-WARN,console}"
# formatting is a short command, whatever its class is
[[ $command:$what:${1-} != hdfs:namenode:-format ]] || what=format
case $command:$what in
  hdfs:namenode | hdfs:datanode | yarn:resourcemanager | yarn:nodemanager | mapred:historyserver | hdfs:secondarynamenode) client='' ;;
  *:jar) client=${client/WARN,console/INFO,console} ;;
esac
case $command:$what in
  hdfs:format) class=org.apache.hadoop.hdfs.server.namenode.NameNode ;;
  hdfs:namenode) daemon "$HADOOP_NAMENODE_HEAP" org.apache.hadoop.hdfs.server.namenode.NameNode ;;
  hdfs:secondarynamenode) daemon "$HADOOP_NAMENODE_HEAP" org.apache.hadoop.hdfs.server.namenode.SecondaryNameNode ;;
  hdfs:datanode) daemon "$HADOOP_DATANODE_HEAP" org.apache.hadoop.hdfs.server.datanode.DataNode ;;
  yarn:resourcemanager) daemon "$HADOOP_RESOURCEMANAGER_HEAP" org.apache.hadoop.yarn.server.resourcemanager.ResourceManager ;;
  yarn:nodemanager) daemon "$HADOOP_NODEMANAGER_HEAP" org.apache.hadoop.yarn.server.nodemanager.NodeManager ;;
  mapred:historyserver) daemon "$HADOOP_HISTORYSERVER_HEAP" org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer ;;

  hadoop:fs | hdfs:dfs) class=org.apache.hadoop.fs.FsShell ;;
  hadoop:jar | yarn:jar) class=org.apache.hadoop.util.RunJar ;;
  hadoop:version | hdfs:version | yarn:version | mapred:version) class=org.apache.hadoop.util.VersionInfo ;;
  hadoop:checknative) class=org.apache.hadoop.util.NativeLibraryChecker ;;
  hadoop:conftest) class=org.apache.hadoop.util.ConfTest ;;
  hadoop:credential) class=org.apache.hadoop.security.alias.CredentialShell ;;
  hadoop:key) class=org.apache.hadoop.crypto.key.KeyShell ;;
  hadoop:daemonlog) class=org.apache.hadoop.log.LogLevel ;;
  hadoop:distcp | hadoop:archive | mapred:distcp | mapred:archive)
    classpath+=":$share/tools/lib/*"
    class=org.apache.hadoop.tools.DistCp
    [[ $what == distcp ]] || class=org.apache.hadoop.tools.HadoopArchives
    ;;
  *:classpath)
    echo "$classpath"
    exit
    ;;
  hdfs:dfsadmin) class=org.apache.hadoop.hdfs.tools.DFSAdmin ;;
  hdfs:fsck) class=org.apache.hadoop.hdfs.tools.DFSck ;;
  hdfs:getconf) class=org.apache.hadoop.hdfs.tools.GetConf ;;
  hdfs:balancer) class=org.apache.hadoop.hdfs.server.balancer.Balancer ;;
  hdfs:mover) class=org.apache.hadoop.hdfs.server.mover.Mover ;;
  hdfs:cacheadmin) class=org.apache.hadoop.hdfs.tools.CacheAdmin ;;
  hdfs:crypto) class=org.apache.hadoop.hdfs.tools.CryptoAdmin ;;
  hdfs:ec) class=org.apache.hadoop.hdfs.tools.ECAdmin ;;
  hdfs:groups) class=org.apache.hadoop.hdfs.tools.GetGroups ;;
  hdfs:storagepolicies) class=org.apache.hadoop.hdfs.tools.StoragePolicyAdmin ;;
  hdfs:snapshotDiff) class=org.apache.hadoop.hdfs.tools.snapshot.SnapshotDiff ;;
  hdfs:lsSnapshottableDir) class=org.apache.hadoop.hdfs.tools.snapshot.LsSnapshottableDir ;;
  hdfs:oiv) class=org.apache.hadoop.hdfs.tools.offlineImageViewer.OfflineImageViewerPB ;;
  hdfs:oev) class=org.apache.hadoop.hdfs.tools.offlineEditsViewer.OfflineEditsViewer ;;
  yarn:app | yarn:application | yarn:applicationattempt | yarn:container)
    class=org.apache.hadoop.yarn.client.cli.ApplicationCLI
    set -- "$what" "$@"
    ;;
  yarn:node) class=org.apache.hadoop.yarn.client.cli.NodeCLI ;;
  yarn:queue) class=org.apache.hadoop.yarn.client.cli.QueueCLI ;;
  yarn:logs) class=org.apache.hadoop.yarn.client.cli.LogsCLI ;;
  yarn:cluster) class=org.apache.hadoop.yarn.client.cli.ClusterCLI ;;
  yarn:top) class=org.apache.hadoop.yarn.client.cli.TopCLI ;;
  yarn:rmadmin) class=org.apache.hadoop.yarn.client.cli.RMAdminCLI ;;
  mapred:job) class=org.apache.hadoop.mapred.JobClient ;;
  mapred:queue) class=org.apache.hadoop.mapred.JobQueueClient ;;
  mapred:hsadmin) class=org.apache.hadoop.mapreduce.v2.hs.client.HSAdmin ;;
  *:*.*) class=$what ;;
  *)
    echo "$command: no such command: $what" >&2
    exit 2
    ;;
esac
# shellcheck disable=SC2086 # options are words
exec "$JAVA_HOME/bin/java" "${options[@]}" $client $opts -cp "$classpath" "$class" "$@"
STAMPEDE_END
stampede_file 0644 '/etc/systemd/system/hadoop-datanode.service' <<'STAMPEDE_END'
[Unit]
Description=Hadoop: hdfs datanode
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0
RequiresMountsFor=/var/lib/hadoop/volume

[Service]
User=hdfs
Group=hadoop
UMask=0027
ExecStart=/usr/local/bin/hdfs datanode
Restart=on-failure
RestartSec=2
SuccessExitStatus=143
LimitNOFILE=65536
TasksMax=infinity

[Install]
WantedBy=multi-user.target
STAMPEDE_END
stampede_file 0644 '/etc/systemd/system/hadoop-nodemanager.service' <<'STAMPEDE_END'
[Unit]
Description=Hadoop: yarn nodemanager
After=network-online.target
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
User=yarn
Group=hadoop
UMask=0027
ExecStart=/usr/local/bin/yarn nodemanager
Restart=on-failure
RestartSec=2
SuccessExitStatus=143
LimitNOFILE=65536
TasksMax=infinity

[Install]
WantedBy=multi-user.target
STAMPEDE_END
stampede_file 0644 '/opt/stampede/scripts/01-hadoop/setup.hadoop.sh' <<'STAMPEDE_END'
# shellcheck shell=bash disable=SC1091
# Installs Hadoop, makes this role's folders, starts its daemons. The same for master and workers, so that what differs is seen here.
. /etc/stampede/hadoop.env
. /usr/local/lib/hadoop/web.sh

home=/opt/hadoop-$HADOOP_VERSION
data=/var/lib/hadoop

# unpacked aside and moved, so that a folder of this name is always whole, our own or the image's
install_hadoop() {
  local url urls=() file
  [[ ! -d $home ]] || return 0
  read -ra urls <<<"$HADOOP_URLS"
  for url in "${urls[@]}"; do
    if ((${#urls[@]} == 1)) || curl -sfIL -o /dev/null --max-time 15 "$url"; then break; fi
  done
  file="$STAMPEDE_CACHE/${url##*/}"
  stampede_download "$url" "$HADOOP_SHA512" "$file"
  rm -rf /opt/.hadoop-new
  mkdir -p /opt/.hadoop-new
  tar -xzf "$file" -C /opt/.hadoop-new --strip-components=1 --no-same-owner --exclude='*/share/doc' ||
    stampede_fail "cannot unpack $url: is the disk full? $(df -h --output=avail,target /opt | tail -n 1)"
  mv -T /opt/.hadoop-new "$home"
  rm -f "$file"
}

link() { [[ $(readlink "$2") == "$1" ]] || ln -sfnT "$1" "$2"; }

folder() { # PATH OWNER MODE
  [[ -d $1 ]] || install -d -o "$2" -g hadoop -m "$3" "$1"
}

# The volume is the one disk that Heat attached: of the size asked for, and empty or formatted by us. The node is never told its volume's id
# (the server exists before the attachment, and its user data with it), so anything but exactly one such disk is refused, not guessed.
mount_volume() {
  local disk found=() end=$((SECONDS + 180)) label
  until findmnt --noheadings "$data/volume" >/dev/null; do
    found=()
    for disk in $(lsblk --noheadings --nodeps --paths --bytes --output NAME,TYPE,SIZE |
      awk -v bytes=$((HADOOP_VOLUME_GIB * 1073741824)) '$2 == "disk" && $3 == bytes {print $1}'); do
      label=$(blkid -p -o value -s LABEL "$disk") || true
      if [[ $label == hadoop-data || -z $(lsblk --noheadings --output FSTYPE,PTTYPE,MOUNTPOINT "$disk" | tr -d '[:space:]') ]]; then
        found+=("$disk")
      fi
    done
    ((${#found[@]} <= 1)) || stampede_fail "cannot tell the data volume: ${found[*]} are all empty and of $HADOOP_VOLUME_GIB GiB"
    if ((${#found[@]} == 1)); then
      [[ $(blkid -p -o value -s LABEL "${found[0]}") == hadoop-data ]] || mkfs.ext4 -q -m 1 -L hadoop-data "${found[0]}"
      grep -q '^LABEL=hadoop-data ' /etc/fstab ||
        echo "LABEL=hadoop-data $data/volume ext4 defaults,noatime,nofail,x-systemd.device-timeout=60 0 2" >>/etc/fstab
      mkdir -p "$data/volume"
      mount "$data/volume"
    else
      ((SECONDS < end)) || stampede_fail "no data volume of $HADOOP_VOLUME_GIB GiB came within three minutes"
      sleep 1
    fi
  done
  folder "$data/volume/hdfs" hdfs 0700
}

# PATH MODE OWNER [GROUP]: made as OWNER, in whose folder it lies; only the superuser hdfs may give a group, which folders inside inherit
hdfs_folder() {
  local -x HDFS_USER=$3
  [[ $(webhdfs GET "$1" op=GETFILESTATUS) != *'"type":"DIRECTORY"'* ]] || return 0
  [[ -z ${4-} ]] || HDFS_USER=hdfs
  webhdfs PUT "$1" "op=MKDIRS&permission=$2" >/dev/null
  [[ -z ${4-} ]] || webhdfs PUT "$1" "op=SETOWNER&owner=$3&group=$4" >/dev/null
}

service() { stampede_service "$1" /etc/hadoop/* /etc/stampede/hadoop.env /usr/local/lib/hadoop/launch; }

setup_master() {
  local user
  service hadoop-resourcemanager
  folder $data/name hdfs 0700
  folder $data/checkpoint hdfs 0700
  if [[ ! -e $data/name/current/VERSION ]]; then
    runuser -u hdfs -g hadoop -- /usr/local/bin/hdfs namenode -format -nonInteractive >&2
  fi
  service hadoop-namenode
  stampede_wait 120 'the NameNode does not answer; see journalctl -u hadoop-namenode' namenode_works
  hdfs_folder /tmp 1777 hdfs hadoop
  hdfs_folder /user 755 hdfs hadoop
  hdfs_folder /staging 1777 hdfs hadoop
  hdfs_folder /mr-history 755 mapred hadoop
  hdfs_folder /mr-history/tmp 1777 mapred
  hdfs_folder /mr-history/done 750 mapred
  hdfs_folder /yarn-logs 1777 yarn hadoop
  # a home for whoever logs in to the image, and for root
  hdfs_folder /user/root 755 root root
  user=$(id -nu 1000 2>/dev/null) && hdfs_folder "/user/$user" 755 "$user" "$user"
  service hadoop-historyserver
  # the NameNode's journal grows for ever unless somebody merges it into its image now and then
  if [[ ! -e /etc/systemd/system/timers.target.wants/hadoop-checkpoint.timer ]]; then
    systemctl enable --quiet hadoop-checkpoint.timer
    systemctl start --no-block hadoop-checkpoint.timer
  fi
}

setup_worker() {
  if ((HADOOP_VOLUME_GIB > 0)); then mount_volume; else folder $data/hdfs hdfs 0700; fi
  folder $data/yarn yarn 0755
  folder /var/log/hadoop-yarn yarn 0755
  service hadoop-datanode
  service hadoop-nodemanager
}

install_hadoop &
installing=$!
java=$(stampede_java "$HADOOP_JAVA_MIN" "$HADOOP_JAVA_MAX")
getent passwd hdfs yarn mapred >/dev/null || systemd-sysusers /etc/sysusers.d/hadoop.conf
folder $data root 0755
folder $data/tmp root 1777 # what commands of any user unpack
[[ -e $data/exclude ]] || install -m 0644 /dev/null $data/exclude
wait $installing
link "$home" /opt/hadoop
link "$java" /usr/local/lib/hadoop/java
for command in hadoop hdfs yarn mapred; do link ../lib/hadoop/launch /usr/local/bin/$command; done
"setup_$STAMPEDE_ROLE"
STAMPEDE_END
stampede_file 0644 '/opt/stampede/scripts/01-hadoop/ready.registered.sh' <<'STAMPEDE_END'
# shellcheck shell=bash disable=SC1091
# This worker works once the NameNode has taken its DataNode and the ResourceManager its NodeManager: green units prove neither.
. /usr/local/lib/hadoop/web.sh

registered() {
  local hdfs=no yarn=no
  # the DataNode's own word: its threads say RUNNING after the NameNode has taken it
  if ask "http://$STAMPEDE_NODE:9864/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo" | grep -q 'ActorState.*RUNNING'; then hdfs=yes; fi
  if [[ $(ask "http://$STAMPEDE_MASTER:8088/ws/v1/cluster/nodes/$STAMPEDE_NODE:8041" | field state) == RUNNING ]]; then yarn=yes; fi
  if [[ $hdfs$yarn == yesyes ]]; then return 0; fi
  stampede_detail "DataNode registered: $hdfs, NodeManager registered: $yarn"
  return 1
}

stampede_wait "$STAMPEDE_TIMEOUT_S" 'the master has not taken this worker; see journalctl -u hadoop-datanode -u hadoop-nodemanager' registered
STAMPEDE_END
exec /opt/stampede/run
