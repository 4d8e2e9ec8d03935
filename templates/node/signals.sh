# shellcheck shell=bash
# signals.sh - how a node tells Heat what becomes of it: signals, the verdict on its first run, changes, progress. A part of what scripts find as lib.sh.

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
  set -- "$1" "$2" "$(stampede_masked "$3")" "$(stampede_masked "$4")" "${5:-$STAMPEDE_NODE}"
  body="{\"id\": $(stampede_json 99 "$5"), \"status\": \"$2\", \"reason\": $(stampede_json 190 "$3"), \"data\": $(stampede_json 2000 "$4")}"
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

# stampede_host URL - sets STAMPEDE_HOST and STAMPEDE_PORT, an IPv6 address without its brackets
stampede_host() {
  [[ $1 =~ ^http(s?)://([^/]*@)?(\[[^]]*\]|[^/:]*)(:([0-9]+))? ]] || return 1
  STAMPEDE_HOST=${BASH_REMATCH[3]#[} STAMPEDE_PORT=${BASH_REMATCH[5]:-${BASH_REMATCH[1]:+443}}
  STAMPEDE_HOST=${STAMPEDE_HOST%]} STAMPEDE_PORT=${STAMPEDE_PORT:-80}
}

# stampede_known HOST - prints the addresses of one of the cloud's names that the host has found, separated by commas
stampede_known() {
  local one
  for one in ${STAMPEDE_CLOUD_ADDRESSES-}; do
    [[ ${one%%=*} != "$1" ]] || { printf '%s\n' "${one#*=}" && return 0; }
  done
  return 1
}

# stampede_image_trusts - prints the file of the image's own certificates, if it has any: Debian's, Red Hat's, SUSE's. A node that is refused for its
# system has to reach Heat too.
stampede_image_trusts() {
  local file
  for file in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem; do
    [[ ! -s $file ]] || { printf '%s\n' "$file" && return 0; }
  done
  return 1
}

# stampede_trusted - prints a file of the image's certificates and the cloud's own, if the cloud has its own
stampede_trusted() {
  local all=$STAMPEDE_RUN/trusted.pem image
  [[ -s $STAMPEDE_CA ]] || return 1
  image=$(stampede_image_trusts) || image=/dev/null
  if [[ ! -s $all || $STAMPEDE_CA -nt $all || $image -nt $all ]]; then
    mkdir -p "$STAMPEDE_RUN"
    { cat "$STAMPEDE_CA" && echo && cat "$image"; } >"$all.$BASHPID" || true
    mv -f "$all.$BASHPID" "$all"
  fi
  printf '%s\n' "$all"
}

# stampede_http METHOD URL HEADERS BODY - prints the status, and puts the answer's headers into the file STAMPEDE_ANSWER; nothing secret stands on
# a command line. The cloud is reached directly; where no name server tells its address, by the one that the host has found; where nothing else
# leads out, by the cluster's proxy. What worked last is tried first for five minutes, since the others may take their time to fail.
stampede_http() {
  local answer=${STAMPEDE_ANSWER:-/dev/null} known='' trusted way ways=(direct) last=$STAMPEDE_RUN/way code=000 options more
  [[ $answer == /dev/null ]] || (umask 077 && : >"$answer")
  if stampede_host "$2"; then known=$(stampede_known "$STAMPEDE_HOST") || known=''; fi
  trusted=$(stampede_trusted) || trusted=''
  if ! command -v curl >/dev/null; then
    stampede_http_python "$1" "$2" "$3" "$4" "$known" "$trusted"
    return
  fi
  options=(-sS -o /dev/null -D "$answer" -w '%{http_code}' --connect-timeout 10 --max-time 30 -X "$1" --data-binary @-)
  [[ -z $trusted ]] || options+=(--cacert "$trusted")
  [[ -z $known ]] || ways+=(known)
  [[ -z ${STAMPEDE_PROXY-} ]] || ways+=(proxy)
  if [[ -s $last ]] && ((EPOCHSECONDS - $(stat -c %Y "$last") < 300)); then ways=("$(<"$last")" "${ways[@]}"); fi
  for way in "${ways[@]}"; do
    case $way in
      known) more=(--noproxy '*' --resolve "$STAMPEDE_HOST:$STAMPEDE_PORT:$known") ;;
      proxy) more=(--noproxy '') ;;
      *) more=(--noproxy '*') ;;
    esac
    code=$(curl "${options[@]}" "${more[@]}" -H "@"<(printf '%s\n' "$3") -K <(printf 'url = "%s"\n' "$2" && [[ $way == proxy ]] && stampede_proxy_option) <<<"$4") || true
    [[ $code == 000 ]] || break
  done
  if [[ $code == 000 ]]; then
    rm -f "$last"
  elif [[ $way != "${ways[0]}" ]]; then
    printf '%s\n' "$way" >"$last"
  fi
  printf %s "$code"
  [[ $code != 000 ]]
}

# the proxy, for curl: its password stands on no command line
stampede_proxy_option() { [[ -z ${STAMPEDE_PROXY-} ]] || printf 'proxy = "%s"\n' "$STAMPEDE_PROXY"; }

# the same in Python, which is there where cloud-init is
stampede_http_python() {
  STAMPEDE_HTTP_URL=$2 STAMPEDE_HTTP_HEADERS=$3 STAMPEDE_ANSWER=${STAMPEDE_ANSWER:-/dev/null} python3 -c '
import os, socket, ssl, sys, urllib.error, urllib.request
method, name, known, trusted = sys.argv[1:]
lines = os.environ["STAMPEDE_HTTP_HEADERS"].splitlines()
headers = {k.strip(): v.strip() for k, v in (line.split(":", 1) for line in lines)}
resolve = socket.getaddrinfo
def resolved(host, *more, **named):
    try: return resolve(host, *more, **named)
    except socket.gaierror:
        if host != name or not known: raise
        return [found for at in known.split(",") for found in resolve(at.strip("[]"), *more, **named)]
socket.getaddrinfo = resolved
context = ssl.create_default_context()
if trusted: context.load_verify_locations(trusted)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))
request = urllib.request.Request(os.environ["STAMPEDE_HTTP_URL"], sys.stdin.buffer.read(), headers, method=method)
try:
    answer = opener.open(request, timeout=30)
    open(os.environ["STAMPEDE_ANSWER"], "w").write(str(answer.headers))
    print(answer.status, end="")
except urllib.error.HTTPError as e: print(e.code, end="")' "$1" "${STAMPEDE_HOST-}" "$5" "$6" <<<"$4"
}

# stampede_verdict STATUS REASON DATA - what became of the first run, said once and kept until Heat has taken it, however long that takes. On a
# disk that is full it is kept until the next boot.
stampede_verdict() {
  ! stampede_settled || return 0
  [[ $1 != SUCCESS ]] || sync # what was proved has to be on the disk
  stampede_keep verdict "$1" "${2//$'\n'/ }" "${3//$'\n'/ }"
}

# stampede_keep NAME LINE... - among what is kept of this node; where the disk is full, until the next boot
stampede_keep() {
  local folder
  for folder in "$STAMPEDE_KEPT" "$STAMPEDE_RUN"; do
    if (umask 077 && printf '%s\n' "${@:2}" >"$folder/$1.new") 2>/dev/null && sync "$folder/$1.new" && mv -f "$folder/$1.new" "$folder/$1"; then
      [[ $folder == "$STAMPEDE_RUN" ]] || rm -f "$STAMPEDE_RUN/$1"
      return 0
    fi
    rm -f "$folder/$1.new"
  done
}

# stampede_kept NAME - prints the newest of that name, if there is one
stampede_kept() { cat "$STAMPEDE_RUN/$1" 2>/dev/null || cat "$STAMPEDE_KEPT/$1" 2>/dev/null; }

# stampede_deliver_verdict - sends what is kept of the first run; succeeds where nothing is left to send
stampede_deliver_verdict() {
  (
    trap - ERR EXIT
    flock 7
    local file status reason data
    [[ ! -e $STAMPEDE_KEPT/signalled ]] || exit 0
    for file in "$STAMPEDE_KEPT/verdict" "$STAMPEDE_RUN/verdict"; do
      [[ -s $file ]] || continue
      { IFS= read -r status && IFS= read -r reason && IFS= read -r data; } <"$file" || true
      stampede_signal READY "$status" "$reason" "$data" || exit 1
      : >"$STAMPEDE_KEPT/signalled"
      sync "$STAMPEDE_KEPT/signalled"
      rm -f "$file"
      exit 0
    done
  ) 7>"$STAMPEDE_RUN/verdict.lock"
}

# the watcher goes on with it, at this boot and at every other one; before that is there, a process of its own does
stampede_delivered_later() {
  stampede_say 'Heat has not taken it yet; it is kept, and sent again until it has'
  if [[ -x /opt/stampede/run ]] && systemctl start --no-block stampede-watch; then return 0; fi
  # shellcheck disable=SC2016 # for that bash
  STAMPEDE_TRIES=1 setsid bash -c '. /etc/stampede/env && . /opt/stampede/lib.sh && until stampede_deliver_verdict; do sleep 15; done' </dev/null >/dev/null 2>&1 3>&- 8>&- 9>&- &
}

# stampede_outcome TEXT - what became of the change STAMPEDE_CHANGE: kept until Heat took it, so that it arrives whatever happens
stampede_outcome() {
  local line="$STAMPEDE_NODE change $STAMPEDE_CHANGE $1"
  line=${line//$'\n'/ }
  stampede_keep outcome "${line:0:190}"
  stampede_keep generation "$STAMPEDE_CHANGE"
}

# stampede_deliver - sends what is kept of the last change
stampede_deliver() {
  local line
  line=$(stampede_kept outcome) || return 0
  stampede_signal PROGRESS SUCCESS "$line" "$line" "change-$STAMPEDE_NODE" && rm -f "$STAMPEDE_KEPT/outcome" "$STAMPEDE_RUN/outcome"
}

# stampede_progress TEXT - `TEXT` is `OUTCOME REST`; goes to the sender in the background, if this run has one
stampede_progress() {
  local line="$STAMPEDE_NODE $STAMPEDE_PLUGIN $STAMPEDE_STAGE $1"
  [[ ! -p $STAMPEDE_RUN/progress ]] || printf '%s\n' "${line//$'\n'/ }" 1<>"$STAMPEDE_RUN/progress"
}

stampede_progress_begin() {
  ! stampede_settled || [[ -n ${STAMPEDE_CHANGE-} ]] || return 0
  rm -f "$STAMPEDE_RUN/progress"
  mkfifo -m 600 "$STAMPEDE_RUN/progress"
  exec 9<>"$STAMPEDE_RUN/progress" # held open from here on: what is written while nobody has it open is lost
  (
    trap - ERR
    set +e
    tries=3 next=0 STAMPEDE_UP=0
    while IFS= read -r line <&9 && [[ $line != end ]]; do
      # what is said while Heat takes nothing stands in the log alone: it must not pile up until the node waits for it
      stampede_clock
      ((STAMPEDE_UP >= next)) || continue
      if STAMPEDE_TRIES=$tries stampede_signal PROGRESS SUCCESS "$line" "$line"; then tries=3; else tries=1 next=$((STAMPEDE_UP + 30)); fi
    done
  ) &
  STAMPEDE_SENDER=$!
}

stampede_progress_end() {
  [[ -n ${STAMPEDE_SENDER-} ]] || return 0
  local i
  timeout 5 bash -c 'echo end >&9' || true # the pipe may be full
  for ((i = 0; i < 400; i++)); do
    kill -0 "$STAMPEDE_SENDER" 2>/dev/null || break
    sleep 0.1
  done
  kill "$STAMPEDE_SENDER" 2>/dev/null || true
  wait "$STAMPEDE_SENDER" || true
  rm -f "$STAMPEDE_RUN/progress"
}

# stampede_detail TEXT - one more line of progress for the user: logged when it is new, sent at most once in five seconds
stampede_detail() {
  [[ ${STAMPEDE_DETAIL-} != "$1" ]] || return 0
  STAMPEDE_DETAIL=$1
  stampede_say "$1"
  stampede_clock
  ((STAMPEDE_UP >= ${STAMPEDE_DETAIL_NEXT:-0})) || return 0
  STAMPEDE_DETAIL_NEXT=$((STAMPEDE_UP + 5))
  stampede_progress "detail $1"
}
