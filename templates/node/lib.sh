# shellcheck shell=bash
# lib.sh - what the frame and the plugins' scripts share; sourced by bash under `set -Eeuo pipefail`.
# It knows nothing of any framework. What it writes for people goes to standard error, which is the log.

STAMPEDE_RUN=/run/stampede              # of this boot: what failed, the way to the progress sender
STAMPEDE_KEPT=/var/lib/stampede         # of this node: signalled or not, checksums of what services run with, its generation
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
    case $name in STAMPEDE_RUN | STAMPEDE_KEPT | STAMPEDE_CACHE | STAMPEDE_LOG | STAMPEDE_SCRIPT | STAMPEDE_PLUGIN | STAMPEDE_STAGE | STAMPEDE_CHANGED) continue ;; esac
    printf '%s=%q\n' "$name" "${!name}"
  done | stampede_file 0600 /etc/stampede/env
  [[ ! -f $0 ]] || stampede_resumed
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
  if [[ -n ${STAMPEDE_CHANGE-} ]]; then
    stampede_outcome "failed $STAMPEDE_PLUGIN $STAMPEDE_STAGE $text"
  else
    STAMPEDE_TRIES=40 stampede_once FAILURE "$where $text" "$where $text" || true
  fi
  stampede_progress "failed $text"
  stampede_progress_end
  exit 1
}

# stampede_json LENGTH TEXT - a JSON string of the first LENGTH characters of TEXT, whatever bytes these are
stampede_json() {
  printf '"%s"' "$(printf "%.$1s" "$2" | LC_ALL=C tr '\000-\037\177' ' ' | (iconv -c -f UTF-8 -t UTF-8 2>/dev/null || true) |
    LC_ALL=C sed 's/[\\"]/\\&/g')"
}

# stampede_value JSON KEY - the text of KEY as it stands in the JSON; a quote inside a text has a backslash there, so that no text looks like a key
stampede_value() {
  [[ $1 =~ \"$2\":\ *\"(([^\"\\]|\\.)*)\" ]] || return 1
  printf '%s\n' "${BASH_REMATCH[1]}"
}

# stampede_signal READY|PROGRESS STATUS REASON DATA [ID] - one signal to Heat, tried again while Heat is busy
stampede_signal() {
  local signal=STAMPEDE_$1 endpoint=STAMPEDE_$1_ENDPOINT token=STAMPEDE_$1_TOKEN method=PUT header='Content-Type:' url body try code=000 login=''
  body="{\"id\": $(stampede_json 99 "${5:-$STAMPEDE_NODE}"), \"status\": \"$2\", \"reason\": $(stampede_json 190 "$3"), \"data\": $(stampede_json 2000 "$4")}"
  if url=$(stampede_value "${!signal}" alarm_url); then
    ! login=$(stampede_value "${!signal}" auth_url) || method=POST
  elif [[ -n ${!endpoint} ]]; then
    method=POST url=${!endpoint} header="Content-Type: application/json"$'\n'"X-Auth-Token: ${!token}"
  else
    stampede_say "the template gave no way to signal; not sent: $body"
    return 0
  fi
  for ((try = 1; try <= ${STAMPEDE_TRIES:-5}; try++)); do
    [[ -z $login ]] || header="Content-Type: application/json"$'\n'"X-Auth-Token: $(stampede_token "${!signal}" "$1")" || true
    code=$(stampede_http "$method" "$url" "$header" "$body") || true
    [[ $code != 2?? ]] || return 0
    [[ -z $login || $code != 40[13] ]] || rm -f "$STAMPEDE_RUN/token-$1" # it has ended: the next try gets another
    [[ $code != 40[0134] ]] || ((try < 4)) || break # not Heat's mood: it will not change
    sleep $((try < 5 ? try : 5))
  done
  stampede_say "Heat did not take the signal (status $code): $body"
  return 1
}

# stampede_token SIGNAL NAME - prints a token for HEAT_SIGNAL, by the user that Heat made for this handle alone; kept until it has ended
stampede_token() {
  local kept="$STAMPEDE_RUN/token-$2" new="$STAMPEDE_RUN/token-$2.$BASHPID" auth user password project code
  if [[ ! -s $kept ]]; then
    auth=$(stampede_value "$1" auth_url) && user=$(stampede_value "$1" user_id) && password=$(stampede_value "$1" password) && project=$(stampede_value "$1" project_id) || return 1
    code=$(STAMPEDE_ANSWER=$new stampede_http POST "${auth%/}/auth/tokens" 'Content-Type: application/json' "{\"auth\": {
      \"identity\": {\"methods\": [\"password\"], \"password\": {\"user\": {\"id\": \"$user\", \"password\": \"$password\"}}},
      \"scope\": {\"project\": {\"id\": \"$project\"}}}}") || true
    if [[ $code != 2?? ]]; then
      stampede_say "no token to signal with (status $code)"
      rm -f "$new"
      return 1
    fi
    sed -i -n 's/^x-subject-token: *\([^\r]*\).*/\1/Ip' "$new"
    mv -f "$new" "$kept"
  fi
  cat "$kept"
}

# stampede_http METHOD URL HEADERS BODY - prints the status, and puts the answer's headers into the file STAMPEDE_ANSWER; nothing secret stands on
# a command line
stampede_http() {
  local answer=${STAMPEDE_ANSWER:-/dev/null}
  [[ $answer == /dev/null ]] || (umask 077 && : >"$answer")
  if command -v curl >/dev/null; then
    curl -sS -o /dev/null -D "$answer" -w '%{http_code}' --max-time 30 -X "$1" -H "@"<(printf '%s\n' "$3") --data-binary @- -K <(printf 'url = "%s"\n' "$2") <<<"$4"
  else # cloud-init is Python, so Python is there
    STAMPEDE_HTTP_URL=$2 STAMPEDE_HTTP_HEADERS=$3 STAMPEDE_ANSWER=$answer python3 -c '
import os, sys, urllib.error, urllib.request
lines = os.environ["STAMPEDE_HTTP_HEADERS"].splitlines()
headers = {k.strip(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
request = urllib.request.Request(os.environ["STAMPEDE_HTTP_URL"], sys.stdin.buffer.read(), headers, method=sys.argv[1])
try:
    answer = urllib.request.urlopen(request, timeout=30)
    open(os.environ["STAMPEDE_ANSWER"], "w").write(str(answer.headers))
    print(answer.status, end="")
except urllib.error.HTTPError as e: print(e.code, end="")' "$1" <<<"$4"
  fi
}

# stampede_once STATUS REASON DATA - the node's one signal of readiness; from then on a reset must find on the disk what was proved
stampede_once() {
  [[ ! -e $STAMPEDE_KEPT/signalled ]] || return 0
  stampede_signal READY "$1" "$2" "$3" || return 1
  [[ $1 != SUCCESS ]] || sync
  : >"$STAMPEDE_KEPT/signalled"
}

# stampede_outcome TEXT - what became of the change STAMPEDE_CHANGE: kept until Heat took it, so that it arrives whatever happens
stampede_outcome() {
  local line="$STAMPEDE_NODE change $STAMPEDE_CHANGE $1"
  line=${line//$'\n'/ }
  stampede_file 0600 "$STAMPEDE_KEPT/outcome" <<<"${line:0:190}"
  stampede_file 0644 "$STAMPEDE_KEPT/generation" <<<"$STAMPEDE_CHANGE"
}

# stampede_deliver - sends what is kept of the last change
stampede_deliver() {
  [[ -s $STAMPEDE_KEPT/outcome ]] || return 0
  local line
  line=$(<"$STAMPEDE_KEPT/outcome")
  stampede_signal PROGRESS SUCCESS "$line" "$line" "change-$STAMPEDE_NODE" && rm -f "$STAMPEDE_KEPT/outcome"
}

# stampede_progress TEXT - `TEXT` is `OUTCOME REST`; goes to the sender in the background, if this run has one
stampede_progress() {
  local line="$STAMPEDE_NODE $STAMPEDE_PLUGIN $STAMPEDE_STAGE $1"
  [[ ! -p $STAMPEDE_RUN/progress ]] || printf '%s\n' "${line//$'\n'/ }" 1<>"$STAMPEDE_RUN/progress"
}

stampede_progress_begin() {
  [[ ! -e $STAMPEDE_KEPT/signalled || -n ${STAMPEDE_CHANGE-} ]] || return 0
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
    [[ -z ${STAMPEDE_CHANGE-} ]] || sync "$2.stampede-new" # the first run is made anew after a reset, a change may be over
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
  stampede_apt install -y -q --no-install-recommends "${missing[@]}" ||
    stampede_fail "cannot install ${missing[*]}: $(grep -a '^E:' "$STAMPEDE_RUN/apt" | tail -n 1)"
}

# stampede_apt ARGUMENT... - waits for others who install at the first boot: apt itself waits for one of its three locks; what it said stands in
# $STAMPEDE_RUN/apt. A reset in the middle of an installation is mended.
stampede_apt() {
  local options=(-o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 -o Acquire::http::Timeout=15 -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0)
  local end=$((SECONDS + 300)) said=$STAMPEDE_RUN/apt status
  [[ -z $STAMPEDE_PROXY ]] || options+=(-o "Acquire::http::Proxy=$STAMPEDE_PROXY" -o "Acquire::https::Proxy=$STAMPEDE_PROXY")
  while :; do
    status=0
    apt-get "${options[@]}" "$@" </dev/null >"$said" 2>&1 || status=$?
    cat "$said" >&2
    if ((status == 0 || SECONDS >= end)); then return $status; fi
    if grep -q 'dpkg was interrupted' "$said"; then
      dpkg --force-confold --configure -a </dev/null >&2 || true
    elif ! grep -qi 'could not get lock' "$said"; then
      return $status
    fi
    sleep 2
  done
}

# once a boot
stampede_apt_update() {
  [[ ! -e $STAMPEDE_RUN/apt-updated ]] || return 0
  if ! stampede_apt -q update || grep -q '^[EW]:.*Failed to fetch' "$STAMPEDE_RUN/apt"; then
    stampede_fail "cannot read the package lists: $(grep '^[EW]:' "$STAMPEDE_RUN/apt" | head -n 1)"
  fi
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

# stampede_service UNIT FILE... - UNIT runs now and after each boot; restarted when it ran with other FILEs. Waits for its end, so that nobody
# takes the old one's word for the new one's; never for its start: a blocking start inside cloud-init may wait for cloud-init itself.
stampede_service() {
  local unit=$1 kept="$STAMPEDE_KEPT/$1" sum
  sum=$(stampede_service_sum "$@")
  if [[ ! -e /etc/systemd/system/multi-user.target.wants/$unit.service ]]; then systemctl enable --quiet "$unit"; fi
  if systemctl is-active --quiet "$unit" && [[ -f $kept && $(<"$kept") == "$sum" ]]; then return 0; fi
  rm -f "$kept"
  systemctl daemon-reload
  systemctl stop "$unit"
  systemctl start --no-block "$unit"
  printf '%s\n' "$sum" >"$kept"
}

stampede_service_sum() { cat "/etc/systemd/system/$1.service" "${@:2}" | sha512sum; }

# stampede_service_differs UNIT FILE... - whether UNIT runs with other FILEs than these, so that stampede_service would restart it
stampede_service_differs() {
  systemctl is-active --quiet "$1" && [[ ! -f $STAMPEDE_KEPT/$1 || $(<"$STAMPEDE_KEPT/$1") != "$(stampede_service_sum "$@")" ]]
}
