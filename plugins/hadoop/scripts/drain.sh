# shellcheck shell=bash disable=SC1091
# Tells HDFS and YARN who leaves, once it is known that the others can hold all, and waits until HDFS holds every block of theirs on others and YARN has no
# container left on them.
. /etc/stampede/hadoop.env
. /usr/local/lib/hadoop/web.sh
. /usr/local/lib/hadoop/leave.sh
# a copy under way or a container that is moved ends within this
drain_limit_s=$STAMPEDE_TIMEOUT_S

# state LISTING ADDRESS KEY - of one of the NameNode's listings, which are JSON inside JSON: what it says of the DataNode of this address, by whatever
# name that is known
state() { grep -o "{[^{}]*\"xferaddr\":\"${2//./\\.}:[0-9]*\"[^{}]*}" <<<"$1" | field "$3"; }

# addresses - sets what everything here knows those who leave by
declare -A address
addresses() {
  local worker at
  for worker in $STAMPEDE_LEAVING; do
    read -r at _ < <(getent ahostsv4 "$worker") || stampede_fail "the address of $worker is not known on this node, so nobody leaves"
    address[$worker]=$at
  done
}

listing() { ask "http://$STAMPEDE_MASTER:9870/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo" | sed -n "s/^ *\"$1\" : \"//p" | tr -d '\\'; }

# fsck QUERY - HDFS's own report of its files, a line a file, of which there may be millions: it is read as it comes and kept nowhere. Half a report
# is none, and lacks the last line.
fsck() { ask --max-time "$drain_limit_s" "http://$STAMPEDE_MASTER:9870/fsck?ugi=hdfs&$1" || true; }

# beyond REMAIN LIVE - of a report, copies and path of the files that want more than REMAIN copies and no more than LIVE; then `end` and the last line
beyond() {
  sed -nE 's|^(/.*) [0-9]+ bytes, replicated: replication=([0-9]+), .*|\2 \1|p; t; $s|^|end |p' |
    awk -v remain="$1" -v live="$2" '$1 == "end" || ($1 > remain && $1 <= live)'
}

# Once nothing is left to copy, HDFS lets go; where a file wants more copies than workers remain there is always something left. Said at once,
# by name. What the framework itself keeps (history, logs) is lowered, nobody else's.
spread() {
  local live leaving remain worker copies path end='' wide=() own='^/(mr-history|yarn-logs|staging|tmp/stampede-smoke)/'
  live=$(jmx "$STAMPEDE_MASTER:9870" Hadoop:service=NameNode,name=FSNamesystemState NumLiveDataNodes)
  [[ -n $live ]] || stampede_fail 'HDFS does not tell how many workers it has, so nobody leaves'
  read -ra leaving <<<"$STAMPEDE_LEAVING"
  remain=0
  for worker in $STAMPEDE_WORKERS; do [[ " ${leaving[*]} " == *" $worker "* ]] || remain=$((remain + 1)); done
  ((remain > 0)) || stampede_fail "no worker would remain beside ${leaving[*]}"
  # files that want more copies than there ever were workers, such as a running job's, lose nothing
  while read -r copies path; do
    if [[ $copies == end ]]; then
      end=$path
    elif [[ $path =~ $own ]]; then
      wide+=("$path")
    else
      stampede_fail "$path keeps $copies copies, $remain workers would remain: lower that (hdfs dfs -setrep $remain /) or let fewer workers go"
    fi
  done < <(fsck 'path=%2F&files=1&openforwrite=1' | beyond "$remain" "$live")
  # who cannot see the files does not let anybody go
  [[ $end == 'The filesystem under path '*' is '* ]] || stampede_fail "HDFS does not tell which files there are, so nobody leaves: ${end:0:120}"
  # a file of these may end meanwhile; what is left of it then says so
  for path in "${wide[@]}"; do webhdfs PUT "$(encoded "$path")" "op=SETREPLICATION&replication=$remain" >/dev/null; done
}

# PATH as part of a URL
encoded() { printf %s "$1" | od -An -v -tx1 | tr -d '\n' | sed 's/ /%/g; s/%2f/\//g'; }

let_go() {
  local live dead worker at blocks yarn rest=''
  live=$(listing LiveNodes)
  dead=$(listing DeadNodes)
  # who cannot see them takes nobody for gone
  [[ -n $live && -n $dead ]] && namenode_works || return 1
  if ! resourcemanager_works; then
    stampede_detail 'the ResourceManager does not answer'
    return 1
  fi
  for worker in $STAMPEDE_LEAVING; do
    at=${address[$worker]}
    case $(state "$live" "$at" adminState) in
      Decommissioned) ;;
      '')
        if [[ -n $(state "$dead" "$at" xferaddr) ]]; then
          # it has gone already; HDFS copies from others what lay there
          [[ $(state "$dead" "$at" decommissioned) == true ]] || rest+="${rest:+; }$worker: its DataNode is down, HDFS makes new copies"
        elif ask "http://$worker:9864/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo" >/dev/null; then
          rest+="${rest:+; }$worker: its DataNode runs, and HDFS does not know it"
        elif [[ $(jmx "$STAMPEDE_MASTER:9870" Hadoop:service=NameNode,name=FSNamesystem MissingBlocks) != 0 ]]; then
          # as one does that has been down since before the NameNode's last start
          rest+="${rest:+; }$worker: HDFS does not know it, and misses blocks that may lie there: start it, or delete what is lost (hdfs fsck / -list-corruptfileblocks)"
        fi
        ;;
      *)
        blocks=$(state "$(listing DecomNodes)" "$at" underReplicatedBlocks)
        rest+="${rest:+; }$worker: ${blocks:-all} blocks to copy"
        ;;
    esac
    # 22 says that there is no such node, all others that nobody answers
    yarn=$(ask "http://$STAMPEDE_MASTER:8088/ws/v1/cluster/nodes/$worker:8041") || (($? == 22)) || return 1
    case $(field state <<<"$yarn") in
      RUNNING | DECOMMISSIONING | UNHEALTHY | NEW | REBOOTED) rest+="${rest:+; }$worker: $(field numContainers <<<"$yarn") containers run" ;;
    esac
  done
  [[ -n $rest ]] || rest=$(written)
  [[ -n $rest ]] || return 0
  stampede_detail "$rest"
  return 1
}

# written - HDFS lets a worker go while a file is being written there. The writers of most are sent on to the next copy; where all copies of what is
# written last lie on those who leave it would be lost, though its writer was told that it is safe. Looked at before HDFS is told who leaves, since
# from then on such a file cannot even be closed, and once more at the end, for those that were begun in between.
written() {
  local path open waits=()
  if ! open=$(runuser -u hdfs -g hadoop -- /usr/local/bin/hdfs dfsadmin -listOpenFiles); then
    echo 'HDFS does not tell which files are being written'
    return 0
  fi
  while IFS= read -r path; do
    # one that is closed meanwhile is not there, or holds no such block
    case $(fsck "path=$(encoded "$path")&files=1&blocks=1&locations=1&openforwrite=1" | alone " ${address[*]} ") in
      alone) waits+=("$path") ;;
      shared) ;;
      *)
        echo "HDFS does not tell where ${path:0:100} is being written"
        return 0
        ;;
    esac
  done < <(sed -nE 's|^[^\t]*\t[^\t]*\t *(/.*)|\1|p' <<<"$open")
  ((${#waits[@]} > 0)) || return 0
  sleep 5 # each look starts a JVM
  echo "${waits[0]:0:100} is being written on ${STAMPEDE_LEAVING// /, } alone: close it (the lease of a writer that died ends after 20 minutes)$( ((${#waits[@]} == 1)) || echo ", and $((${#waits[@]} - 1)) more")"
}

nothing_written() {
  local open_file
  open_file=$(written)
  [[ -n $open_file ]] || return 0
  stampede_detail "$open_file"
  return 1
}

# alone ADDRESSES - of a file's report: `alone` where all copies of the block that is being written lie there, else `shared`; nothing of half a report
alone() {
  awk -v leaving="$1" '
    /^Under Construction Block:/ {open = 1; next}
    open && /Expected_repl=/ {
      stay = 0
      copies = split($0, parts, /DatanodeInfoWithStorage\[/)
      for (i = 2; i <= copies; i++) {
        split(parts[i], address, ":")
        if (index(leaving, " " address[1] " ") == 0) stay++
      }
      if (copies > 1 && stay == 0) held = 1
      open = 0
    }
    {last = $0}
    END {
      if (held) print "alone"
      else if (last ~ /^The filesystem under path .* is / || last ~ / does not exist$/) print "shared"
    }'
}

if [[ -n ${STAMPEDE_LEAVING-} ]]; then
  serves hadoop-namenode 'the NameNode does not answer; see journalctl -u hadoop-namenode' namenode_ready
  addresses
  spread
  stampede_wait "$drain_limit_s" 'a file is being written on the workers that leave' nothing_written
  exclude
  leaving
  stampede_wait "$drain_limit_s" "the workers that leave still hold something" let_go
fi
