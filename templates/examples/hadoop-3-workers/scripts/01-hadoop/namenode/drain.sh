. /usr/local/lib/hadoop/lib.sh
. /usr/local/lib/hadoop/leave.sh

state() { grep -o "{[^{}]*\"xferaddr\":\"${2//./\\.}:[0-9]*\"[^{}]*}" <<<"$1" | field "$3"; }

declare -A address
addresses() {
  local worker at
  for worker in "${leaving[@]}"; do
    read -r at _ < <(getent ahostsv4 "$worker") || stampede_fail "the address of $worker is not known on this node, so nobody leaves"
    address[$worker]=$at
  done
}

listing() { ask "http://$HADOOP_NAMENODE:9870/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo" | sed -n "s/^ *\"$1\" : \"//p" | tr -d '\\'; }

lower() {
  local path
  for path in "${wide[@]}"; do webhdfs PUT "$(encoded "$path")" "op=SETREPLICATION&replication=${#stay[@]}" >/dev/null; done
}

let_go() {
  local live dead worker at blocks rest=''
  live=$(listing LiveNodes)
  dead=$(listing DeadNodes)
  [[ -n $live && -n $dead ]] && namenode_works || return 1
  for worker in "${leaving[@]}"; do
    at=${address[$worker]}
    case $(state "$live" "$at" adminState) in
      Decommissioned) ;;
      '')
        if [[ -n $(state "$dead" "$at" xferaddr) ]]; then
          [[ $(state "$dead" "$at" decommissioned) == true ]] || rest+="${rest:+; }$worker: its DataNode is down, HDFS makes new copies"
        elif ask "http://$worker:9864/jmx?qry=Hadoop:service=DataNode,name=DataNodeInfo" >/dev/null; then
          rest+="${rest:+; }$worker: its DataNode runs, and HDFS does not know it"
        elif [[ $(namesystem FSNamesystem MissingBlocks) != 0 ]]; then
          rest+="${rest:+; }$worker: HDFS does not know it, and misses blocks that may lie there: start it, or delete what is lost (hdfs fsck / -list-corruptfileblocks)"
        fi
        ;;
      *)
        blocks=$(state "$(listing DecomNodes)" "$at" underReplicatedBlocks)
        rest+="${rest:+; }$worker: ${blocks:-all} blocks to copy"
        ;;
    esac
  done
  [[ -n $rest ]] || rest=$(written)
  [[ -n $rest ]] || return 0
  stampede_detail "$rest"
  return 1
}

written() {
  local path open waits=()
  if ! open=$(runuser -u hdfs -g hadoop -- /usr/local/bin/hdfs dfsadmin -listOpenFiles); then
    echo 'HDFS does not tell which files are being written'
    return 0
  fi
  while IFS= read -r path; do
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
  echo "${waits[0]:0:100} is being written on ${leaving[*]} alone: close it (the lease of a writer that died ends after 20 minutes)$( ((${#waits[@]} == 1)) || echo ", and $((${#waits[@]} - 1)) more")"
}

nothing_written() {
  local open_file
  open_file=$(written)
  [[ -n $open_file ]] || return 0
  stampede_detail "$open_file"
  return 1
}

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

who_leaves datanode
if ((${#leaving[@]} > 0)); then
  namenode_serves
  addresses
  spread
  lower
  stampede_wait "$STAMPEDE_TIMEOUT_S" 'a file is being written on the workers that leave' nothing_written
  exclude_of_hdfs
  tell_hdfs
  stampede_wait "$STAMPEDE_TIMEOUT_S" 'the workers that leave still hold something' let_go
fi
