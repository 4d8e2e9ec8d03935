# shellcheck shell=bash disable=SC2154
# JupyterLab on a node for people, beside Spark on a master and a worker: its token, a sum in its kernel and one by PySpark.

printf -v asked '{"groups": [["master", 1, 4096], ["worker", 1, 2048], ["edge", 1, 4096]], "python_index": "http://10.77.0.1:8000/pypi/simple", "frameworks": [
  {"name": "spark", "version": "4.2.0", "settings": {"sha512": "%s"}}, {"name": "jupyterlab"}]}' "$(sum_of spark/spark-4.2.0/spark-4.2.0-bin-hadoop3.tgz)"
all=(master worker-1 edge-1)
for node in "${all[@]}"; do node_begin "$node"; done
lay "$asked" "${all[@]}"
boot "${all[@]}"
saw "a sum in a kernel, and one by PySpark: $(stages_of edge-1)"
grep -q '403 without its token, and a sum is right in python3, pyspark' "$work/edge-1/var/log/stampede.log" || failed 'the answer is told'

token=$(on edge-1 cat /etc/stampede/secrets/jupyterlab/token)
status() { curl -s --noproxy '*' -o /dev/null -w '%{http_code}' ${1:+-H "Authorization: token $1"} http://10.77.0.200:8888/api/kernels; }
[[ "$(status) $(status wrong) $(status "$token")" == '403 403 200' ]] || failed "it answers $(status) without, $(status wrong) with a wrong one, $(status "$token") with its token"
saw 'it answers 403 without its token, from another node as well'
! on edge-1 curl -s -o /dev/null http://127.0.0.1:8888/api || failed 'it listens on other addresses than the node'"'"'s'
grep -r "$token" "$work"/edge-1/var/log >/dev/null && failed 'its token stands in a log'
[[ $(on edge-1 id -Gn jupyter) == 'jupyter spark' ]] || failed "the groups of its user: $(on edge-1 id -Gn jupyter)"
[[ $(on edge-1 stat -c '%a %U' /var/lib/jupyter) == '750 jupyter' ]] || failed 'its data'
saw 'its token is in no log, its user in the group of Spark'

before=$(on edge-1 cat /run/units/jupyterlab.main)
on edge-1 /opt/stampede/run >"$work/run-edge-1" 2>&1 || failed 'a second run'
[[ $(on edge-1 cat /run/units/jupyterlab.main) == "$before" ]] || failed 'a second run restarts it'
saw 'a second run changes nothing'
