# smoke.py EXECUTORS [FOLDER] - counts words on every executor, and says what came out and on which nodes: on standard output, or in a folder of HDFS.
import socket
import sys
import time

from pyspark import SparkContext

executors = int(sys.argv[1])
context = SparkContext(appName="stampede-smoke")
end = time.time() + 180
while context._jsc.sc().getExecutorMemoryStatus().size() - 1 < executors and time.time() < end:
    time.sleep(0.2)


def words(_):
    time.sleep(0.2)  # so that nobody does the work of two
    yield from [("alpha", 1), ("beta", 1), ("alpha", 1)] * 1000
    yield "on " + socket.gethostname(), 1


partitions = 4 * executors
counts = dict(context.parallelize(range(partitions), partitions).flatMap(words).reduceByKey(lambda a, b: a + b, 4).collect())
nodes = sorted(key[3:] for key in counts if key.startswith("on "))
answer = f"alpha={counts['alpha']} beta={counts['beta']} partitions={partitions} nodes={','.join(nodes)}"
if len(sys.argv) > 2:
    context.parallelize([answer], 1).saveAsTextFile(sys.argv[2])
print("ANSWER " + answer)
context.stop()
