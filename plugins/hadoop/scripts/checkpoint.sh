#!/bin/bash
# checkpoint - merges the NameNode's journal into its image four times a day, by a process that lives as long as that takes; without it the journal
# grows for ever. A failure is tried again an hour later, and stands in a file until one succeeds.
told=${RUNTIME_DIRECTORY:-/run/hadoop-checkpoint}
pause_s=3600
while sleep "$pause_s"; do
  if /usr/local/bin/hdfs secondarynamenode -checkpoint force >"$told/log" 2>&1; then
    rm -f "$told/failed"
    pause_s=21600
  else
    last=$(grep -aE '(ERROR|FATAL) |(Exception|Error): ' "$told/log" | grep -avE '^[[:space:]]+at ' | tail -n 1 | cut -c 1-150)
    printf '%s\n' "${last:-it gave no reason}" >"$told/failed"
    pause_s=3600
  fi
  cat "$told/log"
done
