# shellcheck shell=bash disable=SC2318
# manifest.sh - what plugins need on a node as data: a line a thing. It comes beside /opt/stampede/manifest, and after lib.sh.
# Its second half is units.sh; check.sh says what each line may be. It knows nothing of any framework. The form of the lines, and what each of them does, stands in templates/node/README.md.

MANIFEST=/opt/stampede/manifest
MANIFEST_MEMBERS=/opt/stampede/members # more of its lines: who has which component
MANIFEST_STEP=/opt/stampede/step     # who has joined, leaves, has left: in the change under way, or the one that this node boots in
MANIFEST_STORE=/opt/.stampede        # what was fetched, each under its checksum; the names that scripts know are links
MANIFEST_SECRETS=/etc/stampede/secrets
MANIFEST_VOLUME=/var/lib/stampede-volume
MANIFEST_AT_ONCE=4                   # downloads
mapfile -t MANIFEST_LINES < <(
  files=("$MANIFEST" "$MANIFEST_MEMBERS")
  if [[ -n ${STAMPEDE_CHANGE-} ]] || ! stampede_settled; then files+=("$MANIFEST_STEP"); fi
  cat "${files[@]}" 2>/dev/null
)

# --- lines

# manifest_each KIND COMMAND... - runs COMMAND for each line of KIND, whose fields stand in FIELD then, several of one key a line each
manifest_each() {
  local kind=$1 line
  local -A FIELD
  shift
  for line in "${MANIFEST_LINES[@]}"; do
    [[ $line == "$kind"$'\t'* ]] || continue
    manifest_fields "$line"
    "$@"
  done
}

manifest_fields() { # LINE
  local one ones
  IFS=$'\t' read -ra ones <<<"$1"
  FIELD=()
  for one in "${ones[@]:1}"; do FIELD[${one%%=*}]+=${FIELD[${one%%=*}]:+$'\n'}${one#*=}; done
}

# whether this node is one of those that the manifest is for
manifest_check_index() {
  [[ -n $(manifest_index "${FIELD[name]}") ]] || stampede_fail "the manifest is another node's: ${FIELD[name]} has no member $STAMPEDE_NODE"
}

# --- members

# manifest_range TEXT - prints each number of `1-3,7`
manifest_range() {
  local part n
  for part in ${1//,/ }; do
    for ((n = 10#${part%-*}; n <= 10#${part#*-}; n++)); do printf '%s\n' "$n"; done
  done
}

manifest_members() { # COMPONENT, of a line
  [[ ${FIELD[component]} != "$1" ]] || paste -d ' ' <(stampede_node_names "${FIELD[nodes]}") <(manifest_range "${FIELD[indexes]}")
}

# stampede_members COMPONENT - prints a line `NODE INDEX` for each member; the others those that have just come, are to leave, have just gone
stampede_members() { manifest_each members manifest_members "$1"; }
stampede_joined() { manifest_each joined manifest_members "$1"; }
stampede_leaving() { manifest_each leaving manifest_members "$1"; }
stampede_left() { manifest_each left manifest_members "$1"; }

manifest_index() { # COMPONENT - prints this node's number within it
  stampede_members "$1" | sed -n "s/^$STAMPEDE_NODE //p"
}

# stampede_later - this node takes its turn in a change after the others of its component: ends the change here, once; the host comes back to it
stampede_later() {
  ((${STAMPEDE_CHANGE:-0} > ${STAMPEDE_GENERATION:-0})) && [[ ! -e $STAMPEDE_KEPT/later ]] && stampede_settled || return 0 # one that it was told of
  stampede_say 'this node takes its turn later'
  printf '%s\n' "$STAMPEDE_CHANGE" | stampede_file 0644 "$STAMPEDE_KEPT/later"
  : >"$STAMPEDE_RUN/later"
  exit 0
}

# stampede_restart [UNIT] - in setup, which has written what a unit of its component reads, or all of them: it restarts in this run, or in the next
# that gets so far
stampede_restart() {
  local one own
  own=$(manifest_each unit manifest_unit_of "$STAMPEDE_COMPONENT")
  [[ -z ${1-} || $'\n'$own$'\n' == *$'\n'"$1"$'\n'* ]] || stampede_fail "$STAMPEDE_COMPONENT has no unit ${1:0:63}"
  for one in ${1:-$own}; do rm -f "$STAMPEDE_KEPT/units/$one"; done
}
manifest_unit_of() { [[ ${FIELD[component]} != "$1" ]] || printf '%s\n' "${FIELD[name]}"; }

# --- secrets: made once, and never said

# stampede_secret NAME - prints a secret of the script's own plugin
stampede_secret() {
  [[ $1 =~ ^[a-z_][a-z0-9_-]{0,62}$ && -r $MANIFEST_SECRETS/$STAMPEDE_PLUGIN/$1 ]] || stampede_fail "$STAMPEDE_PLUGIN has no secret ${1:0:63}"
  cat "$MANIFEST_SECRETS/$STAMPEDE_PLUGIN/$1"
}

manifest_secret() {
  local file=$MANIFEST_SECRETS/${FIELD[plugin]}/${FIELD[name]} value
  (umask 077 && mkdir -p "${file%/*}")
  [[ ! -s $file ]] || return 0
  if [[ ${FIELD[shared]} == yes ]]; then
    value=$(manifest_shared "${FIELD[plugin]} ${FIELD[name]}")
  else
    value=$(od -An -v -N 32 -tx1 /dev/urandom | tr -d ' \n')
  fi
  [[ $value =~ ^[0-9a-f]{64}$ ]] || stampede_fail "cannot make the secret ${FIELD[name]} of ${FIELD[plugin]}"
  stampede_file 0400 "$file" <<<"$value"
  sync "$file"
}

# manifest_shared TEXT - prints the HMAC-SHA-256 over TEXT by what all nodes of the cluster signal with
manifest_shared() {
  local key
  key=$(stampede_value "$STAMPEDE_READY" password) || key=$(stampede_value "$STAMPEDE_READY" alarm_url) ||
    stampede_fail "nodes that signal by a token of their own have no secret in common: let Heat signal in another way (HEAT_SIGNAL)"
  printf '%s\n%s' "$key" "$1" | python3 -c '
import hashlib, hmac, sys
key, text = sys.stdin.buffer.read().split(b"\n")
print(hmac.new(key, text, hashlib.sha256).hexdigest())'
}

# --- users, the volume, folders of data

manifest_group() { getent group "${FIELD[name]}" >/dev/null || groupadd --system "${FIELD[name]}"; }

# who is there already keeps the group that it has
manifest_user() {
  local name=${FIELD[name]} group=${FIELD[group]-} groups=${FIELD[groups]-} one
  getent passwd "$name" >/dev/null || group=${group:-$name}
  for one in $group ${groups//,/ }; do getent group "$one" >/dev/null || groupadd --system "$one"; done
  getent passwd "$name" >/dev/null || useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin --gid "$group" "$name"
  for one in $group ${groups//,/ }; do
    [[ " $(id -Gn "$name") " == *" $one "* ]] || usermod --append --groups "$one" "$name"
  done
}

# manifest_owner OWNER - sets USER_NAME and GROUP_NAME
manifest_owner() {
  USER_NAME=${1%%:*} GROUP_NAME=
  [[ $1 != *:* ]] || GROUP_NAME=${1#*:}
  [[ -n $GROUP_NAME ]] || GROUP_NAME=$(id -gn "$USER_NAME")
}

# manifest_disks - prints the disks that may be the volume. The node is never told its volume's id (the server exists before the attachment), so
# anything but one such disk, or one of exactly that size, is refused, not guessed.
manifest_disks() {
  local disk size asked=$((FIELD[gib] * 1073741824)) may=() exact=()
  while read -r disk size; do
    [[ $(blkid -p -o value -s LABEL "$disk") == stampede-data || -z $(lsblk --noheadings --output FSTYPE,PTTYPE,MOUNTPOINT "$disk" | tr -d '[:space:]') ]] || continue
    if ((size >= asked)); then may+=("$disk"); fi
    if ((size == asked)); then exact+=("$disk"); fi
  done < <(lsblk --noheadings --nodeps --paths --bytes --output NAME,TYPE,SIZE | awk '$2 == "disk" {print $1, $3}')
  if ((${#exact[@]} == 1)); then may=("${exact[@]}"); fi
  printf '%s\n' "${may[*]}"
}

manifest_volume() {
  local found
  while ! findmnt --noheadings "$MANIFEST_VOLUME" >/dev/null; do
    read -ra found < <(manifest_disks)
    ((${#found[@]} <= 1)) || stampede_fail "cannot tell the volume: ${found[*]} are all empty and of ${FIELD[gib]} GiB or more"
    if ((${#found[@]} == 1)); then
      manifest_format "${found[0]}"
      # after a boot, units wait for the attachment as long as that takes
      grep -q '^LABEL=stampede-data ' /etc/fstab ||
        echo "LABEL=stampede-data $MANIFEST_VOLUME ext4 defaults,noatime,nofail,x-systemd.device-timeout=1h 0 2" >>/etc/fstab
      mkdir -p "$MANIFEST_VOLUME"
      mount "$MANIFEST_VOLUME"
    else
      stampede_again 2 "waiting for a volume of ${FIELD[gib]} GiB" ||
        stampede_fail "no volume of ${FIELD[gib]} GiB came within half of the cluster's time"
    fi
  done
}

# nothing that was ever in use is formatted: a disk that no tool knows may still hold something, and a node that worked has its volume already
manifest_format() { # DISK
  [[ $(blkid -p -o value -s LABEL "$1") != stampede-data ]] || return 0
  [[ ! -e $STAMPEDE_KEPT/signalled ]] || stampede_fail "the volume of this node is gone, and $1 is another: attach it again, or let this node go"
  cmp --quiet --bytes=16777216 "$1" /dev/zero && cmp --quiet <(tail --bytes=1048576 "$1") <(head --bytes=1048576 /dev/zero) ||
    stampede_fail "the volume $1 is not empty, though it has no file system: it is not formatted; give the cloud's volumes a type that is wiped"
  mkfs.ext4 -q -m 1 -L stampede-data "$1"
}

# on the volume where the node has one; what stands on the root disk already is not hidden by it
manifest_data() {
  local path=${FIELD[path]} at=${FIELD[path]}
  manifest_owner "${FIELD[owner]}"
  # one that lies in another is on the volume with that
  if findmnt --noheadings "$MANIFEST_VOLUME" >/dev/null && [[ $(readlink -m "${path%/*}")/ != "$MANIFEST_VOLUME"/* ]]; then
    at=$MANIFEST_VOLUME$path
    if [[ -d $path && ! -L $path ]]; then
      rmdir "$path" 2>/dev/null || stampede_fail "$path holds data on the root disk, and is to lie on the volume: move it to $at, and put a link in its place"
    fi
    mkdir -p "${path%/*}/"
    manifest_link "$at" "$path"
  fi
  [[ -d $at ]] || mkdir -p "${at%/*}/"
  [[ -d $at ]] || install -d -o "$USER_NAME" -g "$GROUP_NAME" -m "${FIELD[mode]:-0750}" "$at"
}

# manifest_link TO NAME - in one step; what an image has of that name is put aside, not lost
manifest_link() {
  [[ $(readlink "$2") != "$1" ]] || return 0
  [[ ! -e $2 || -L $2 ]] || mv -T "$2" "$2.image"
  ln -sfnT "$1" "$2.stampede-new"
  mv -fT "$2.stampede-new" "$2"
}

# --- software

# all at once
manifest_packages() {
  local packages
  mapfile -t packages < <(manifest_each apt manifest_field package | sort -u)
  stampede_packages "${packages[@]}"
}

# Java: the image's, the distribution's, the operator's. What was chosen once stays, as long as it is in the range.
manifest_java() {
  local link=/opt/java-${FIELD[plugin]} home='' oldest=${FIELD[oldest]} newest=${FIELD[newest]} version
  version=$(sed -n 's/^JAVA_VERSION="\(1\.\)\?\([0-9]*\).*/\2/p' "$link/release" 2>/dev/null) || version=0
  [[ ! -x $link/bin/java ]] || ((${version:-0} < oldest || ${version:-0} > newest)) || return 0
  if [[ -n ${FIELD[url]-} ]] && ! stampede_java_there "$oldest" "$newest" >/dev/null; then
    stampede_apt_update
    for ((version = oldest; version <= newest; version++)); do
      ! stampede_package_there "openjdk-$version-jre-headless" || break
    done
    if ((version > newest)); then
      home=$MANIFEST_STORE/${FIELD[sum]}
      FIELD[strip]=1 FIELD[to]=$link FIELD[name]=java.tar.gz
      manifest_fetch "${FIELD[url]//$'\n'/ }"
      version=$(sed -n 's/^JAVA_VERSION="\(1\.\)\?\([0-9]*\).*/\2/p' "$home/release" 2>/dev/null) || version=0
      [[ -x $home/bin/java ]] && ((${version:-0} >= oldest && ${version:-0} <= newest)) ||
        stampede_fail "the tarball of Java is none of $oldest to $newest: it says ${version:-nothing}"
    fi
  fi
  [[ -n $home ]] || home=$(stampede_java "$oldest" "$newest")
  manifest_link "$home" "$link"
}

# a Python environment of wheels alone, each pinned; made where it stays, since environments cannot be moved
manifest_pip() {
  local home lines said=$STAMPEDE_RUN/pip pause=4 why trusted
  home=$MANIFEST_STORE/pip-$(printf '%s\n' "${FIELD[line]}" | sha256sum | head -c 64)
  if ! [[ -e $home/.whole ]] || stampede_cut; then
    mapfile -t lines <<<"${FIELD[line]}"
    printf '%s\n' "${lines[@]}" | stampede_file 0644 "$said.txt"
    python3 -c 'import ensurepip, venv' 2>/dev/null || stampede_packages python3-venv
    while :; do
      rm -rf "$home"
      python3 -m venv "$home"
      if (
        export PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ONLY_BINARY=:all: PIP_RETRIES=1 PIP_DEFAULT_TIMEOUT=15 PIP_ROOT_USER_ACTION=ignore
        [[ -z ${FIELD[url]-} ]] || export PIP_INDEX_URL=${FIELD[url]} PIP_EXTRA_INDEX_URL='' PIP_FIND_LINKS=''
        # pip passes over an index without TLS unless told not to
        [[ ${FIELD[url]-} != http://* ]] || ! stampede_host "${FIELD[url]}" || export PIP_TRUSTED_HOST=$STAMPEDE_HOST
        ! trusted=$(stampede_trusted) || export PIP_CERT=$trusted
        # as other downloads: by the proxy, and where that does not get them directly
        { [[ -n $STAMPEDE_PROXY ]] && PIP_PROXY=$STAMPEDE_PROXY "$home/bin/pip" install -q -r "$said.txt" >"$said" 2>&1; } ||
          "$home/bin/pip" install -q -r "$said.txt" >"$said" 2>&1
      ); then break; fi
      sed -E -i 's#://[^/[:space:]]*@#://#g' "$said"
      cat "$said" >&2 || true
      why="cannot install ${lines[0]%% *}: $(grep -a '^ERROR:' "$said" | tail -n 1 | cut -c 8-150)"
      ! grep -q 'DO NOT MATCH THE HASHES' "$said" || stampede_fail "cannot install ${lines[0]%% *}: the index has other wheels than those that are pinned by their sha256"
      ! grep -Eqi 'no space left' "$said" || stampede_fail "$why"
      grep -Eqi 'retrying|connection|timed out|could not fetch|HTTPError|[^0-9]5[0-9][0-9] (server|error)|proxy|certificate' "$said" || stampede_fail "$why"
      stampede_again $pause "$why" || stampede_fail "$why; set the index or proxy"
      pause=$((pause < 32 ? pause * 2 : 32))
    done
    sync -f "$home"
    : >"$home/.whole"
  fi
  mkdir -p "${FIELD[to]%/*}"
  manifest_link "$home" "${FIELD[to]}"
}

# --- artifacts

# manifest_fetch URLS - what FIELD describes is in the store: downloaded, checked, unpacked, whole
manifest_fetch() {
  local home=$MANIFEST_STORE/${FIELD[sum]} file=$STAMPEDE_CACHE/${FIELD[sum]} new=$MANIFEST_STORE/.new-${FIELD[sum]} status=0 inner
  if [[ -e $home ]] && ! stampede_cut; then return 0; fi
  mkdir -p "$MANIFEST_STORE"
  stampede_download "$1" "${FIELD[sum]}" "$file"
  rm -rf "$new"
  case ${FIELD[name]} in
    *.tar.gz | *.tgz | *.tar.xz)
      mkdir "$new"
      tar -xf "$file" -C "$new" --strip-components="${FIELD[strip]:-1}" --no-same-owner --no-same-permissions || status=$?
      ;;
    *.zip)
      mkdir "$new"
      python3 -m zipfile -e "$file" "$new" || status=$?
      inner=("$new"/*)
      if ((status == 0 && ${FIELD[strip]:-1} == 1 && ${#inner[@]} == 1)) && [[ -d ${inner[0]} ]]; then
        mv -T "${inner[0]}" "$new.inner"
        rmdir "$new"
        mv -T "$new.inner" "$new"
      fi
      ;;
    *) install -m 0644 "$file" "$new" || status=$? ;;
  esac
  if ((status != 0)); then
    rm -rf "$new"
    stampede_fail "cannot unpack ${FIELD[name]}: is the disk full? $(df -h --output=avail,target "$MANIFEST_STORE" | tail -n 1)"
  fi
  sync -f "$new"
  rm -rf "$home"
  mv -T "$new" "$home"
  rm -f "$file"
}

# the operator's mirror first, then each base, then whole URLs
manifest_urls() {
  local base urls=()
  [[ -z $STAMPEDE_MIRROR || -z ${FIELD[path]-} ]] || urls+=("${STAMPEDE_MIRROR%/}${FIELD[path]}")
  for base in ${FIELD[base]-}; do urls+=("${base%/}${FIELD[path]-}"); done
  for base in ${FIELD[url]-}; do urls+=("$base"); done
  ((${#urls[@]} > 0)) || stampede_fail "nobody says where to get ${FIELD[to]}"
  printf '%s\n' "${urls[*]}"
}

manifest_artifact() {
  local urls
  [[ -z ${FIELD[machine]-} || ${FIELD[machine]} == "$(uname -m)" ]] || return 0
  [[ " $FETCHED " != *" ${FIELD[sum]} "* ]] || return 0
  FETCHED+=" ${FIELD[sum]}"
  urls=$(manifest_urls)
  FIELD[name]=${urls%% *}
  FIELD[name]=${FIELD[name]##*/}
  [[ ${FIELD[name]} != *.xz ]] || command -v xz >/dev/null || stampede_packages xz-utils
  if ((${#FETCHING[@]} >= MANIFEST_AT_ONCE)); then
    wait "${FETCHING[0]}" || manifest_fetch_failed
    FETCHING=("${FETCHING[@]:1}")
  fi
  manifest_fetch "$urls" &
  FETCHING+=("$!")
}

# one that fails ends the others; what it said is what the user reads
manifest_fetch_failed() {
  kill "${FETCHING[@]}" 2>/dev/null || true
  exit 1
}

manifest_artifacts() {
  local FETCHING=() FETCHED='' one
  manifest_each artifact manifest_artifact
  for one in "${FETCHING[@]}"; do wait "$one" || manifest_fetch_failed; done
  manifest_each artifact manifest_artifact_link
}

manifest_artifact_link() {
  [[ -z ${FIELD[machine]-} || ${FIELD[machine]} == "$(uname -m)" ]] || return 0
  mkdir -p "${FIELD[to]%/*}"
  manifest_link "$MANIFEST_STORE/${FIELD[sum]}" "${FIELD[to]}"
}
