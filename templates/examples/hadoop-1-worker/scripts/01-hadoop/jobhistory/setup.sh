. /usr/local/lib/hadoop/lib.sh
prepare

hdfs_folder() {
  local -x HDFS_USER=$3
  [[ $(webhdfs GET "$1" op=GETFILESTATUS) != *'"type":"DIRECTORY"'* ]] || return 0
  [[ -z ${4-} ]] || HDFS_USER=hdfs
  hdfs_change PUT "$1" "op=MKDIRS&permission=$2"
  [[ -z ${4-} ]] || hdfs_change PUT "$1" "op=SETOWNER&owner=$3&group=$4"
}

hdfs_folders() {
  local user making=() one
  hdfs_folder /tmp 1777 hdfs hadoop & making+=($!)
  hdfs_folder /staging 1777 hdfs hadoop & making+=($!)
  hdfs_folder /yarn-logs 1777 yarn hadoop & making+=($!)
  {
    hdfs_folder /user 755 hdfs hadoop
    hdfs_folder /user/root 755 root root
    if user=$(id -nu 1000 2>/dev/null); then hdfs_folder "/user/$user" 755 "$user" "$user"; fi
  } & making+=($!)
  hdfs_folder /mr-history 755 mapred hadoop
  hdfs_folder /mr-history/tmp 1777 mapred
  hdfs_folder /mr-history/done 750 mapred
  for one in "${making[@]}"; do wait "$one"; done
}

namenode_serves
hdfs_folders
