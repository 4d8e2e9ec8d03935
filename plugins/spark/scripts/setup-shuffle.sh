# shellcheck shell=bash disable=SC1091
# NodeManagers load the jar; without it none starts.
. /etc/spark/cluster.env
[[ -s $SPARK_SHUFFLE_JAR ]] ||
  stampede_fail "this tarball of Spark has no ${SPARK_SHUFFLE_JAR#/opt/spark/}, which spark.shuffle_service needs: take Apache's own, or set spark.shuffle_service=false"
