# shellcheck shell=bash disable=SC1091
# Tells HDFS and YARN who leaves, once it is known that the others can hold all, and waits until HDFS holds every block of theirs on others and YARN has no
# container left on them.
. /etc/stampede/hadoop.env
. /usr/local/lib/hadoop/web.sh
. /usr/local/lib/hadoop/leave.sh
# a copy under way or a container that is moved ends within this
drain_limit_s=$STAMPEDE_TIMEOUT_S

# state LISTING WORKER KEY - of one of the NameNode's listings, which are JSON inside JSON
state() { grep -o "\"$2:[0-9]*\":{[^}]*}" <<<"$1" | field "$3"; }

listing() { ask "http://$STAMPEDE_MASTER:9870/jmx?qry=Hadoop:service=NameNode,name=NameNodeInfo" | sed -n "s/^ *\"$1\" : \"//p" | tr -d '\\'; }

# Once nothing is left to copy, HDFS lets go; where a file wants more copies than workers remain there is always something left. Said at once,
# by name. What the framework itself keeps (history, logs) is lowered, nobody else's.
spread() {
  local live leaving remain worker copies path wide=() own='^/(mr-history|yarn-logs|staging|tmp/stampede-smoke)/'
  live=$(jmx "$STAMPEDE_MASTER:9870" Hadoop:service=NameNode,name=FSNamesystemState NumLiveDataNodes)
  read -ra leaving <<<"$STAMPEDE_LEAVING"
  remain=0
  for worker in $STAMPEDE_WORKERS; do [[ " ${leaving[*]} " == *" $worker "* ]] || remain=$((remain + 1)); done
  ((remain > 0)) || stampede_fail "no worker would remain beside ${leaving[*]}"
  # files that want more copies than there ever were workers, such as a running job's, lose nothing
  while read -r copies path; do
    if [[ $path =~ $own ]]; then
      wide+=("$path")
    else
      stampede_fail "$path keeps $copies copies, $remain workers would remain: lower that (hdfs dfs -setrep $remain /) or let fewer workers go"
    fi
  done < <(ask --max-time "$drain_limit_s" "http://$STAMPEDE_MASTER:9870/fsck?ugi=hdfs&path=%2F&files=1" |
    sed -nE 's|^(/.*) [0-9]+ bytes, replicated: replication=([0-9]+), .*|\2 \1|p' | awk -v live="${live:-0}" -v remain="$remain" '$1 > remain && $1 <= live')
  for path in "${wide[@]}"; do webhdfs PUT "$(encoded "$path")" "op=SETREPLICATION&replication=$remain" >/dev/null; done
}

# PATH as part of a URL
encoded() { printf %s "$1" | od -An -v -tx1 | tr -d '\n' | sed 's/ /%/g; s/%2f/\//g'; }

let_go() {
  local live dead worker blocks yarn rest=''
  live=$(listing LiveNodes)
  dead=$(listing DeadNodes)
  namenode_works || return 1
  for worker in $STAMPEDE_LEAVING; do
    case $(state "$live" "$worker" adminState) in
      Decommissioned) ;;
      '')
        # it has gone already; HDFS copies from others what lay there
        if [[ -n $(state "$dead" "$worker" xferaddr) && $(state "$dead" "$worker" decommissioned) != true ]]; then
          rest+="${rest:+; }$worker: its DataNode is down, HDFS makes new copies"
        fi
        ;;
      *)
        blocks=$(state "$(listing DecomNodes)" "$worker" underReplicatedBlocks)
        rest+="${rest:+; }$worker: ${blocks:-all} blocks to copy"
        ;;
    esac
    yarn=$(ask "http://$STAMPEDE_MASTER:8088/ws/v1/cluster/nodes/$worker:8041") || yarn=''
    case $(field state <<<"$yarn") in
      RUNNING | DECOMMISSIONING | UNHEALTHY | NEW | REBOOTED) rest+="${rest:+; }$worker: $(field numContainers <<<"$yarn") containers run" ;;
    esac
  done
  [[ -n $rest ]] || return 0
  stampede_detail "$rest"
  return 1
}

if [[ -n ${STAMPEDE_LEAVING-} ]]; then
  stampede_wait 120 'the NameNode does not answer; see journalctl -u hadoop-namenode' namenode_works
  spread
  exclude
  leaving
  stampede_wait "$drain_limit_s" "the workers that leave still hold something" let_go
fi
