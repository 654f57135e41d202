#!/usr/bin/env python3
"""Runs the ready files of tools/cluster that need no cluster of their own, and compares with a single process.

    cluster_files_test.py kubernetes|mpirun AUFORGE CLUSTER_FOLDER

kubernetes: the manifest is checked field by field (names, types, references, the rules that the API server enforces for
Indexed Jobs), then the container's own command line is run once for each index, as the pods would. mpirun: the script is
run with two processes on this machine. Photos: AUFORGE_PHOTOS. Exit 77: what the test needs is missing.
"""
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile

PHOTOS = ["2007_007763", "2008_001009", "2008_001322", "2008_002079", "2008_002470", "2008_002506"]
TARS = 4


def skip(reason):
    print("skipped: " + reason)
    sys.exit(77)


def fail(reason):
    print("FAILED: " + reason)
    sys.exit(1)


def require(condition, text):
    if not condition:
        fail(text)


# Fields of each object that the manifest may use, with their types: a misspelt one would be dropped by the API server.
JOB_FIELDS = {
    "": {"apiVersion": str, "kind": str, "metadata": dict, "spec": dict},
    "metadata": {"name": str, "namespace": str, "labels": dict},
    "spec": {"completionMode": str, "completions": int, "parallelism": int, "backoffLimit": int,
             "backoffLimitPerIndex": int, "maxFailedIndexes": int, "podFailurePolicy": dict, "template": dict,
             "activeDeadlineSeconds": int, "ttlSecondsAfterFinished": int},
    "spec.podFailurePolicy": {"rules": list},
    "spec.podFailurePolicy.rules[]": {"action": str, "onExitCodes": dict, "onPodConditions": list},
    "spec.podFailurePolicy.rules[].onExitCodes": {"containerName": str, "operator": str, "values": list},
    "spec.podFailurePolicy.rules[].onPodConditions[]": {"type": str, "status": str},
    "spec.template": {"metadata": dict, "spec": dict},
    "spec.template.spec": {"restartPolicy": str, "terminationGracePeriodSeconds": int, "containers": list,
                           "volumes": list},
    "spec.template.spec.containers[]": {"name": str, "image": str, "command": list, "args": list, "env": list,
                                        "resources": dict, "volumeMounts": list},
    "spec.template.spec.containers[].env[]": {"name": str, "value": str},
    "spec.template.spec.containers[].resources": {"requests": dict, "limits": dict},
    "spec.template.spec.containers[].resources.requests": {"cpu": str, "memory": str},
    "spec.template.spec.containers[].resources.limits": {"cpu": str, "memory": str},
    "spec.template.spec.containers[].volumeMounts[]": {"name": str, "mountPath": str, "subPath": str,
                                                       "readOnly": bool},
    "spec.template.spec.volumes[]": {"name": str, "persistentVolumeClaim": dict},
    "spec.template.spec.volumes[].persistentVolumeClaim": {"claimName": str, "readOnly": bool},
}


def check_fields(value, path):
    if isinstance(value, list):
        for item in value:
            if isinstance(item, (dict, list)):
                check_fields(item, path + "[]")
        return
    known = JOB_FIELDS.get(path)
    require(known is not None, f"kubernetes-job.yaml: {path} is an object that Jobs do not have")
    for name, item in value.items():
        require(name in known, f"kubernetes-job.yaml: {path}.{name} is no field of a Job")
        require(type(item) is known[name], f"kubernetes-job.yaml: {path}.{name} is {item!r}, not a {known[name].__name__}")
        if isinstance(item, (dict, list)):
            check_fields(item, f"{path}.{name}".lstrip("."))


def check_job(job):
    check_fields(job, "")
    require(job["apiVersion"] == "batch/v1" and job["kind"] == "Job", "it is not a batch/v1 Job")
    spec = job["spec"]
    pod = spec["template"]["spec"]
    require(spec["completionMode"] == "Indexed", "completionMode must be Indexed: pods get their index by it")
    require(1 <= spec["parallelism"] <= spec["completions"], "parallelism is not in 1..completions")
    # The API server refuses podFailurePolicy and backoffLimitPerIndex with any other policy.
    require(pod["restartPolicy"] == "Never", "restartPolicy must be Never")
    names = [container["name"] for container in pod["containers"]]
    for rule in spec["podFailurePolicy"]["rules"]:
        require(rule["action"] in ("FailJob", "FailIndex", "Ignore", "Count"), f"unknown action {rule['action']}")
        require(("onExitCodes" in rule) != ("onPodConditions" in rule), "a rule needs exactly one condition")
        codes = rule.get("onExitCodes")
        if codes:
            require(codes["containerName"] in names, f"a rule names the container {codes['containerName']}")
            require(codes["operator"] in ("In", "NotIn"), "unknown operator")
            require(codes["values"] == [2, 3], "exit codes 2 and 3, and no others, are not worth a retry")
    volumes = [volume["name"] for volume in pod["volumes"]]
    for container in pod["containers"]:
        for mount in container["volumeMounts"]:
            require(mount["name"] in volumes, f"volume {mount['name']} is not defined")
        count = {e["name"]: e["value"] for e in container["env"]}["AUFORGE_COUNT"]
        require(count == str(spec["completions"]), f"AUFORGE_COUNT {count} is not completions {spec['completions']}")


def write_tars(photos, folder):
    os.makedirs(folder)
    for i in range(TARS):
        with tarfile.open(f"{folder}/{i:05}.tar", "w") as tar:
            for n in range(3):
                with open(f"{photos}/{PHOTOS[(i + n) % len(PHOTOS)]}.jpg", "rb") as photo:
                    content = photo.read()
                member = tarfile.TarInfo(f"{i:05}{n:04}.jpg")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))


def run(command, environment):
    outcome = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    require(outcome.returncode == 0, f"exit status {outcome.returncode}: {command}\n{outcome.stdout}")
    return outcome.stdout


def compare(one, other):
    files = sorted(name for name in os.listdir(one) if name.endswith((".h5", "_errors.jsonl")))
    require(len([name for name in files if name.endswith(".h5")]) == TARS, f"{one} has the files {files}")
    require(sorted(os.listdir(one)) == sorted(os.listdir(other)), f"{one} and {other} have different files")
    for name in files:
        with open(f"{one}/{name}", "rb") as a, open(f"{other}/{name}", "rb") as b:
            require(a.read() == b.read(), f"{name} differs from the single process's")
    print(f"PASSED: {len(files)} files equal the single process's, byte for byte")


def kubernetes(auforge, cluster, folder, environment):
    try:
        import yaml
    except ImportError:
        skip("python3-yaml is not installed")
    with open(f"{cluster}/kubernetes-job.yaml", encoding="utf-8") as manifest:
        job = yaml.safe_load(manifest)
    check_job(job)
    container = job["spec"]["template"]["spec"]["containers"][0]
    mounts = {mount["mountPath"]: mount["subPath"] for mount in container["volumeMounts"]}
    require("/crawl" in mounts and "/labels" in mounts, "the command's paths are not mounted")

    def here(word):
        # A run of few tars with the paths of this machine; the rest of the command is the manifest's.
        word = word.replace("{00000..99999}", f"{{00000..{TARS - 1:05}}}")
        for path in mounts:
            word = f"{folder}/{mounts[path]}{word[len(path):]}" if word.startswith(path) else word
        return auforge if word == "auforge" else word

    command = [here(word) for word in container["command"]]
    pods = 3
    made = set()
    for index in list(range(pods)) + [pods - 1]:  # the last once more: a pod that is started twice does no harm
        run(command, environment | {"JOB_COMPLETION_INDEX": str(index), "AUFORGE_COUNT": str(pods)})
        made |= {f"{i:05}.h5" for i in range(index, TARS, pods)}
        found = {name for name in os.listdir(f"{folder}/labels") if name.endswith(".h5")}
        require(found == made, f"after index {index} there are {found}, not {made}")
    # With more pods than shards the others have nothing to do and end well.
    run(command, environment | {"JOB_COMPLETION_INDEX": "99", **{e["name"]: e["value"] for e in container["env"]}})
    return f"{folder}/labels"


def mpirun(auforge, cluster, folder, environment):
    if subprocess.run(["sh", "-c", "command -v mpirun"], stdout=subprocess.DEVNULL).returncode != 0:
        skip("mpirun is not installed (tools/install-deps.sh --scale)")
    with open(f"{folder}/hosts", "w", encoding="utf-8") as hosts:
        hosts.write("localhost slots=2\n")
    printed = run([f"{cluster}/mpirun.sh", f"{folder}/hosts", f"{folder}/crawl/{{00000..{TARS - 1:05}}}.tar",
                   f"{folder}/labels", "-j", "1", "--json"],
        environment | {"AUFORGE": auforge, "AUFORGE_PER_NODE": "2", "OMPI_ALLOW_RUN_AS_ROOT": "1",
                       "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_plm": "isolated"})
    shares = [json.loads(line)["shards_written"] for line in printed.splitlines() if line.startswith("{")]
    require(shares == [TARS // 2] * 2, f"two processes should have made {TARS // 2} shards each, not {shares}")
    return f"{folder}/labels"


def main():
    engine, auforge, cluster = sys.argv[1:]
    photos = os.environ.get("AUFORGE_PHOTOS", "")
    if not os.path.isdir(photos):
        skip("AUFORGE_PHOTOS names no folder of photos")
    environment = os.environ | {"SOURCE_DATE_EPOCH": "1767225600"}
    for name in list(environment):
        if name.startswith(("SLURM_", "OMPI_", "JOB_COMPLETION", "AUFORGE_COUNT")):
            del environment[name]
    with tempfile.TemporaryDirectory(prefix="auforge-cluster-") as folder:
        write_tars(photos, folder + "/crawl")
        run([auforge, "annotate", f"{folder}/crawl/{{00000..{TARS - 1:05}}}.tar", "-o", folder + "/single", "-q"],
            environment)
        labels = {"kubernetes": kubernetes, "mpirun": mpirun}[engine](auforge, cluster, folder, environment)
        compare(folder + "/single", labels)


main()
