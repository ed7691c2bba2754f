"""Renders what is deployed with kustomize and Helm, and looks for what a schema does not see: names that lead nowhere, containers
that may do too much, and configurations that the program refuses."""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/cluster-sync"
KUSTOMIZATIONS = ["base", "deployment", "sidecar", "overlays/dev", "overlays/production"]
VALUES = {"defaults": [], "everything": ["--values", str(CHART / "ci/everything.yaml")]}
REFUSED_VALUES = ["config.listen=0.0.0.0:1", "config.write_mode=Sideways", "replicas=0", "config.source.password=x", "replica=1"]
# The file's own figures, where a manifest does not say another.
DRAIN_MILLISECONDS = 30_000
JOURNAL_BYTES = 1 << 30
UNITS = {"Mi": 1 << 20, "Gi": 1 << 30}
START_SECONDS = 30


class Fault(Exception):
    """What is wrong, with the document that says it."""


def bytes_of(text: str) -> int:
    return int(text[:-2]) * UNITS[text[-2:]]


def kinds(documents: list[dict], *names: str) -> Iterator[dict]:
    return (document for document in documents if document["kind"] in names)


def is_part(labels: dict, of: dict) -> bool:
    return labels.items() <= of.items()


def check_names(where: str, documents: list[dict]) -> None:
    """Every name and every label that something refers to is there."""
    names = {(document["kind"], document["metadata"]["name"]) for document in documents}
    workloads = list(kinds(documents, "StatefulSet", "Deployment"))
    pods = [workload["spec"]["template"] for workload in workloads]
    services = list(kinds(documents, "Service"))
    for workload, pod in zip(workloads, pods, strict=True):
        name = f"{where}: {workload['kind']} {workload['metadata']['name']}"
        if not is_part(workload["spec"]["selector"]["matchLabels"], pod["metadata"]["labels"]):
            raise Fault(f"{name} does not select its own Pods")
        if workload["kind"] == "StatefulSet" and ("Service", workload["spec"]["serviceName"]) not in names:
            raise Fault(f"{name} is of no Service")
        volumes = {volume["name"] for volume in pod["spec"]["volumes"]}
        volumes |= {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
        for container in containers(pod):
            if missing := {mount["name"] for mount in container.get("volumeMounts", [])} - volumes:
                raise Fault(f"{name} mounts {missing}, which it does not have")
        for volume in pod["spec"]["volumes"]:
            if "configMap" in volume and ("ConfigMap", volume["configMap"]["name"]) not in names:
                raise Fault(f"{name} wants the ConfigMap {volume['configMap']['name']}, which is not made")
    ports = {port["name"] for pod in pods for container in containers(pod) for port in container.get("ports", [])}
    for service in services:
        selector = service["spec"]["selector"]
        if not any(is_part(selector, pod["metadata"]["labels"]) for pod in pods):
            raise Fault(f"{where}: Service {service['metadata']['name']} selects no Pod")
        if missing := {port["targetPort"] for port in service["spec"]["ports"]} - ports:
            raise Fault(f"{where}: Service {service['metadata']['name']} leads to {missing}, which no container has")
    for document in kinds(documents, "PodDisruptionBudget", "NetworkPolicy"):
        selector = document["spec"].get("selector") or document["spec"]["podSelector"]
        if not any(is_part(selector["matchLabels"], pod["metadata"]["labels"]) for pod in pods):
            raise Fault(f"{where}: {document['kind']} {document['metadata']['name']} selects no Pod")
    for monitor in kinds(documents, "ServiceMonitor"):
        found = [s for s in services if is_part(monitor["spec"]["selector"]["matchLabels"], s["metadata"]["labels"])]
        wanted = {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]}
        if len(found) != 1 or wanted - {port["name"] for port in found[0]["spec"]["ports"]}:
            raise Fault(f"{where}: ServiceMonitor {monitor['metadata']['name']} does not lead to one Service")


def containers(pod: dict) -> list[dict]:
    return pod["spec"].get("initContainers", []) + pod["spec"]["containers"]


def check_safety(where: str, documents: list[dict]) -> None:
    """No container may do more than it must, and none is killed before it has drained."""
    for workload in kinds(documents, "StatefulSet", "Deployment"):
        pod = workload["spec"]["template"]["spec"]
        security = pod["securityContext"]
        if not security["runAsNonRoot"] or security["seccompProfile"] != {"type": "RuntimeDefault"}:
            raise Fault(f"{where}: Pods may do too much")
        if pod["automountServiceAccountToken"]:
            raise Fault(f"{where}: Pods have a token that they do not need")
        for container in containers(workload["spec"]["template"]):
            context = container["securityContext"]
            if (
                context["allowPrivilegeEscalation"]
                or not context["readOnlyRootFilesystem"]
                or context["capabilities"] != {"drop": ["ALL"]}
            ):
                raise Fault(f"{where}: {container['name']} may do too much")


# What a Pod has that a manifest refers to.
FIELDS = {"metadata.name": "dual-writer-0", "status.podIP": "10.0.0.7"}


def environment(container: dict) -> dict[str, str]:
    values: dict[str, str] = {}
    for variable in container.get("env", []):
        value = variable.get("value") or FIELDS[variable["valueFrom"]["fieldRef"]["fieldPath"]]
        # As Kubernetes does it, from variables that come before.
        for name, earlier in values.items():
            value = value.replace(f"$({name})", earlier)
        values[variable["name"]] = value
    return values


def check_program(where: str, documents: list[dict], binary: str) -> None:
    """The program starts with what is mounted and set, and has the time and the room that it says it needs."""
    maps = {document["metadata"]["name"]: document["data"] for document in kinds(documents, "ConfigMap")}
    for workload in kinds(documents, "StatefulSet", "Deployment"):
        pod = workload["spec"]["template"]["spec"]
        container = next(c for c in containers(workload["spec"]["template"]) if c["name"] == "dual-writer")
        name = next(volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume)
        file = maps[name]["dual-writer.yaml"]
        settings = yaml.safe_load(file)
        variables = environment(container)
        drain = int(
            variables.get("CLUSTER_SYNC_TIMEOUTS_DRAIN_MS")
            or settings.get("timeouts", {}).get("drain_ms", DRAIN_MILLISECONDS)
        )
        pause = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        if pod["terminationGracePeriodSeconds"] < drain / 1_000 + pause + 5:
            raise Fault(f"{where}: it is killed before it has drained")
        journal = int(
            variables.get("CLUSTER_SYNC_JOURNAL_BYTES") or settings.get("journal", {}).get("bytes", JOURNAL_BYTES)
        )
        for claim in workload["spec"].get("volumeClaimTemplates", []):
            if bytes_of(claim["spec"]["resources"]["requests"]["storage"]) < 2 * journal + (128 << 20):
                raise Fault(f"{where}: the volume is smaller than the journals of two clusters")
        start(where, binary, container["args"], file, variables)


def start(where: str, binary: str, arguments: list[str], file: str, variables: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        (folder / "dual-writer.yaml").write_text(file.replace("/run/secrets/cluster-sync", text))
        for secret in ("admin-token", "source-password", "target-password", "source-ca.crt"):
            (folder / secret).write_text("secret")
        values = {
            name: value.replace("/run/secrets/cluster-sync", text).replace("$(DUAL_WRITER_SERVICE_HOST)", "10.0.0.1")
            for name, value in variables.items()
        }
        # A certificate is another test's business.
        values = {name: value for name, value in values.items() if "_TLS_" not in name}
        command = [binary, *(a.replace("/etc/cluster-sync", text) for a in arguments)]
        command += ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--state-dir", str(folder / "state")]
        log = folder / "log"
        with log.open("w") as output:
            process = subprocess.Popen(command, env=os.environ | values, stdout=output, stderr=subprocess.STDOUT)
        try:
            deadline = time.monotonic() + START_SECONDS
            # There is no cluster here: a replica of several waits for one before it listens.
            started = "joining the other replicas" if values.get("CLUSTER_SYNC_CONTROL") == "cluster" else "admin port listens"
            while started not in log.read_text():
                if process.poll() is not None or time.monotonic() > deadline:
                    raise Fault(f"{where}: the program does not start:\n{log.read_text()}")
                time.sleep(0.05)
            if unknown := re.search(r".*is no variable of cluster-sync.*", log.read_text()):
                raise Fault(f"{where}: {unknown.group()}")
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def check_compose(binary: str | None) -> None:
    """The sidecar of the compose file starts with its environment and its file, both of which it refers to."""
    path = ROOT / "packaging/compose/docker-compose.yaml"
    services = yaml.safe_load(path.read_text())["services"]
    for name, service in services.items():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            if source.startswith(".") and not (path.parent / source).exists():
                raise Fault(f"{path}: {name} mounts {source}, which is not there")
    sidecar = services["sidecar"]
    file = next(mount.split(":")[0] for mount in sidecar["volumes"] if "/etc/cluster-sync/" in mount)
    if binary:
        start(str(path), binary, sidecar["command"], (path.parent / file).read_text(), sidecar["environment"])


def render(tools: Path) -> Iterator[tuple[str, str]]:
    for name in KUSTOMIZATIONS:
        yield f"k8s/{name}", output([tools / "kubectl", "kustomize", ROOT / "k8s" / name])
    for name, arguments in VALUES.items():
        output([tools / "helm", "lint", "--strict", "--quiet", CHART, *arguments])
        yield f"charts/cluster-sync ({name})", output([tools / "helm", "template", "dual-writer", CHART, *arguments])
    for value in REFUSED_VALUES:
        command = [tools / "helm", "template", "dual-writer", CHART, "--set", value]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            raise Fault(f"the chart takes {value}")


def output(command: list) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Fault(f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}")
    return done.stdout


def check_versions() -> None:
    program = re.search(r'current = "(.*)"', (ROOT / "Sources/ClusterSync/Commands/Version.swift").read_text())
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    if program is None or chart["appVersion"] != program.group(1):
        raise Fault("charts/cluster-sync is of another version than the program")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", type=Path, required=True, help="the folder of kubectl, helm and kubernetes-validate")
    parser.add_argument("--binary", help="the program, which then has to start with what is rendered")
    options = parser.parse_args()
    check_versions()
    check_compose(options.binary)
    with tempfile.TemporaryDirectory() as folder:
        for where, text in render(options.tools):
            path = Path(folder) / "rendered.yaml"
            path.write_text(text)
            # Resources of the Prometheus Operator have no schema there.
            output([options.tools / "kubernetes-validate", "--quiet", "--strict", path])
            documents = [document for document in yaml.safe_load_all(text) if document]
            check_names(where, documents)
            check_safety(where, documents)
            if options.binary:
                check_program(where, documents, options.binary)
            print(f"{where}: {len(documents)} objects")


if __name__ == "__main__":
    try:
        main()
    except Fault as fault:
        raise SystemExit(f"error: {fault}") from None
