#!/usr/bin/env bash
# A crawl on machines that mpirun reaches, rank and size from OpenMPI's environment:
#   tools/cluster/mpirun.sh HOSTFILE '/crawl/{00000..99999}.tar' /labels [annotate's options]
# One process a machine; AUFORGE_PER_NODE=N starts N (then give -j, too).
# The processes do not talk to each other; mpirun only starts them. When one fails mpirun ends all; run it again, finished
# shards are skipped.
set -euo pipefail
hosts=${1:?usage: mpirun.sh HOSTFILE INPUT OUTPUT [options]}
input=${2:?usage: mpirun.sh HOSTFILE INPUT OUTPUT [options]}
output=${3:?usage: mpirun.sh HOSTFILE INPUT OUTPUT [options]}
shift 3
exec mpirun --hostfile "$hosts" --map-by "ppr:${AUFORGE_PER_NODE:-1}:node" --bind-to none "${AUFORGE:-auforge}" annotate "$input" -o "$output" -q "$@"
