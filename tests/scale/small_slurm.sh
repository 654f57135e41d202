# Slurm with two nodes, n1 and n2, on this machine; to be sourced. Sets D, a folder that goes when the script ends (unless KEEP is
# set), and SLURM_CONF; the caller has skip(). start_node NAME starts a node again.
D=$(mktemp -d /tmp/auforge-slurm.XXXXXX)
chmod 755 "$D"
host=$(hostname -s)
cleanup() {
  scancel -u root >/dev/null 2>&1
  sleep 1
  for file in "$D"/*.pid; do [[ -e $file ]] && kill "$(cat "$file")" 2>/dev/null; done
  sleep 1
  [[ ${KEEP:-} ]] || rm -rf "$D"
}
trap cleanup EXIT

# Munge, the cluster's authentication.
dd if=/dev/urandom of="$D/munge.key" bs=1024 count=1 status=none
chmod 600 "$D/munge.key"
munged --force --key-file="$D/munge.key" --socket="$D/munge.socket" --pid-file="$D/munged.pid" \
  --log-file="$D/munged.log" --seed-file="$D/munge.seed" || skip "munged does not start"
cat >"$D/slurm.conf" <<CONF
ClusterName=auforge
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$D/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
StateSaveLocation=$D/state
SlurmdSpoolDir=$D/spool.%n
SlurmctldPidFile=$D/slurmctld.pid
SlurmdPidFile=$D/slurmd.%n.pid
SlurmctldLogFile=$D/slurmctld.log
SlurmdLogFile=$D/slurmd.%n.log
SlurmdParameters=config_overrides
ReturnToService=2
SlurmdTimeout=10
JobRequeue=1
NodeName=n1 NodeHostname=$host NodeAddr=127.0.0.1 Port=17001 CPUs=2 RealMemory=2000
NodeName=n2 NodeHostname=$host NodeAddr=127.0.0.1 Port=17002 CPUs=2 RealMemory=2000
PartitionName=all Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$D/slurm.conf
mkdir -p "$D/state" "$D/spool.n1" "$D/spool.n2"
start_node() { slurmd -f "$SLURM_CONF" -N "$1"; }
slurmctld -f "$SLURM_CONF" -c || skip "slurmctld does not start: $(tail -1 "$D/slurmctld.log")"
start_node n1; start_node n2
for _ in $(seq 30); do
  [[ $(sinfo -h -o %t -N 2>/dev/null | sort | uniq -c | tr -d ' \n') == 2idle ]] && break
  sleep 1
done
[[ $(sinfo -h -o %t -N | sort -u) == idle ]] || { sinfo -N -l; skip "the nodes do not come up"; }
echo "== two nodes are idle"
