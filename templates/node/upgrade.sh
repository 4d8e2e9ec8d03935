# upgrade.sh - sourced by bash. By this line the frame knows that a change is part of an upgrade.
# shellcheck shell=bash disable=SC2154
# An upgrade: what a change brings that replaces all that stands on a node by what the frame and the plugins of now make of it.
# It comes with each step of such a change, and is sourced by the frame that the node has, which may be an older one: of that it takes stampede_file,
# stampede_say, stampede_fail, stampede_units and stampede_progress_end alone.

UPGRADE_NEXT=/var/lib/stampede/next     # what was brought and is not in its place yet, and by which change
UPGRADE_FORMER=/var/lib/stampede/former # what stood here before, and which change has replaced it
UPGRADE_PLACES=(/etc/stampede/{env,ca.pem} /opt/stampede/{lib.sh,run,manifest.sh,manifest,members,scripts,files})
UPGRADE_FRAME=old

upgrade_is_of() { [[ -f $1/change && $(<"$1/change") == "$2" ]]; } # FOLDER CHANGE

# upgrade_bring CHANGE - makes the folder for what this change brings, once
upgrade_bring() {
  ! upgrade_is_of $UPGRADE_NEXT "$1" || return 0
  rm -rf $UPGRADE_NEXT
  mkdir -p $UPGRADE_NEXT/files
  stampede_file 0600 $UPGRADE_NEXT/change <<<"$1"
}

# upgrade_keep CHANGE - keeps what stands here, before any of it is replaced; a second run must not keep half of what came
upgrade_keep() {
  local at
  ! upgrade_is_of $UPGRADE_FORMER "$1" || return 0
  rm -rf $UPGRADE_FORMER{,.new}
  mkdir -p $UPGRADE_FORMER.new/files
  for at in "${UPGRADE_PLACES[@]}"; do
    [[ -e $at ]] || continue
    mkdir -p "$UPGRADE_FORMER.new/files${at%/*}"
    cp -a "$at" "$UPGRADE_FORMER.new/files$at"
  done
  printf '%s\n' "$1" >$UPGRADE_FORMER.new/change
  sync -f $UPGRADE_FORMER.new
  mv -T $UPGRADE_FORMER.new $UPGRADE_FORMER
}

# upgrade_take CHANGE FILES - puts what was brought into its place; FILES of them must have come
upgrade_take() {
  local there=0
  ! upgrade_is_of $UPGRADE_NEXT "$1" || there=$(find $UPGRADE_NEXT/files -type f | wc -l)
  ((there == $2)) || stampede_fail "of the $2 new files of this upgrade $there have come to this node"
  upgrade_place $UPGRADE_NEXT
  upgrade_go_on
}

# upgrade_back CHANGE - puts back what this change has replaced, and takes away what came with it
upgrade_back() {
  local at files=$UPGRADE_FORMER/files
  rm -rf $UPGRADE_NEXT
  upgrade_is_of $UPGRADE_FORMER "$1" || return 0
  while IFS= read -r -d '' at; do [[ -e $files$at ]] || rm -f "$at"; done < <(find "${UPGRADE_PLACES[@]}" -type f -print0 2>/dev/null)
  upgrade_place $UPGRADE_FORMER
  upgrade_go_on
}

# the frame comes last and in one go, so that no node ever has half of one: what can fail for want of room has been done by then
upgrade_place() { # FOLDER
  local file mode at frame=()
  while IFS= read -r -d '' file; do
    at=${file#"$1/files"} mode=$(stat -c %a "$file")
    case $at in
      /opt/stampede/lib.sh | /opt/stampede/run | /opt/stampede/manifest.sh)
        cmp -s "$file" "$at" || frame+=("$at")
        ;;
      *) stampede_file "0$mode" "$at" <"$file" ;;
    esac
  done < <(find "$1/files" -type f -print0)
  for at in "${frame[@]}"; do
    cp -a "$1/files$at" "$at.stampede-new"
    sync "$at.stampede-new"
  done
  for at in "${frame[@]}"; do
    mv -fT "$at.stampede-new" "$at"
    UPGRADE_FRAME=new
  done
}

# upgrade_go_on - the rest of the change is the work of the frame that has come: it begins the change anew, and finds all of it in its place
upgrade_go_on() {
  local words
  if [[ $UPGRADE_FRAME == new ]]; then
    stampede_say 'going on with the frame that has come'
    stampede_progress_end
    mapfile -d '' -t words <"/proc/$$/cmdline"
    exec "${words[@]}"
  fi
  stampede_units
  systemctl daemon-reload
}
