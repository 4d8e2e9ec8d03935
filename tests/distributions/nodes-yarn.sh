# shellcheck shell=bash disable=SC2154
# Hadoop, Spark on YARN and JupyterLab on a master and two workers: their jobs, a notebook's executors on both workers over a file in HDFS, the event log.

printf -v asked '{"groups": [["master", 1, 4096], ["worker", 2, 4096]], "python_index": "http://10.77.0.1:8000/pypi/simple", "frameworks": [
  {"name": "hadoop", "version": "3.4.3", "settings": {"sha512": "%s", "smoke": false}}, {"name": "spark", "version": "4.2.0", "settings": {"sha512": "%s"}}, {"name": "jupyterlab"}]}' \
  "$(sum_of hadoop/common/hadoop-3.4.3/hadoop-3.4.3.tar.gz)" "$(sum_of spark/spark-4.2.0/spark-4.2.0-bin-hadoop3.tgz)"
all=(master worker-1 worker-2)
for node in "${all[@]}"; do node_begin "$node"; done
lay "$asked" "${all[@]}"
boot "${all[@]}"
saw "all are verified: $(stages_of master)"
grep -q 'words are counted right on worker-1,worker-2, and the history server shows it' "$work/master/var/log/stampede.log" || failed "Spark's answer is told"
grep -q '403 without its token, and a sum is right in python3, pyspark' "$work/master/var/log/stampede.log" || failed "JupyterLab's answer is told"
cat >"$work/master/tmp/words.py" <<'END'
import socket, time
from pyspark.sql import SparkSession
spark = SparkSession.builder.appName("words").getOrCreate()
sc = spark.sparkContext
sc.parallelize(["alpha beta alpha"] * 4000, 8).saveAsTextFile("/user/jupyter/words")
def on(_): time.sleep(0.5); return socket.gethostname()
print("WORDS", sorted(sc.textFile("/user/jupyter/words").flatMap(str.split).countByValue().items()), sorted(set(sc.parallelize(range(40), 40).map(on).collect())))
END
on master timeout 240 runuser -u jupyter -- env HOME=/var/lib/jupyter spark-submit /tmp/words.py >"$work/words" 2>"$work/words.log" || { tail -n 20 "$work/words.log" >&2; failed 'words are counted by the user of notebooks'; }
grep -q "^WORDS \[('alpha', 8000), ('beta', 4000)\]" "$work/words" || failed "the words: $(cat "$work/words")"
saw "executors come as they are needed: $(cat "$work/words")"
