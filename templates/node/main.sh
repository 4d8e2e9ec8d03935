# shellcheck shell=bash disable=SC2034,SC2153,SC2154
# main.sh - what /opt/stampede/run was asked for. Its last part.

if [[ ${1-} == fence ]]; then
  node_fence
  exit
fi

if [[ ${1-} == watch ]]; then
  mkdir -p "$STAMPEDE_RUN"
  watch
fi

mkdir -p "$STAMPEDE_RUN" "$STAMPEDE_KEPT"
exec 8>/run/stampede.lock
if [[ ${1-} == change ]]; then
  export STAMPEDE_CHANGE=$2
  flock 8
else
  flock -n 8 || { echo 'another run is under way; see /var/log/stampede.log' >&2; exit 1; }
fi
rm -f "$STAMPEDE_RUN"/{reason,line,command} # of an earlier run
exec 3>&2 >>"$STAMPEDE_LOG" 2>&1
trap stampede_trapped ERR
trap 'stampede_failed $?' EXIT
STAMPEDE_SCRIPT=/opt/stampede/run STAGES='' PROVE=no STAMPEDE_PLUGIN=node STAMPEDE_STAGE=setup
case ${1-} in
  change) change "${@:2}" ;;
  prove)
    PROVE=yes
    run
    ;;
  *) run ;;
esac
