#!/bin/bash
# before-start NUMBER NODE - a server that follows without a vote was told so by the others, and would not start again from that: it stands in its own
# list of servers, always.
set -euo pipefail
list=$(sed -n 's/^dynamicConfigFile=//p' /var/lib/zookeeper/conf/zoo.cfg)
grep -q "^server\.$1=" "$list" || printf '\nserver.%s=%s:2888:3888:participant;2181\n' "$1" "$2" >>"$list"
