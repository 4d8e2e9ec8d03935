# shellcheck shell=bash
# check.sh - what each line of a manifest may be. The host writes no other (`host/src/bundle/manifest.rs`), and its tests hold it to this; nodes are
# not given it, since their user data has no room. Sourced after manifest.sh it has a node refuse what is no manifest before anything is done.

# the fields of each kind: `!` has to be there, `*` may be there several times
declare -gA MANIFEST_KEYS=(
  [component]='name! plugin!'
  [members]='component! nodes! indexes!' [joined]='component! nodes! indexes!' [leaving]='component! nodes! indexes!' [left]='component! nodes! indexes!'
  [runner]='component!'
  [group]='name!' [user]='name! group groups'
  [volume]='gib!'
  [secret]='name! plugin! shared!'
  [data]='path! owner! mode'
  [apt]='package*! component*'
  [java]='plugin! oldest! newest! url* sum component*'
  [pip]='to! line*! url component*'
  [artifact]='to! path base* url* sum! machine strip component*'
  [file]='path! from! plugin! owner! mode! effect! component*'
  [unit]='name! component! owner! exec! data* directive*'
  [check]='component! kind! target!'
)
MANIFEST_NAME='[a-z_][a-z0-9_-]{0,62}'
MANIFEST_PATH='(/[A-Za-z0-9_+:@~=,-][A-Za-z0-9._+:@~=,-]*|/\.[A-Za-z0-9_+:@~=,-][A-Za-z0-9._+:@~=,-]*)+'
MANIFEST_URL='https?://[][A-Za-z0-9._~:/?#@!$&()*+,;=%-]+'
declare -gA MANIFEST_FORMS=(
  [name]=$MANIFEST_NAME [plugin]=$MANIFEST_NAME [component]=$MANIFEST_NAME [group]=$MANIFEST_NAME [groups]="$MANIFEST_NAME(,$MANIFEST_NAME)*"
  [owner]="$MANIFEST_NAME(:$MANIFEST_NAME)?" [mode]='0[0-7]{3}' [effect]='nothing|reload|restart' [shared]='yes|no'
  [indexes]='[0-9]{1,5}(-[0-9]{1,5})?(,[0-9]{1,5}(-[0-9]{1,5})?)*' [gib]='[1-9][0-9]{0,7}' [oldest]='[1-9][0-9]{0,2}' [newest]='[1-9][0-9]{0,2}'
  [nodes]='[a-z][a-z0-9-]*(\[[0-9]{1,5}-[0-9]{1,5}\])?(,[a-z][a-z0-9-]*(\[[0-9]{1,5}-[0-9]{1,5}\])?)*'
  [path]=$MANIFEST_PATH [data]=$MANIFEST_PATH [from]='/opt/stampede/files/[0-9a-f]{1,16}' [to]="/opt$MANIFEST_PATH" [artifact-path]=${MANIFEST_PATH//@/@%}
  [url]=$MANIFEST_URL [base]=$MANIFEST_URL [sum]='[0-9a-f]{64}|[0-9a-f]{128}'
  [machine]='[a-z0-9_]{1,32}' [strip]='[0-9]' [package]='[a-z0-9][a-z0-9.+-]*' [line]='[A-Za-z0-9][][A-Za-z0-9._,-]*==[A-Za-z0-9][A-Za-z0-9.!+_-]*( --hash=sha256:[0-9a-f]{64})*'
  [exec]='(@[{]java[}])?/[^[:cntrl:]]+' [directive]='[A-Z][A-Za-z]*=[^[:cntrl:]]*' [kind]='http|tcp|unit|command|jobs' [target]='[^[:cntrl:]]+'
)

# manifest_check - whether every line of the manifest is one
manifest_check() {
  local LC_ALL=C line number=0 kind key keys form value
  local -A FIELD
  for line in "${MANIFEST_LINES[@]}"; do
    number=$((number + 1)) kind=${line%%$'\t'*}
    [[ -n $line ]] || continue
    [[ $kind =~ ^[a-z]+$ && -n ${MANIFEST_KEYS[$kind]-} ]] || stampede_fail "manifest line $number: there is no kind ${kind:0:30}: the host and this node's frame do not fit one another"
    [[ $line =~ ^[a-z]+($'\t'[a-z]+=[^[:cntrl:]]*)+$ ]] || stampede_fail "manifest line $number: $kind has a field that is none"
    manifest_fields "$line"
    keys=" ${MANIFEST_KEYS[$kind]} "
    for key in "${!FIELD[@]}"; do
      [[ $keys =~ \ $key([*!]*)\  ]] || stampede_fail "manifest line $number: $kind has no field $key"
      [[ ${BASH_REMATCH[1]} == *'*'* || ${FIELD[$key]} != *$'\n'* ]] || stampede_fail "manifest line $number: $kind has the field $key more than once"
      form=${MANIFEST_FORMS[$kind-$key]-${MANIFEST_FORMS[$key]}}
      while IFS= read -r value; do
        [[ $value =~ ^($form)$ ]] || stampede_fail "manifest line $number: $kind has a $key that is none: ${value:0:60}"
        [[ ! $kind-$key =~ ^(data-path|file-path|unit-data|[a-z]+-to)$ || ! $value =~ ^/(opt/(\.)?stampede|opt/java-.*|etc/(cloud|needrestart|stampede|systemd)|run|usr/(local/)?lib/systemd|var/cache/stampede|var/lib/stampede(-volume)?)(/|$) ]] || stampede_fail "manifest line $number: $value is the frame's own"
      done <<<"${FIELD[$key]}"
    done
    for key in ${MANIFEST_KEYS[$kind]}; do
      [[ $key != *'!' || -n ${FIELD[${key%%[*!]*}]-} ]] || stampede_fail "manifest line $number: $kind lacks ${key%%[*!]*}"
    done
    case $kind:${FIELD[kind]-} in
      check:http) [[ ${FIELD[target]} =~ ^https?://:[0-9]{1,5}(/[A-Za-z0-9._~/?=\&%-]*)?$ ]] || stampede_fail "manifest line $number: ${FIELD[target]:0:60} is no http://:PORT/PATH" ;;
      check:tcp) [[ ${FIELD[target]} =~ ^[0-9]{1,5}$ ]] || stampede_fail "manifest line $number: ${FIELD[target]:0:60} is no port" ;;
      check:unit) [[ ${FIELD[target]} =~ ^$MANIFEST_NAME$ ]] || stampede_fail "manifest line $number: ${FIELD[target]:0:60} is no unit" ;;
      members: | joined: | leaving: | left:)
        [[ $(stampede_node_names "${FIELD[nodes]}" | wc -l) == "$(manifest_range "${FIELD[indexes]}" | wc -l)" ]] ||
          stampede_fail "manifest line $number: ${FIELD[component]} has not as many nodes as indexes"
        ;;
      java:) [[ -z ${FIELD[url]-} || -n ${FIELD[sum]-} ]] || stampede_fail "manifest line $number: java lacks sum" ;;
      unit:) [[ ${FIELD[exec]}${FIELD[directive]-} != *'@{secret.'* ]] || stampede_fail "manifest line $number: a secret in the unit ${FIELD[name]}, which anybody can read" ;;
      file:) [[ ${FIELD[mode]} == *0 ]] || ! grep -q '@{secret\.' "${FIELD[from]}" 2>/dev/null || stampede_fail "manifest line $number: a secret in ${FIELD[path]}, which anybody can read" ;;
    esac
  done
}
