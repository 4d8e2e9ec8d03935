. /usr/local/lib/hadoop/lib.sh

export HDFS_USER=stampede HADOOP_USER_NAME=stampede
dir=/tmp/stampede-smoke
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT


hdfs_works() {
  seq 20000 >"$scratch/file"
  hdfs_change PUT "$dir/file" 'op=CREATE&overwrite=true' -T "$scratch/file"
  webhdfs GET "$dir/file" op=OPEN | cmp - "$scratch/file" || stampede_fail 'HDFS gave back other bytes than it was given'
}

webhdfs DELETE "$dir" 'op=DELETE&recursive=true' >/dev/null # it is not there as a rule
hdfs_works &
hdfs=$!


take() { # WORKER
  ask -X PUT -T "$scratch/words" \
    "http://$1:9864/webhdfs/v1$dir/in/$1?op=CREATE&user.name=$HDFS_USER&namenoderpcaddress=$HADOOP_NAMENODE:8020&createparent=true&overwrite=true&replication=1" ||
    stampede_fail "the DataNode of $1 did not take a file"
}

yes 'alpha beta alpha' | head -n 4000 >"$scratch/words" || true # `yes` never ends well
inputs=0 taking=()
while read -r worker _; do
  ((inputs < 8)) || break
  take "$worker" &
  taking+=($!)
  inputs=$((inputs + 1))
done < <(stampede_members datanode)
for one in "${taking[@]}"; do wait "$one"; done
stampede_detail "word count over $inputs files"

quick='-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'
defines=()
for key in yarn.app.mapreduce.am.command-opts mapreduce.map.java.opts mapreduce.reduce.java.opts; do
  opts=$(sed -n "s|.*<name>$key</name><value>\\([^&]*\\)</value>.*|\\1|p" /etc/hadoop/mapred-site.xml)
  [[ -z $opts ]] || defines+=(-D "$key=$opts $quick")
done
jars=(/opt/hadoop/share/hadoop/mapreduce/hadoop-mapreduce-examples-*.jar)
HADOOP_CLIENT_OPTS="$quick -Xmx256m" /usr/local/bin/hadoop jar "${jars[0]}" wordcount \
  -D mapreduce.job.name=stampede-smoke \
  -D yarn.app.mapreduce.am.scheduler.heartbeat.interval-ms=250 \
  -D mapreduce.client.progressmonitor.pollinterval=250 \
  "${defines[@]}" \
  "$dir/in" "$dir/out" >"$scratch/job" 2>&1 || {
  cat "$scratch/job" >&2
  wait "$hdfs" # where HDFS does not work, that is why
  stampede_fail "the word count failed: $(grep -aE '(Exception|Error):|failed|killed' "$scratch/job" | grep -avE '^[[:space:]]+at ' | tail -n 1)"
}
cat "$scratch/job" >&2
wait "$hdfs"

got=$(webhdfs GET "$dir/out/part-r-00000" op=OPEN)
want=$(printf 'alpha\t%d\nbeta\t%d' $((inputs * 8000)) $((inputs * 4000)))
[[ $got == "$want" ]] || stampede_fail "the word count is wrong: ${got//[$'\n\t']/ }, expected ${want//[$'\n\t']/ }"


job=$(grep -ao 'job_[0-9]*_[0-9]*' "$scratch/job" | head -n 1)
history=http://$HADOOP_JOBHISTORY:19888/ws/v1/history/mapreduce/jobs/$job
in_history() { [[ $(ask "$history" | field state) == SUCCEEDED ]]; }
serves hadoop-jobhistory "the history server does not show $job; see journalctl -u hadoop-jobhistory" in_history

hosts=$(for task in $(ask "$history/tasks" | grep -o 'task_[0-9]*_[0-9]*_[mr]_[0-9]*' | sort -u); do
  ask "$history/tasks/$task/attempts" | field nodeHttpAddress
done | sed 's/:.*//' | sort -u | tr '\n' ' ')
hdfs_change DELETE "$dir" 'op=DELETE&recursive=true'
stampede_detail "word count right: alpha $((inputs * 8000)), beta $((inputs * 4000)), tasks on ${hosts% }"
