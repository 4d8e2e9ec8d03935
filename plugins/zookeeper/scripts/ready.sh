# shellcheck shell=bash disable=SC1091
# It leads or follows: so a majority is there.
. /usr/local/lib/zookeeper/servers.sh
serves() {
  local mode
  mode=$(zk_mode "$STAMPEDE_ADDRESS") || { stampede_detail 'ZooKeeper finds no majority of its servers'; return 1; }
  stampede_detail "ZooKeeper's server ${mode/%er/s}"
}
stampede_wait "$STAMPEDE_TIMEOUT_S" "ZooKeeper finds no majority of its servers; see journalctl -u zookeeper" serves
