#!/usr/bin/env bash
# A long run simulated: tars of portraits repeated until there are IMAGES, annotated by one process, while memory and rate
# are watched. Memory must not grow and the rate must not fall.
#   steady_run.sh AUFORGE TARS_FOLDER IMAGES [annotate's options]
# Prints a line for every tenth of the run and what a million images would take.
set -euo pipefail
auforge=${1:?usage: steady_run.sh AUFORGE TARS_FOLDER IMAGES [options]}
tars=("$2"/*.tar)
images=$3
shift 3
D=$(mktemp -d /tmp/auforge-steady.XXXXXX)
pid=''
trap '[[ -z $pid ]] || kill "$pid" 2>/dev/null; rm -rf "$D"' EXIT
per_pass=$(for tar in "${tars[@]}"; do tar -tf "$tar" | grep -c '\.jpg$'; done | awk '{s += $1} END {print s}')
passes=$(( (images + per_pass - 1) / per_pass ))
mkdir "$D/in" "$D/out"
n=0
for _ in $(seq "$passes"); do
  for tar in "${tars[@]}"; do ln -s "$tar" "$D/in/$(printf %05d $n).tar"; n=$((n + 1)); done
done
total=$((passes * per_pass))
echo "$total images in $n tars; load of the machine $(cut -d' ' -f1 /proc/loadavg)"
start=$(date +%s.%N)
"$auforge" annotate "$D/in/{00000..$(printf %05d $((n - 1)))}.tar" -o "$D/out" -q --json "$@" >"$D/summary" &
pid=$!
printf '%10s %10s %12s %14s %14s %10s\n' images faces 'wall s' 'images/s' 'images/CPU s' 'RSS MB'
ticks=$(getconf CLK_TCK)
done_before=0 cpu_before=0 wall_before=0 next=$((total / 10)) first='' last='' first_memory='' last_memory=''
while kill -0 "$pid" 2>/dev/null; do
  sleep 0.5
  [[ -r /proc/$pid/stat ]] || break
  read -r _ _ _ _ _ _ _ _ _ _ _ _ _ user system _ </proc/"$pid"/stat 2>/dev/null || break
  memory=$(awk '/VmRSS/ {printf "%.0f", $2 / 1024}' /proc/"$pid"/status 2>/dev/null) || break
  shards=$(find "$D/out" -name '*_stats.json' 2>/dev/null | wc -l)
  now=$(( shards * total / n ))
  (( now >= next )) || continue
  wall=$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN {print b - a}')
  cpu=$(( user + system ))
  line=$(awk -v i=$((now - done_before)) -v w="$wall" -v w0="$wall_before" -v c=$((cpu - cpu_before)) -v t="$ticks" \
    'BEGIN {printf "%.1f %.1f", i / (w - w0), (c > 0 ? i / (c / t) : 0)}')
  rate=${line#* }
  printf '%10d %10s %12.1f %14s %14s %10s\n' "$now" '' "$wall" "${line% *}" "$rate" "$memory"
  # The first tenth holds the start-up.
  if [[ -z $first && $done_before != 0 ]]; then first=$rate first_memory=$memory; fi
  last=$rate last_memory=$memory
  done_before=$now cpu_before=$cpu wall_before=$wall
  next=$((now + total / 10))
done
wait "$pid"
pid=''
cat "$D/summary"
awk -v a="$first" -v b="$last" -v m="$first_memory" -v k="$last_memory" 'BEGIN {
  printf "rate of the last tenth against the second: %.3f; memory: %d MB against %d MB\n", b / a, k, m
  printf "a million images: %.0f s of processor time, %.2f h on two such cores\n", 1e6 / b, 1e6 / b / 2 / 3600
  exit !(b > 0.85 * a && k < m + 60)
}'
