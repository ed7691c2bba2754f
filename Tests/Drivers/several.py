"""Two sidecars for one application: the driver sees two hosts, and goes on when one of them stops."""

from __future__ import annotations

import signal
import socket
import tempfile
import threading
from pathlib import Path

from cassandra.cluster import Cluster

from checks import Report, equal, eventually
from process import Sidecar

HOSTS = ("127.0.0.1", "127.0.0.2")
WRITES = 4_000


def free_port() -> int:
    """A port that is free on both addresses: drivers use one port for all hosts."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind((HOSTS[0], 0))
            port = first.getsockname()[1]
            try:
                second.bind((HOSTS[1], port))
            except OSError:
                continue
            return port


def write(session, table: str, first: int, stopped: threading.Event) -> int:
    """Writes until told to stop; the number of writes, each acknowledged."""
    insert = session.prepare(f"INSERT INTO {table} (k, v) VALUES (?, ?)")
    insert.is_idempotent = True
    done = 0
    while not stopped.is_set() or done < WRITES:
        futures = [session.execute_async(insert, (first + done + offset, "several")) for offset in range(50)]
        for future in futures:
            future.result()
        done += len(futures)
    return done


def at_least(written: object, count: int) -> None:
    """Fails with what stopped the writes, or with how few they were."""
    if isinstance(written, Exception):
        raise written
    if written < count:
        raise AssertionError(f"{written} writes of {count}")


def run(binary: str, source: str, target: str, report: Report) -> None:
    port = free_port()
    addresses = [f"{host}:{port}" for host in HOSTS]
    with tempfile.TemporaryDirectory() as name:
        sidecars = []
        for host, address in zip(HOSTS, addresses):
            folder = Path(name) / host
            folder.mkdir()
            settings = (f"listen={address}", f"advertised={address}", "sidecars=" + ",".join(addresses))
            sidecars.append(Sidecar(binary, folder, source, target, "DualWriteSync", settings, listen=None))
        try:
            for sidecar in sidecars:
                eventually(lambda: sidecar.text().count("cluster connected") == 2, "both clusters")
            cluster = Cluster([HOSTS[0]], port=port, protocol_version=4)
            session = cluster.connect()
            hosts = lambda: equal({host.address for host in cluster.metadata.all_hosts()}, set(HOSTS))
            report.check("several: the driver sees two hosts", hosts)
            tokens = lambda: equal(len(cluster.metadata.token_map.token_to_host_owner), 2)
            report.check("several: each has a part of the ring", tokens)
            # A session is there with its first connection: the other host must be one to go on with.
            eventually(lambda: len(list(session.get_pools())) == len(HOSTS), "connections to both hosts")
            stopped = threading.Event()
            result: list[object] = []

            def work() -> None:
                try:
                    result.append(write(session, "in_dualwritesync.plain", 9_000_000, stopped))
                except Exception as error:
                    result.append(error)

            worker = threading.Thread(target=work)
            worker.start()
            sidecars[0].process.send_signal(signal.SIGTERM)
            report.check("several: one of them stops in order under load", lambda: equal(sidecars[0].ended(), 0))
            stopped.set()
            worker.join()
            report.check("several: no write fails meanwhile", lambda: at_least(result[0], WRITES))
            cluster.shutdown()
        finally:
            for sidecar in sidecars:
                sidecar.kill()
