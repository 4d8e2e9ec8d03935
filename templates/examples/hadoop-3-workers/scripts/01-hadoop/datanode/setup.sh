. /usr/local/lib/hadoop/lib.sh
prepare
reserve /var/lib/hadoop/datanode
