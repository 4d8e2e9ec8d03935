# shellcheck shell=bash
# fetch.sh - how a node fetches what it needs from outside: packages and downloads. The second half of what scripts find as lib.sh.

# stampede_time_left - sets STAMPEDE_LEFT to the seconds for which what may pass is tried again: until half of the cluster's time has gone since this run
# began
stampede_time_left() {
  stampede_clock
  : "${STAMPEDE_GIVES_UP:=$((STAMPEDE_UP + STAMPEDE_TIMEOUT_S / 2))}"
  STAMPEDE_LEFT=$((STAMPEDE_GIVES_UP - STAMPEDE_UP))
}

# stampede_again SECONDS TEXT - says TEXT and waits some SECONDS before the next try, not all nodes for as long; fails when the time for tries has gone
stampede_again() {
  stampede_time_left
  ((STAMPEDE_LEFT > 0)) || return 1
  stampede_detail "$2; trying again"
  sleep $((1 + ($1 < STAMPEDE_LEFT ? RANDOM % $1 + $1 / 2 : STAMPEDE_LEFT)))
}

# stampede_name_servers - prints those that this node asks, behind systemd's own
stampede_name_servers() {
  local file=/etc/resolv.conf
  if grep -qs '^nameserver 127\.0\.0\.5[34]' $file && [[ -s /run/systemd/resolve/resolv.conf ]]; then file=/run/systemd/resolve/resolv.conf; fi
  sed -n 's/^[[:space:]]*nameserver[[:space:]]\{1,\}\([^[:space:]]*\).*/\1/p' $file 2>/dev/null || true
}

# stampede_name_server_answers ADDRESS - anything at all, to a question for the root's name servers
stampede_name_server_answers() {
  # shellcheck disable=SC2016 # for that bash
  [[ $(timeout 4 bash -c 'exec 3<>"/dev/udp/$0/53" && printf "WP\1\0\0\1\0\0\0\0\0\0\0\0\2\0\1" >&3 && head -c 1 <&3' "$1" 2>/dev/null) == W ]]
}

# stampede_unnamed HOST - prints why HOST has no address, and what helps
stampede_unnamed() {
  local servers one remedy='set cluster.dns_nameservers'
  read -ra servers < <(stampede_name_servers | tr '\n' ' ') || true
  if ((${#servers[@]} == 0)); then
    printf '%s\n' "this node was given no name server to find $1 by: $remedy"
    return 0
  fi
  for one in "${servers[@]}"; do
    if stampede_name_server_answers "$one"; then
      printf '%s\n' "the name server $one does not know $1: $remedy to one that does"
      return 0
    fi
  done
  printf '%s\n' "no name server answers (${servers[*]}), so that $1 is not found: $remedy to one that does"
}

# stampede_curl CURL ARGUMENT... - through the proxy, if the cluster has one, and with the cloud's own certificate authority
stampede_curl() {
  local options=() trusted
  [[ -z $STAMPEDE_PROXY ]] || options+=(--noproxy "$(stampede_inside)")
  if trusted=$(stampede_trusted); then options+=(--cacert "$trusted"); fi
  curl -K <(stampede_proxy_option) "${options[@]}" "$@"
}

# stampede_download URL SUM FILE - SUM is a SHA-512 or a SHA-256; FILE holds what URL gives, checked; several URLs, separated by blanks, are tried one after another. Resumed,
# and tried again until half of the cluster's time has gone: only what is not there anywhere, and a wrong sum twice, are final. Where one place has
# said so, others that are never reached, as in a cloud without a way out, are not waited for: some rounds are enough for them.
STAMPEDE_ROUNDS=6
stampede_download() {
  local urls url file=$3 open pause=1 why round first heard
  local -A final=() wrong=()
  if [[ -f $file ]] && stampede_sha512 "$file" "$2"; then return 0; fi
  mkdir -p "${file%/*}"
  read -ra urls <<<"$1"
  for ((round = 1; ; round++)); do
    open=0 why='' first='' heard=no
    for url in "${urls[@]}"; do
      if [[ -z ${final[$url]-} ]]; then
        STAMPEDE_FINAL=no STAMPEDE_HEARD=no
        if stampede_fetch "$url" "$2" "$file"; then return 0; fi
        if [[ $STAMPEDE_FINAL == sum ]]; then
          wrong[$url]=$((${wrong[$url]:-0} + 1))
          ((wrong[$url] < 2)) || STAMPEDE_FINAL=yes
        fi
        if [[ $STAMPEDE_FINAL == yes ]]; then
          final[$url]=$STAMPEDE_WHY
        else
          open=$((open + 1)) why=${why:-$STAMPEDE_WHY}
          [[ $STAMPEDE_HEARD == no ]] || heard=yes
        fi
      fi
      first=${first:-${final[$url]-}}
    done
    ((open > 0)) || stampede_fail "$first"
    [[ -z $first || $heard == yes ]] || ((round < STAMPEDE_ROUNDS)) || stampede_fail "$first; $why"
    stampede_again $pause "$why" || stampede_fail "$why"
    pause=$((pause < 16 ? pause * 2 : 16))
  done
}

# one try, through the proxy and then without it; STAMPEDE_WHY says what went wrong, STAMPEDE_FINAL whether another try may go better
stampede_fetch() { # URL SHA512 FILE
  local way ways=(direct) first='' end=yes
  [[ -z $STAMPEDE_PROXY ]] || ways=(proxy direct)
  for way in "${ways[@]}"; do
    if stampede_fetch_by $way "$1" "$2" "$3"; then return 0; fi
    first=${first:-$STAMPEDE_WHY}
    # what the proxy answers is its own word: final is what each way says
    case $STAMPEDE_FINAL in
      no) end=no ;;
      sum) [[ $end == no ]] || end=sum ;;
    esac
  done
  STAMPEDE_WHY=$first STAMPEDE_FINAL=$end
  return 1
}

stampede_fetch_by() { # proxy|direct URL SHA512 FILE
  local url=$2 part=$4.part error=$4.error status=0 code resumed=no sum room options=(-sSfL --stderr "$4.error" --connect-timeout 8 --speed-limit 1000 --speed-time 20)
  if [[ $1 == direct && -n $STAMPEDE_PROXY ]]; then options+=(-x ''); fi
  [[ ! -s $part ]] || resumed=yes
  room=$(df --output=avail -B1 "${4%/*}" | tail -n 1) || room=0
  ((room == 0)) || options+=(--max-filesize $((room)))
  code=$(stampede_curl "${options[@]}" -C - -o "$part" -w '%{http_code}' -K <(printf 'url = "%s"\n' "$url")) || status=$?
  cat "$error" >&2 2>/dev/null || true
  case $status in 23 | 63)
    rm -f "$part"
    stampede_fail "no room for ${url##*/} in ${4%/*}, which has $((room >> 20)) MiB left: take a flavor with a larger disk"
    ;;
  esac
  if ((status == 0)) || [[ $code == 416 ]]; then # 416: all of it was there already
    if stampede_sha512 "$part" "$3"; then
      mv -f "$part" "$4"
      rm -f "$error"
      return 0
    fi
    sum=$("$(stampede_sum_by "$3")" <"$part")
    rm -f "$part"
    if [[ $resumed == yes ]]; then
      stampede_fetch_by "$@"
      return
    fi
    STAMPEDE_FINAL=sum STAMPEDE_WHY="$(stampede_sum_by "$3" | cut -c -6) of $url is ${sum:0:12}..., expected ${3:0:12}..."
    return 1
  fi
  if [[ $resumed == yes ]] && ((status == 33)); then # this server cannot resume
    rm -f "$part"
    stampede_fetch_by "$@"
    return
  fi
  # a proxy that reaches nobody answers by itself
  [[ $code != [234]?? && ($1 == proxy || $code == 000) ]] || STAMPEDE_HEARD=yes
  stampede_fetch_words "$1" "$url" $status "$code" "$(sed -n 's/^curl: ([0-9]*) //p' "$error" 2>/dev/null | tail -n 1)"
  case $code in 404 | 410) STAMPEDE_FINAL=yes ;; esac
  return 1
}

stampede_fetch_words() { # proxy|direct URL STATUS CODE TEXT - sets STAMPEDE_WHY
  local through='' asked=$2
  if [[ $1 == proxy ]]; then through=' through the proxy' asked=$STAMPEDE_PROXY; fi
  stampede_host "$asked" || true
  if [[ $4 != 000 ]]; then
    STAMPEDE_WHY="cannot download $2: the server answered $4$through"
  elif (($3 == 5 || $3 == 6)) || [[ $5 == *esolv* ]]; then
    STAMPEDE_WHY=$(stampede_unnamed "$STAMPEDE_HOST")
    [[ $1 == proxy ]] || STAMPEDE_WHY+=", or mirror or proxy"
  else
    [[ $5 != *'not yet valid'* ]] || through+="; this node's clock says $(date -u +%FT%TZ)"
    STAMPEDE_WHY="cannot reach $STAMPEDE_HOST: $5; set mirror${through:+, or another proxy}"
    [[ -n $through ]] || STAMPEDE_WHY+=' or proxy'
  fi
}

stampede_sha512() { printf '%s  %s\n' "$2" "$1" | "$(stampede_sum_by "$2")" --check --status -; }

# the program that makes sums of this length
stampede_sum_by() { if ((${#1} == 64)); then echo sha256sum; else echo sha512sum; fi; }

# stampede_packages NAME... - the distribution's packages that are missing, through the proxy if there is one. A list that cannot be read ends
# nothing as long as another one has what is missing.
stampede_packages() {
  local name missing=() pause=4 why
  for name in "$@"; do
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  while :; do
    stampede_apt_update
    if stampede_apt install -y -q --no-install-recommends "${missing[@]}"; then return 0; fi
    why=$(stampede_apt_words "$STAMPEDE_RUN/apt")
    if ! stampede_apt_may_pass "$STAMPEDE_RUN/apt"; then
      [[ -s $STAMPEDE_RUN/apt-lists ]] || stampede_fail "cannot install ${missing[*]}: $why"
      why=$(stampede_apt_words "$STAMPEDE_RUN/apt-lists") # what is missing may stand in a list that could not be read
    fi
    why="cannot install ${missing[*]}: $why"
    stampede_again $pause "$why" || stampede_fail "$why"
    pause=$((pause < 32 ? pause * 2 : 32))
    rm -f "$STAMPEDE_RUN/apt-updated"
  done
}

# stampede_apt ARGUMENT... - waits for others who install: apt itself waits for one of its three locks; what it said stands in $STAMPEDE_RUN/apt.
# A reset in the middle of an installation is mended.
stampede_apt() {
  local options=(-o DPkg::Lock::Timeout=30 -o Acquire::Retries=2 -o Acquire::http::Timeout=15 -o Acquire::https::Timeout=15 -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0)
  local said=$STAMPEDE_RUN/apt status mended=0 trusted
  {
    [[ -z $STAMPEDE_PROXY ]] || printf 'Acquire::%s::Proxy "%s";\n' http "$STAMPEDE_PROXY" https "$STAMPEDE_PROXY"
    # a mirror of the cloud's own authority is trusted before the package is there by which the system would
    ! trusted=$(stampede_trusted) || printf 'Acquire::https::CaInfo "%s";\n' "$trusted"
  } | stampede_file 0600 "$STAMPEDE_RUN/apt.conf"
  options+=(-c "$STAMPEDE_RUN/apt.conf")
  while :; do
    status=0
    apt-get "${options[@]}" "$@" </dev/null >"$said" 2>&1 || status=$?
    sed -E -i 's#://[^/[:space:]]*@#://#g' "$said"
    cat "$said" >&2 || true
    ((status != 0)) || return 0
    if grep -q 'dpkg was interrupted' "$said" && ((mended++ < 3)); then
      dpkg --force-confold --configure -a </dev/null >&2 || true
    elif ! grep -Eqi 'could not get lock|unable to (lock|acquire)' "$said"; then
      return $status
    fi
    stampede_again 3 'another program installs packages on this node' || return $status
  done
}

# may another try of what ended with the words in this file go better? Servers, networks and mirrors in the middle of their own update recover
stampede_apt_may_pass() {
  grep -Eqi 'failed to fetch|unable to fetch|resolving|could not (resolve|connect|get lock)|connection (failed|timed|refused|reset)|unable to (connect|lock|acquire)|hash sum|unexpected size|mirror sync|not (yet )?valid' "$1" &&
    ! grep -Eqi "no space left|enough free space" "$1"
}

# what apt said, in words that say what helps
stampede_apt_words() {
  local line host
  line=$(grep -aE '^[EW]:' "$1" | grep -aE '://' | head -n 1) || line=$(grep -a '^E:' "$1" | tail -n 1) || line=$(tail -n 1 "$1")
  host=$(sed -n 's#.*://\(\[[^]]*\]\|[^/: ]*\).*#\1#p' <<<"$line")
  if [[ -z $host ]]; then
    printf '%s\n' "$line"
  elif [[ $line == *esolv* ]]; then
    stampede_unnamed "$(sed -n "s/.*esolv[a-z]* '\([^']*\)'.*/\1/p" <<<"$line" | sed 's/:.*//')"
  else
    printf '%s\n' "$host: ${line##*  }; set proxy if there is no other way out"
  fi
}

# once a boot; what cannot be read stands in $STAMPEDE_RUN/apt-lists, and is no failure: what is needed may stand elsewhere
stampede_apt_update() {
  [[ ! -e $STAMPEDE_RUN/apt-updated ]] || return 0
  stampede_apt -q update || true
  grep -aE '^(E:|Err:|W: (Failed to fetch|Some index files|GPG error|An error occurred))' "$STAMPEDE_RUN/apt" >"$STAMPEDE_RUN/apt-lists" || true
  if [[ -s $STAMPEDE_RUN/apt-lists ]]; then stampede_say "not all package lists can be read: $(stampede_apt_words "$STAMPEDE_RUN/apt-lists")"; fi
  : >"$STAMPEDE_RUN/apt-updated"
}

# stampede_package_there NAME - whether a list has it; apt also knows names, and fails for them or not, that others depend on and no list has
stampede_package_there() { [[ $(apt-cache show "$1" 2>/dev/null) == *Package:* ]]; }

# stampede_java_there MIN MAX - prints the home of the newest Java in the range that this node has; fails where it has none
stampede_java_there() {
  local home version best='' best_version=0
  for home in /usr/lib/jvm/*; do
    version=$(sed -n 's/^JAVA_VERSION="\(1\.\)\?\([0-9]*\).*/\2/p' "$home/release" 2>/dev/null) || continue
    [[ -x $home/bin/java && ! -L $home ]] || continue
    if ((version >= $1 && version <= $2 && version > best_version)); then best=$home best_version=$version; fi
  done
  [[ -n $best ]] && printf '%s\n' "$best"
}

# stampede_java MIN MAX - the same; 17, else the newest, is installed where there is none
stampede_java() {
  local version best try=() pause=4 why
  if ! best=$(stampede_java_there "$1" "$2"); then
    [[ -z ${STAMPEDE_JAVA_TRIED-} ]] || stampede_fail "installed Java, but found no version from $1 to $2 in /usr/lib/jvm"
    for ((version = $2; version >= $1; version--)); do try+=("$version"); done
    if (($1 <= 17 && 17 <= $2)); then try=(17 "${try[@]}"); fi
    while :; do
      stampede_apt_update
      for version in "${try[@]}"; do
        stampede_package_there "openjdk-$version-jre-headless" || continue
        stampede_packages "openjdk-$version-jre-headless"
        STAMPEDE_JAVA_TRIED=1 stampede_java "$1" "$2"
        return
      done
      [[ -s $STAMPEDE_RUN/apt-lists ]] || stampede_fail "this image's packages hold no Java from $1 to $2"
      why="cannot install Java: $(stampede_apt_words "$STAMPEDE_RUN/apt-lists")"
      stampede_again $pause "$why" || stampede_fail "$why"
      pause=$((pause < 32 ? pause * 2 : 32))
      rm -f "$STAMPEDE_RUN/apt-updated"
    done
  fi
  printf '%s\n' "$best"
}
