# shellcheck shell=bash
# system.sh - what the frame itself sees to on a node: its system, its name, its hosts file, its memory, whom it trusts. A part of /opt/stampede/run.

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
  local hosts
  hosts=$(node_hosts)
  stampede_file 0644 /etc/hosts <<<"$hosts"
  node_memory
  node_fence || true
  way_out
  node_programs
  node_fence || stampede_say 'this kernel has no rules by user: any process may ask the metadata service'
  node_trust
  stampede_units
  manifest_apply
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
  local one group base count first from
  for one in $STAMPEDE_GROUPS; do
    IFS=: read -r group base count first <<<"$one"
    from=${first#"$group"}
    from=${from#-}
    echo "$group $base $count ${from:-1} $first"
  done
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
