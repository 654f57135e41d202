#!/usr/bin/env bash
# Slurm on one machine with two nodes: an array of 8 tasks over 16 shards; one node dies with its tasks half-way; they are
# requeued and the result equals a single process's, byte for byte.
#   slurm_test.sh AUFORGE SBATCH_SCRIPT PHOTOS
# Exit 77: Slurm or munge is missing, or this user may not run them. Takes about 5 minutes.
set -uo pipefail
auforge=$1
script=$2
photos=${3:-${AUFORGE_PHOTOS:-}}
skip() { echo "skipped: $1"; exit 77; }
for program in munged slurmctld slurmd sbatch squeue; do
  command -v "$program" >/dev/null || PATH=$PATH:/usr/sbin
  command -v "$program" >/dev/null || skip "$program is not installed (apt-get install slurm-wlm munge)"
done
[[ $(id -u) == 0 ]] || skip "needs root, to start slurmd"
[[ -n "$photos" && -d "$photos" ]] || skip "AUFORGE_PHOTOS names no folder of photos"

. "$(dirname "$0")/small_slurm.sh"

# 16 tars of a few photos; small faces are looked for, so that a shard takes seconds.
mkdir "$D/in"
for i in $(seq -f %05g 0 15); do
  mkdir "$D/sample"
  n=0
  for photo in 2008_001009 2008_002506 2009_004587 2008_001322 2008_002079 2008_002470 2007_007763; do
    cp "$photos/$photo.jpg" "$D/sample/$i$n.jpg"; n=$((n + 1))
  done
  tar --sort=name --mtime=@0 -C "$D/sample" -cf "$D/in/$i.tar" .
  rm -r "$D/sample"
done
export SOURCE_DATE_EPOCH=1767225600 AUFORGE=$auforge
options=(--min-face 24)
echo "== array of 8 tasks"
job=$(sbatch --parsable --array=0-7%4 --time=1:00:00 --cpus-per-task=1 --mem=400M --output="$D/log-%a.txt" --export=ALL \
  "$script" "$D/in/{00000..00015}.tar" "$D/out" -j 1 "${options[@]}") || exit 1
for _ in $(seq 240); do
  done_shards=$(ls "$D/out" 2>/dev/null | grep -c _stats.json)
  on_n2=$(squeue -h -j "$job" -t R -w n2 -o %i 2>/dev/null | wc -l)
  (( done_shards >= 2 && on_n2 >= 1 )) && break
  sleep 0.5
done
victims=$(squeue -h -j "$job" -t R -w n2 -o %K | tr '\n' ' ')
echo "== $done_shards shards done; node n2 dies with tasks: $victims"
[[ -n $victims ]] || { echo "no task ran on n2"; squeue; exit 1; }
# The daemons first: a step daemon that sees its task die would report it, and a lost machine reports nothing.
tasks=()
for environ in /proc/[0-9]*/environ; do
  grep -qz "^SLURMD_NODENAME=n2$" "$environ" 2>/dev/null && grep -qz "^SLURM_CONF=$SLURM_CONF$" "$environ" 2>/dev/null || continue
  pid=${environ#/proc/}
  tasks+=("${pid%/environ}")
done
kill -9 "$(cat "$D/slurmd.n2.pid")"
for task in "${tasks[@]}"; do
  parent=$(ps -o ppid= -p "$task" | tr -d ' ')
  [[ $(ps -o comm= -p "$parent") == slurmstepd ]] && kill -9 "$parent"
done
kill -9 "${tasks[@]}"
echo "== waiting for the requeue (Slurm takes a few minutes)"
sleep 20
start_node n2
for _ in $(seq 300); do
  [[ -z $(squeue -h -j "$job" 2>/dev/null) ]] && break
  sleep 1
done
if [[ -n $(squeue -h -j "$job") ]]; then squeue; tail -n 5 "$D"/log-*.txt; echo "FAILED: tasks are left"; exit 1; fi
restarted=$(grep -ci "requeue job" "$D/slurmctld.log")
echo "== all tasks ended; requeues in the controller's log: $restarted"
(( restarted > 0 )) || { echo "FAILED: nothing was requeued"; exit 1; }

"$auforge" merge-stats "$D/out" --expect 16 || { echo "FAILED: shards are missing"; tail -n 3 "$D"/log-*.txt; exit 1; }
echo "== the same by a single process"
env -u SLURM_CONF "$auforge" annotate "$D/in/{00000..00015}.tar" -o "$D/single" -j 2 -q "${options[@]}" || exit 1
"$auforge" verify "$D/out" || exit 1
status=0
for file in "$D/single"/*.h5 "$D/single"/*_errors.jsonl; do
  cmp "$file" "$D/out/$(basename "$file")" || status=1
done
(( status == 0 )) && echo "PASSED: 16 shards equal the single process's" || echo "FAILED: shards differ"
exit "$status"
