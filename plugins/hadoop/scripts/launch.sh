#!/bin/bash
# launch hadoop|hdfs|yarn|mapred COMMAND [ARGUMENT...] - what these four commands run. It needs Hadoop's jars alone, so it starts daemons and commands alike from the
# official tarball and from one without bin/.
set -euo pipefail
export JAVA_HOME="@{java}" HADOOP_HOME=/opt/hadoop HADOOP_CONF_DIR=${HADOOP_CONF_DIR:-/etc/hadoop}
export HADOOP_COMMON_HOME=$HADOOP_HOME HADOOP_HDFS_HOME=$HADOOP_HOME HADOOP_YARN_HOME=$HADOOP_HOME HADOOP_MAPRED_HOME=$HADOOP_HOME YARN_CONF_DIR=$HADOOP_CONF_DIR
share=$HADOOP_HOME/share/hadoop
# the folder hdfs itself holds webapps/; timelineservice holds a class that the ResourceManager wants
classpath=$HADOOP_CONF_DIR:$share/hdfs
for part in common hdfs yarn mapreduce; do classpath+=":$share/$part/*:$share/$part/lib/*"; done
classpath+=":$share/yarn/timelineservice/*:$share/yarn/timelineservice/lib/*${HADOOP_CLASSPATH:+:$HADOOP_CLASSPATH}"

command=$1
shift
if (($# == 0)); then
  echo "usage: $command COMMAND [ARGUMENT...], such as: hdfs dfs -ls /; yarn node -list; hadoop jar FILE; mapred job -list all" >&2
  exit 2
fi
what=$1
shift
options=(-XX:+IgnoreUnrecognizedVMOptions)
for package in java.lang java.util java.util.concurrent java.util.zip java.net java.nio sun.nio.ch sun.security.util sun.security.x509; do
  options+=("--add-opens=java.base/$package=ALL-UNNAMED")
done
options+=(-Djava.net.preferIPv4Stack=true "-Dhadoop.home.dir=$HADOOP_HOME" "-Djava.library.path=$HADOOP_HOME/lib/native")

# daemon CLASS - with the heap that its unit says; by hand with what Java takes
daemon() {
  local heap=${HADOOP_HEAP_MIB:-}
  options+=(${heap:+"-Xmx${heap}m"} "-Dhadoop.root.logger=INFO,console" -XX:+ExitOnOutOfMemoryError)
  if ((${heap:-1024} < 1024)); then options+=(-XX:+UseSerialGC); fi
  # a third of what a daemon costs until it serves is the second compiler's work on what is hot at the start alone: it begins thirty times later
  options+=(-XX:Tier4InvocationThreshold=150000 -XX:Tier4MinInvocationThreshold=18000 -XX:Tier4CompileThreshold=450000 -XX:Tier4BackEdgeThreshold=1200000)
  class=$1
}

# measured FILE - what setup found out about the disk
measured() { cat "/var/lib/hadoop/$1" 2>/dev/null || echo 0; }

opts=$(printenv HADOOP_OPTS || true)
client="${HADOOP_CLIENT_OPTS:--XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx512m} -Dhadoop.root.logger=${HADOOP_ROOT_LOGGER:-WARN,console}"
# formatting is a short command, whatever its class is
[[ $command:$what != hdfs:namenode || " $* " != *' -format '* ]] || what=format
case $command:$what in
  hdfs:namenode | hdfs:datanode | yarn:resourcemanager | yarn:nodemanager | mapred:historyserver | hdfs:secondarynamenode) client='' ;;
  *:jar) client=${client/WARN,console/INFO,console} ;;
esac
case $command:$what in
  hdfs:format) class=org.apache.hadoop.hdfs.server.namenode.NameNode ;;
  hdfs:namenode) daemon org.apache.hadoop.hdfs.server.namenode.NameNode ;;
  hdfs:secondarynamenode) daemon org.apache.hadoop.hdfs.server.namenode.SecondaryNameNode ;;
  hdfs:datanode)
    STAMPEDE_RESERVED=$(measured reserved)
    export STAMPEDE_RESERVED
    daemon org.apache.hadoop.hdfs.server.datanode.DataNode
    ;;
  yarn:resourcemanager | yarn:nodemanager)
    # what runs outlives them; their store is native code, which Hadoop brings for one machine
    [[ $(uname -m) != x86_64 ]] || options+=(-Dstampede.recovery=true -Dlibrary.leveldbjni.path=/var/lib/hadoop/tmp)
    ;;&
  yarn:resourcemanager) daemon org.apache.hadoop.yarn.server.resourcemanager.ResourceManager ;;
  yarn:nodemanager)
    STAMPEDE_FREE_MIB=$(measured free-mib)
    export STAMPEDE_FREE_MIB
    daemon org.apache.hadoop.yarn.server.nodemanager.NodeManager
    ;;
  mapred:historyserver) daemon org.apache.hadoop.mapreduce.v2.hs.JobHistoryServer ;;

  hadoop:fs | hdfs:dfs) class=org.apache.hadoop.fs.FsShell ;;
  hadoop:jar | yarn:jar) class=org.apache.hadoop.util.RunJar ;;
  hadoop:version | hdfs:version | yarn:version | mapred:version) class=org.apache.hadoop.util.VersionInfo ;;
  hadoop:checknative) class=org.apache.hadoop.util.NativeLibraryChecker ;;
  hadoop:conftest) class=org.apache.hadoop.util.ConfTest ;;
  hadoop:credential) class=org.apache.hadoop.security.alias.CredentialShell ;;
  hadoop:key) class=org.apache.hadoop.crypto.key.KeyShell ;;
  hadoop:daemonlog) class=org.apache.hadoop.log.LogLevel ;;
  hadoop:distcp | hadoop:archive | mapred:distcp | mapred:archive)
    classpath+=":$share/tools/lib/*"
    class=org.apache.hadoop.tools.DistCp
    [[ $what == distcp ]] || class=org.apache.hadoop.tools.HadoopArchives
    ;;
  *:classpath)
    echo "$classpath"
    exit
    ;;
  hdfs:debug) class=org.apache.hadoop.hdfs.tools.DebugAdmin ;;
  hdfs:dfsadmin) class=org.apache.hadoop.hdfs.tools.DFSAdmin ;;
  hdfs:fsck) class=org.apache.hadoop.hdfs.tools.DFSck ;;
  hdfs:getconf) class=org.apache.hadoop.hdfs.tools.GetConf ;;
  hdfs:balancer) class=org.apache.hadoop.hdfs.server.balancer.Balancer ;;
  hdfs:mover) class=org.apache.hadoop.hdfs.server.mover.Mover ;;
  hdfs:cacheadmin) class=org.apache.hadoop.hdfs.tools.CacheAdmin ;;
  hdfs:crypto) class=org.apache.hadoop.hdfs.tools.CryptoAdmin ;;
  hdfs:ec) class=org.apache.hadoop.hdfs.tools.ECAdmin ;;
  hdfs:groups) class=org.apache.hadoop.hdfs.tools.GetGroups ;;
  hdfs:storagepolicies) class=org.apache.hadoop.hdfs.tools.StoragePolicyAdmin ;;
  hdfs:snapshotDiff) class=org.apache.hadoop.hdfs.tools.snapshot.SnapshotDiff ;;
  hdfs:lsSnapshottableDir) class=org.apache.hadoop.hdfs.tools.snapshot.LsSnapshottableDir ;;
  hdfs:oiv) class=org.apache.hadoop.hdfs.tools.offlineImageViewer.OfflineImageViewerPB ;;
  hdfs:oev) class=org.apache.hadoop.hdfs.tools.offlineEditsViewer.OfflineEditsViewer ;;
  yarn:app | yarn:application | yarn:applicationattempt | yarn:container)
    class=org.apache.hadoop.yarn.client.cli.ApplicationCLI
    set -- "$what" "$@"
    ;;
  yarn:node) class=org.apache.hadoop.yarn.client.cli.NodeCLI ;;
  yarn:queue) class=org.apache.hadoop.yarn.client.cli.QueueCLI ;;
  yarn:logs) class=org.apache.hadoop.yarn.client.cli.LogsCLI ;;
  yarn:cluster) class=org.apache.hadoop.yarn.client.cli.ClusterCLI ;;
  yarn:top) class=org.apache.hadoop.yarn.client.cli.TopCLI ;;
  yarn:rmadmin) class=org.apache.hadoop.yarn.client.cli.RMAdminCLI ;;
  mapred:job) class=org.apache.hadoop.mapred.JobClient ;;
  mapred:queue) class=org.apache.hadoop.mapred.JobQueueClient ;;
  mapred:hsadmin) class=org.apache.hadoop.mapreduce.v2.hs.client.HSAdmin ;;
  *:*.*) class=$what ;;
  *)
    echo "$command: no such command: $what" >&2
    exit 2
    ;;
esac
# shellcheck disable=SC2086 # options are words
exec "$JAVA_HOME/bin/java" "${options[@]}" $client $opts -cp "$classpath" "$class" "$@"
