#!/usr/bin/env bash
# A round of auforge loop on a Slurm of two nodes on one machine: annotate as an array, verify and the export of weights by
# dependencies. The loop is killed while the array runs and again while the training runs, and finds its jobs; the result
# equals that of the local engine.
#   loop_slurm_test.sh AUFORGE PICTURES      PICTURES: folder of pictures with a face each
# Exit 77: Slurm or munge is missing, or this user may not run them.
set -uo pipefail
auforge=$1
pictures=$2
skip() { echo "skipped: $1"; exit 77; }
fail() { echo "FAILED: $1"; exit 1; }
for program in munged slurmctld slurmd sbatch squeue; do
  command -v "$program" >/dev/null || PATH=$PATH:/usr/sbin
  command -v "$program" >/dev/null || skip "$program is not installed (apt-get install slurm-wlm munge)"
done
[[ $(id -u) == 0 ]] || skip "needs root, to start slurmd"
[[ -d "$pictures" ]] || skip "no folder of pictures"
. "$(dirname "$0")/small_slurm.sh"

cp -r "$pictures" "$D/in"
mkdir "$D/held"
mapfile -t names < <(cd "$D/in" && ls)
for name in "${names[@]: -4}"; do mv "$D/in/$name" "$D/held/"; done
export SOURCE_DATE_EPOCH=1767225600
network="--image-size 32 --conv-dim 4 --critic-layers 3 --blocks 1 --aus AU12,AU25 --batch 4 --critic-steps 2 --samples 0 -j 1 -q"
env -u SLURM_CONF "$auforge" annotate "$D/held" -o "$D/shards" -q -j 1 || exit 1
# shellcheck disable=SC2086
env -u SLURM_CONF "$auforge" gan train "$D/shards" -o "$D/run" $network --max-steps 2 >/dev/null || exit 1
"$auforge" gan export-weights "$D/run" -o "$D/start.h5" >/dev/null || exit 1
plan() {  # name, engine; the same work folder, whose path stands in shards
  cat >"$D/$1.json" <<PLAN
{"work": "work", "inputs": ["in"], "settle_seconds": 0, "held_out": "shards", "generator": "start.h5",
 "annotate": {"jobs": 1, "shard-size": 3}, "train": {"batch": 4, "critic-steps": 2, "max-steps": 60, "samples": 0, "jobs": 1, "epochs": 1000,
 "decay-epochs": 0, "save-minutes": 0.001}, "judge": {"faces": 2, "values": 2, "sheet-faces": 1}, "better": {"all": ["cycle_error_grey < 255"]},
 "engine": $2}
PLAN
}
plan local '{"kind": "local"}'
plan slurm '{"kind": "slurm", "tasks": 3, "poll_seconds": 0.5, "options": ["--cpus-per-task=1", "--mem=900M"]}'
env -u SLURM_CONF "$auforge" loop "$D/local.json" -q || fail "the local round"
mv "$D/work" "$D/local"

round=$D/work/rounds/0001
killed_at() {  # name of a job: kills the loop once that job is known and not yet over
  "$auforge" loop "$D/slurm.json" >>"$D/loop.log" 2>&1 &
  local loop=$!
  for _ in $(seq 1200); do
    grep -q "\"$1\": \"" "$round/round.json" 2>/dev/null && break
    kill -0 $loop 2>/dev/null || fail "the loop ended before $1: $(tail -n 3 "$D/loop.log")"
    sleep 0.1
  done
  kill -9 $loop
  wait $loop 2>/dev/null
  echo "== killed while $1 was handed over"
}
killed_at verify
killed_at candidate
"$auforge" loop "$D/slurm.json" >>"$D/loop.log" 2>&1 || { cat "$D/loop.log"; fail "the round on Slurm"; }
# annotate's array, verify, train, candidate and two judgements, each once.
submitted=$(grep -c "_slurm_rpc_submit_batch_job: JobId=" "$D/slurmctld.log")
[[ $submitted == 6 ]] || { cat "$D/loop.log"; grep "_slurm_rpc_submit_batch_job" "$D/slurmctld.log"; fail "$submitted jobs were handed over, not 6"; }
# The plans differ in their engines, and so do their digests in the lineage; weights that are imported are without it.
digest() { sha256sum "$D/$1.json" | cut -d ' ' -f 1; }
grep -q "$(digest slurm)" "$round/candidate.h5" || fail "the candidate does not tell its plan"
sed -i "s/$(digest local)/$(digest slurm)/" "$D/local/rounds/0001/lineage.json"
for folder in "$D/local/rounds/0001" "$round"; do
  "$auforge" gan import-weights "$folder/candidate.h5" --image-size 32 -o "$folder/weights" >/dev/null || fail "$folder/candidate.h5 cannot be imported"
done
for file in shards/00000.h5 shards/00001.h5 training/00000.h5 weights/checkpoint_00000000.h5 lineage.json figures.json inputs.json; do
  cmp "$D/local/rounds/0001/$file" "$round/$file" || fail "$file differs from the local engine's"
done
cmp "$round/candidate.h5" "$D/work/generator.h5" || fail "nothing was promoted"
echo "== a controller that does not answer"
kill "$(cat "$D/slurmctld.pid")"
sleep 1
cp "${D}/held/${names[-1]}" "$D/in/"
"$auforge" loop "$D/slurm.json" -q >"$D/silent.log" 2>&1
[[ $? == 1 ]] && grep -q "does not answer" "$D/silent.log" || { cat "$D/silent.log"; fail "a silent controller is not told"; }
echo "PASSED: the loop on Slurm, killed twice, equals the local one"
