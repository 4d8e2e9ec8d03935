# shellcheck shell=bash disable=SC1091
# Installs Hadoop, makes this role's folders, starts its daemons. The same for master and workers, so that what differs is seen here.
. /etc/stampede/hadoop.env
. /usr/local/lib/hadoop/web.sh
. /usr/local/lib/hadoop/leave.sh

home=/opt/hadoop-$HADOOP_VERSION
data=/var/lib/hadoop
conf=/etc/hadoop

# unpacked aside and moved, so that a folder of this name is always whole, our own or the image's; after a reset ours may be so in name only
install_hadoop() {
  local urls=() file ours=$STAMPEDE_KEPT/unpacked-$HADOOP_VERSION
  if stampede_cut && [[ -e $ours ]]; then rm -rf "$home"; fi
  [[ ! -d $home ]] || return 0
  read -ra urls <<<"$HADOOP_URLS"
  file="$STAMPEDE_CACHE/${urls[0]##*/}"
  stampede_download "$HADOOP_URLS" "$HADOOP_SHA512" "$file"
  rm -rf /opt/.hadoop-new
  mkdir -p /opt/.hadoop-new
  tar -xzf "$file" -C /opt/.hadoop-new --strip-components=1 --no-same-owner --exclude='*/share/doc' ||
    stampede_fail "cannot unpack ${file##*/}: is the disk full? $(df -h --output=avail,target /opt | tail -n 1)"
  : >"$ours"
  sync "$ours"
  mv -T /opt/.hadoop-new "$home"
  rm -f "$file"
}

# an image's own folder of that name is put aside, not lost
link() { # TO NAME
  [[ $(readlink "$2") != "$1" ]] || return 0
  [[ ! -d $2 || -L $2 ]] || mv -T "$2" "$2.image"
  ln -sfnT "$1" "$2"
}

folder() { # PATH OWNER MODE
  [[ -d $1 ]] || install -d -o "$2" -g hadoop -m "$3" "$1"
}

# What HDFS leaves free on its disk: what stood there before its first block, and a tenth, at most 10 GiB. YARN takes the disk for full once a third
# of that is left, so that it finds the disk healthy however full HDFS is. Measured once, since what others write later comes out of the tenth.
reserve() { # FOLDER
  local size used avail tenth blocks=0 mib=1048576
  [[ ! -s $data/reserved ]] || return 0
  read -r size used avail < <(df --block-size=1 --output=size,used,avail "$1" | tail -n 1)
  if [[ -d $1/current ]]; then blocks=$(du --summarize --block-size=1 "$1" | cut -f 1); fi
  tenth=$((size / 10 < 10240 * mib ? size / 10 : 10240 * mib))
  ((avail + blocks >= tenth + 512 * mib)) ||
    stampede_fail "the disk of $1 has $((avail / mib)) of $((size / mib)) MiB free, too little for HDFS and YARN: take a flavor with a larger disk"
  stampede_file 0644 $data/free-mib <<<$((tenth / mib / 3))
  stampede_file 0644 $data/reserved <<<$((used - blocks + tenth))
}

# The volume is the one disk that Heat attached: empty, or formatted by us, and at least as large as asked for, since some backends round up. The
# node is never told its volume's id (the server exists before the attachment, and its user data with it), so anything but exactly one such disk, or
# one of exactly that size, is refused, not guessed.
volumes() { # prints the disks that may be it
  local disk size label asked=$((HADOOP_VOLUME_GIB * 1073741824)) may=() exact=()
  while read -r disk size; do
    label=$(blkid -p -o value -s LABEL "$disk") || true
    [[ $label == hadoop-data || -z $(lsblk --noheadings --output FSTYPE,PTTYPE,MOUNTPOINT "$disk" | tr -d '[:space:]') ]] || continue
    if ((size >= asked)); then may+=("$disk"); fi
    if ((size == asked)); then exact+=("$disk"); fi
  done < <(lsblk --noheadings --nodeps --paths --bytes --output NAME,TYPE,SIZE | awk '$2 == "disk" {print $1, $3}')
  if ((${#exact[@]} == 1)); then may=("${exact[@]}"); fi
  echo "${may[@]}"
}

mount_volume() {
  local found patience_s=$((STAMPEDE_TIMEOUT_S / 2)) end
  stampede_clock
  end=$((STAMPEDE_UP + patience_s))
  until findmnt --noheadings "$data/volume" >/dev/null; do
    read -ra found < <(volumes)
    ((${#found[@]} <= 1)) || stampede_fail "cannot tell the data volume: ${found[*]} are all empty and of $HADOOP_VOLUME_GIB GiB or more"
    if ((${#found[@]} == 1)) && format_volume "${found[0]}"; then
      # after a boot the DataNode waits for the attachment as long as that takes
      grep -q '^LABEL=hadoop-data ' /etc/fstab ||
        echo "LABEL=hadoop-data $data/volume ext4 defaults,noatime,nofail,x-systemd.device-timeout=1h 0 2" >>/etc/fstab
      mkdir -p "$data/volume"
      mount "$data/volume"
    else
      stampede_detail "waiting for a data volume of $HADOOP_VOLUME_GIB GiB"
      stampede_clock
      ((STAMPEDE_UP < end)) || stampede_fail "no data volume of $HADOOP_VOLUME_GIB GiB came within $patience_s seconds, half of the cluster's time"
      sleep 1
    fi
  done
  folder "$data/volume/hdfs" hdfs 0700
  folder "$data/volume/yarn" yarn 0755
}

# Nothing that was ever in use is formatted. What was formatted once is noted, and a node whose first run has ended is in use, whether Heat has heard
# of it or not.
may_format() { # WHAT
  ! stampede_settled && [[ ! -e $STAMPEDE_KEPT/formatted-$1 ]]
}

formatted() { # WHAT
  [[ ! -e $STAMPEDE_KEPT/formatted-$1 ]] || return 0
  : >"$STAMPEDE_KEPT/formatted-$1"
  sync "$STAMPEDE_KEPT/formatted-$1"
}

# a disk that no tool knows may still hold something, and a worker that worked has its volume already
format_volume() { # DISK
  if [[ $(blkid -p -o value -s LABEL "$1") == hadoop-data ]]; then
    formatted volume
    return 0
  fi
  may_format volume ||
    stampede_fail "the data volume of this worker is gone, and $1 holds none of its blocks: attach the volume again, or let this worker go"
  cmp --quiet --bytes=16777216 "$1" /dev/zero && cmp --quiet <(tail --bytes=1048576 "$1") <(head --bytes=1048576 /dev/zero) ||
    stampede_fail "the data volume $1 is not empty, though it has no file system: it is not formatted; give the cloud's volumes a type that is wiped, or no data volume"
  mkfs.ext4 -q -m 1 -L hadoop-data "$1"
  formatted volume
}

# PATH MODE OWNER [GROUP]: made as OWNER, in whose folder it lies; only the superuser hdfs may give a group, which folders inside inherit
hdfs_folder() {
  local -x HDFS_USER=$3
  [[ $(webhdfs GET "$1" op=GETFILESTATUS) != *'"type":"DIRECTORY"'* ]] || return 0
  [[ -z ${4-} ]] || HDFS_USER=hdfs
  hdfs_change PUT "$1" "op=MKDIRS&permission=$2"
  [[ -z ${4-} ]] || hdfs_change PUT "$1" "op=SETOWNER&owner=$3&group=$4"
}

# a home for whoever logs in to the image, and for root; beside one another, since each is three questions to a NameNode that has just begun
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

# service UNIT HEAP SITE... - with what it reads, so that a change restarts nobody whom it does not concern
service() { with_what_it_reads stampede_service "$@"; }

service_differs() { with_what_it_reads stampede_service_differs "$@"; }

with_what_it_reads() { # COMMAND UNIT HEAP SITE...
  local heap="HADOOP_$3_HEAP" sites=("${@:4}")
  "$1" "$2" "${sites[@]/#/$conf/}" $conf/core-site.xml $conf/log4j.properties /usr/local/lib/hadoop/launch <(echo "${!heap} $HADOOP_VERSION $java")
}

# Formatted aside and moved, so that a folder of this name is always formatted. From then on the only names of all blocks stand there: what is
# missing then is for a person to bring back.
format() {
  if [[ -e $data/name/current/VERSION ]]; then
    formatted name
    return 0
  fi
  may_format name ||
    stampede_fail "the NameNode's folder $data/name is gone or damaged; it is not formatted anew: bring it back from a backup, or by hdfs namenode -importCheckpoint from $data/checkpoint"
  [[ ! -e $data/name ]] || stampede_fail "$data/name is there and holds no NameNode's image; it is not formatted: look what it is, and move it away"
  rm -rf $data/name.new
  folder $data/name.new hdfs 0700
  as_daemon hdfs /usr/local/bin/hdfs namenode -D "dfs.namenode.name.dir=file://$data/name.new" -format -nonInteractive
  find $data/name.new -type f -exec sync {} +
  mv -T $data/name.new $data/name
  formatted name
}

# A NameNode that restarts waits in safe mode until it knows a thousandth less than all blocks: for ever, where those of a dead worker are missing.
may_restart_namenode() {
  local bean=Hadoop:service=NameNode,name=FSNamesystem missing total
  [[ -n ${STAMPEDE_CHANGE-} ]] && service_differs hadoop-namenode NAMENODE hdfs-site.xml || return 0
  missing=$(jmx "$STAMPEDE_MASTER:9870" "$bean" MissingBlocks) || missing=0
  total=$(jmx "$STAMPEDE_MASTER:9870" "$bean" BlocksTotal) || total=0
  ((${missing:-0} * 1000 <= ${total:-0})) ||
    stampede_fail "HDFS misses $missing of $total blocks, and a NameNode that restarts now would stay in safe mode: bring the dead workers back, or delete what is lost (hdfs fsck / -list-corruptfileblocks)"
}

setup_master() {
  # for `ready`: before anything is restarted
  [[ -z ${STAMPEDE_CHANGE-} ]] || registered >"$STAMPEDE_RUN/hadoop-registered" || rm -f "$STAMPEDE_RUN/hadoop-registered"
  # while workers leave, `drain` does this, once it knows that they can
  [[ -n ${STAMPEDE_LEAVING-} ]] || exclude
  service hadoop-resourcemanager RESOURCEMANAGER yarn-site.xml capacity-scheduler.xml
  folder $data/checkpoint hdfs 0700
  format
  may_restart_namenode
  service hadoop-namenode NAMENODE hdfs-site.xml
  serves hadoop-namenode 'the NameNode does not serve; see journalctl -u hadoop-namenode' namenode_ready
  hdfs_folders
  service hadoop-historyserver HISTORYSERVER mapred-site.xml hdfs-site.xml yarn-site.xml
  # the NameNode's journal grows for ever unless somebody merges it into its image now and then
  if [[ ! -e /etc/systemd/system/timers.target.wants/hadoop-checkpoint.timer ]]; then
    systemctl enable --quiet hadoop-checkpoint.timer
    systemctl start --no-block hadoop-checkpoint.timer
  fi
  [[ -n ${STAMPEDE_LEAVING-} ]] || leaving
}

setup_worker() {
  if ((HADOOP_VOLUME_GIB > 0)); then
    mount_volume
    reserve $data/volume/hdfs
  else
    folder $data/hdfs hdfs 0700
    folder $data/yarn yarn 0755
    folder /var/log/hadoop-yarn yarn 0755
    reserve $data/hdfs
  fi
  service hadoop-datanode DATANODE hdfs-site.xml
  # it writes logs into HDFS and serves MapReduce's shuffle
  service hadoop-nodemanager NODEMANAGER yarn-site.xml hdfs-site.xml mapred-site.xml
}

install_hadoop &
installing=$!
java=$(stampede_java "$HADOOP_JAVA_MIN" "$HADOOP_JAVA_MAX")
systemd-sysusers /etc/sysusers.d/hadoop.conf # an image may have the users without the group
folder $data root 0755
folder $data/tmp root 1777 # what commands of any user unpack
wait $installing
link "$home" /opt/hadoop
link "$java" /usr/local/lib/hadoop/java
for command in hadoop hdfs yarn mapred; do link ../lib/hadoop/launch /usr/local/bin/$command; done
"setup_$STAMPEDE_ROLE"
