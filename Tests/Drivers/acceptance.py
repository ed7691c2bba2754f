"""The Python driver, its object mapper and cqlsh against a sidecar in every write mode.

    acceptance.py --source HOST:PORT --target HOST:PORT --proxy HOST:PORT --admin HOST:PORT [--binary PATH]

Source and target are read directly as well: where the mode says so, both must hold the same rows in the end.
"""

from __future__ import annotations

import argparse
import logging
import sys

from cassandra.cluster import Cluster, ExecutionProfile, EXEC_PROFILE_DEFAULT
from cassandra.policies import WhiteListRoundRobinPolicy

import admin as admin_port
import data
import encrypted
import load
import mapper
import orchestration
import process
import several
import shell
import survival
from admin import MODES, Admin
from checks import Report, equal, eventually
from compare import same

# The modes after which both clusters hold the same rows.
EQUAL = {"DualWriteAsync", "DualWriteSync", "ShadowPrimary"}


def direct(address: str) -> Cluster:
    """A cluster that is read without the proxy."""
    host, port = address.rsplit(":", 1)
    profile = ExecutionProfile(load_balancing_policy=WhiteListRoundRobinPolicy([host]), request_timeout=60)
    return Cluster([host], port=int(port), protocol_version=4, execution_profiles={EXEC_PROFILE_DEFAULT: profile})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("source", "target", "proxy", "admin"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--binary", help="cluster-sync, whose `phase set` takes part in changing modes")
    options = parser.parse_args()
    logging.getLogger("cassandra").setLevel(logging.CRITICAL)
    report = Report()
    admin = Admin(options.admin, options.binary)
    source, target = direct(options.source).connect(), direct(options.target).connect()
    for mode in MODES:
        data.create(source, f"in_{mode.lower()}")
        data.create(target, f"in_{mode.lower()}")

    # Default settings: the driver tries newer protocol versions first and reads the schema.
    host, port = options.proxy.rsplit(":", 1)
    cluster = Cluster([host], port=int(port))
    session = cluster.connect()
    session.default_timeout = 60
    report.check("driver: version 4 is agreed on", lambda: equal(cluster.protocol_version, 4))
    report.check("driver: it sees one host, the proxy", lambda: equal(len(cluster.metadata.all_hosts()), 1))
    for mode in MODES:
        admin.walk(mode)
        keyspace = f"in_{mode.lower()}"
        data.run(session, keyspace, report, mode)
        if mode in EQUAL:
            compared = lambda: eventually(lambda: same(source, target, keyspace), "equal rows")
            report.check(f"{mode}: source and target hold the same rows", compared)
    admin.walk("DualWriteSync")
    mapper.run(session, report, "DualWriteSync")
    compared = lambda: eventually(lambda: same(source, target, mapper.KEYSPACE), "equal rows")
    report.check("cqlengine: source and target hold the same rows", compared)
    created = lambda: eventually(lambda: mapper.KEYSPACE in cluster.metadata.keyspaces, "the event")
    report.check("driver: a change of the schema is seen", created)
    admin.walk("TargetOnly")
    load.run(session, source, target, admin, "in_dualwriteasync", report)
    shell.run(options.proxy, report)
    admin.walk("PrimaryOnly")
    admin_port.run(admin, report)
    if options.binary is not None:
        encrypted.run(options.binary, options.source, options.target, report)
        several.run(options.binary, options.source, options.target, report)
        orchestration.run(options.binary, report)
        process.run(options.binary, options.source, options.target, {"source": source, "target": target}, report)
        process.frozen_shadow(options.binary, options.source, report)
        process.unread_log(options.binary, options.source, options.target, report)
        survival.run(options.binary, report, kills=10, frozen_seconds=5)
    print(f"\n{report.passed} passed, {len(report.failed)} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
