"""A session of cqlsh."""

from __future__ import annotations

import pathlib
import subprocess
import sys

from checks import Report

SCRIPT = """
DESCRIBE KEYSPACES;
CREATE KEYSPACE IF NOT EXISTS shell WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1};
USE shell;
CREATE TABLE IF NOT EXISTS greetings (id int PRIMARY KEY, text text);
DESCRIBE TABLE greetings;
INSERT INTO greetings (id, text) VALUES (1, 'hello from cqlsh');
SELECT * FROM greetings;
DESCRIBE KEYSPACE shell;
DESCRIBE CLUSTER;
EXIT
"""


def run(address: str, report: Report) -> None:
    """Lets cqlsh connect, describe, write, read and leave."""
    host, port = address.rsplit(":", 1)

    def session() -> bool:
        cqlsh = pathlib.Path(sys.executable).with_name("cqlsh")
        done = subprocess.run(
            [str(cqlsh), host, port, "--no-color"], input=SCRIPT, capture_output=True, text=True, timeout=60
        )
        wanted = ["CREATE TABLE shell.greetings", "hello from cqlsh", "(1 rows)", "Partitioner"]
        missing = [text for text in wanted if text not in done.stdout]
        if missing or done.returncode != 0:
            raise AssertionError(f"exit code {done.returncode}, without {missing}:\n{done.stdout}\n{done.stderr}")
        return True

    report.check("cqlsh: connects, describes, writes, reads and leaves", session)
