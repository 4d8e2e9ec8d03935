. /usr/local/lib/hadoop/lib.sh
prepare
