# shellcheck shell=bash
# rest.sh - what user data has no room for. A node's script has these functions behind lib.sh where its end stands in the server's metadata.

# stampede_rest SUM COUNT - standard input begins a text that is packed, COUNT values of the server's metadata end it; SUM is the SHA-256 of both in
# one line. Unpacked it becomes /opt/stampede/rest.sh. What came once is kept, since a change takes its place in the metadata.
stampede_rest() {
  local whole=/opt/stampede/rest drive=$STAMPEDE_RUN/config-drive pause=1 why
  tr -d '\n' >"$STAMPEDE_RUN/rest-begins"
  mkdir -p "$drive"
  until why=$(stampede_rest_read "$@" 2>&1); do
    why="the end of this node's script is not in its server's metadata: ${why##*$'\n'}"
    stampede_again $pause "$why" || stampede_fail "$why; the metadata service (169.254.169.254) or a config drive has to answer"
    pause=$((pause < 16 ? pause * 2 : 16))
  done
  (umask 077 && python3 -c 'import base64, bz2, sys; sys.stdout.buffer.write(bz2.decompress(base64.b85decode(sys.stdin.read())))' <"$whole" >"$whole.sh")
}

# by what cloud-init has read, by the metadata service, by the config drive: whichever has what fits the checksum
stampede_rest_read() { # SUM COUNT
  local from disk status=0
  [[ $(sha256sum 2>/dev/null <"$whole") != "$1  -" ]] || return 0
  for from in known service drive; do
    if [[ $from == drive ]]; then
      disk=$(blkid -t LABEL=config-2 -o device || blkid -t LABEL=CONFIG-2 -o device) || break
      mount -o ro "${disk%%$'\n'*}" "$drive" || break
    fi
    status=0
    python3 -c '
import hashlib, json, sys, urllib.request
source, total, count, begins, whole, drive = sys.argv[1:]
try:
    if source == "known": meta = json.load(open("/run/cloud-init/instance-data-sensitive.json"))["ds"]["meta_data"]
    elif source == "drive": meta = json.load(open(drive + "/openstack/latest/meta_data.json"))
    else:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        meta = json.load(opener.open("http://169.254.169.254/openstack/latest/meta_data.json", timeout=20))
    text = open(begins).read() + "".join(meta["meta"]["stampede_part_%03d" % n] for n in range(int(count)))
except Exception as e: sys.exit("%s: %s %s" % (source, type(e).__name__, e))
if hashlib.sha256(text.encode()).hexdigest() != total: sys.exit(source + ": what stands there is another")
with open(whole + ".new", "w") as file: file.write(text)' "$from" "$1" "$2" "$STAMPEDE_RUN/rest-begins" "$whole" "$drive" || status=1
    [[ $from != drive ]] || umount "$drive"
    if ((status == 0)); then
      mv -f "$whole.new" "$whole"
      return 0
    fi
  done
  return 1
}
