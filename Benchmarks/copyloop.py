#!/usr/bin/env python3
"""What a good copy loop in Python does, to measure the bulk loader against.

Copies one table from a Cassandra cluster to another with DataStax's driver (pip install cassandra-driver lz4): token ranges
are read side by side, the next page is asked for before the one before it is written, rows of one partition go as one UNLOGGED
batch, many of them in flight. Rows keep the timestamp of one column; times to live, nulls
(written as such) and collections element by element are not its business, which makes it faster than a copy that is right.

    copyloop.py SOURCE TARGET ks.table --key k --columns k,c,a,b,n --timestamp-of n [--compression]
"""
import argparse
import itertools
import multiprocessing
import queue
import resource
import threading
import time

from cassandra import ConsistencyLevel
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.query import BatchStatement, BatchType, tuple_factory

TOKENS = (-(2**63), 2**63 - 1)


class Copy:
    """The part of a table that one process copies."""

    def __init__(self, options, ranges):
        self.options = options
        self.ranges = queue.Queue()
        for tokens in ranges:
            self.ranges.put(tokens)
        self.free = threading.Semaphore(options.in_flight)
        self.rows = 0
        self.errors = []
        self.lock = threading.Lock()

    def session(self, host):
        profile = ExecutionProfile(
            row_factory=tuple_factory, request_timeout=60, consistency_level=ConsistencyLevel.LOCAL_QUORUM
        )
        compression = "lz4" if self.options.compression else False
        cluster = Cluster([host], execution_profiles={EXEC_PROFILE_DEFAULT: profile}, compression=compression)
        session = cluster.connect()
        session.default_fetch_size = self.options.page
        return session

    def prepare(self):
        options = self.options
        columns = options.columns.split(",")
        keys = f"token({options.key})"
        self.source, self.target = self.session(options.source), self.session(options.target)
        self.select = self.source.prepare(
            f"SELECT {options.columns}, writetime({options.timestamp_of}) FROM {options.table}"
            f" WHERE {keys} >= ? AND {keys} <= ?"
        )
        marks = ",".join("?" * len(columns))
        self.insert = self.target.prepare(
            f"INSERT INTO {options.table} ({options.columns}) VALUES ({marks}) USING TIMESTAMP ?"
        )
        self.key_places = [columns.index(key) for key in options.key.split(",")]

    def statements(self, rows):
        """Rows of one partition, which come one after the other, as batches."""
        most = self.options.batch
        if most == 1:
            yield from (self.insert.bind(row) for row in rows)
            return
        for _, group in itertools.groupby(rows, key=lambda row: [row[place] for place in self.key_places]):
            group = list(group)
            for start in range(0, len(group), most):
                part = group[start : start + most]
                if len(part) == 1:
                    yield self.insert.bind(part[0])
                    continue
                batch = BatchStatement(BatchType.UNLOGGED)
                for row in part:
                    batch.add(self.insert, row)
                yield batch

    def written(self, _):
        self.free.release()

    def failed(self, error):
        self.errors.append(error)
        self.free.release()

    def read(self):
        """Copies one range after the other."""
        while not self.errors:
            try:
                tokens = self.ranges.get_nowait()
            except queue.Empty:
                return
            page = self.source.execute_async(self.select, tokens)
            while True:
                rows = page.result().current_rows
                more = page.has_more_pages
                if more:
                    page.start_fetching_next_page()
                for statement in self.statements(rows):
                    self.free.acquire()
                    self.target.execute_async(statement).add_callbacks(self.written, self.failed)
                with self.lock:
                    self.rows += len(rows)
                if not more:
                    break

    def run(self):
        self.prepare()
        started = time.monotonic()
        threads = [threading.Thread(target=self.read) for _ in range(self.options.pages)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for _ in range(self.options.in_flight):
            self.free.acquire()
        if self.errors:
            raise SystemExit(f"{len(self.errors)} writes failed, the first with: {self.errors[0]}")
        return self.rows, time.monotonic() - started


def work(options, ranges, results):
    results.put(Copy(options, ranges).run())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("table")
    parser.add_argument("--key", required=True, help="the columns of the partition key")
    parser.add_argument("--columns", required=True, help="all columns")
    parser.add_argument("--timestamp-of", required=True, help="the column whose timestamp rows get")
    parser.add_argument("--ranges", type=int, default=64)
    parser.add_argument("--pages", type=int, default=4, help="ranges that are read at once, by each process")
    parser.add_argument("--page", type=int, default=2000, help="rows of a page")
    parser.add_argument("--in-flight", type=int, default=256, help="writes, of each process")
    parser.add_argument("--batch", type=int, default=50, help="rows of one partition that go together")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--compression", action="store_true")
    options = parser.parse_args()

    low, high = TOKENS
    edges = [low + (high - low) * place // options.ranges for place in range(options.ranges)] + [high + 1]
    ranges = [(start, end - 1) for start, end in zip(edges, edges[1:])]
    results = multiprocessing.Queue()
    workers = [
        multiprocessing.Process(target=work, args=(options, ranges[place :: options.processes], results))
        for place in range(options.processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        if worker.exitcode != 0:
            raise SystemExit("a process failed")
    counts = [results.get() for _ in workers]
    rows, seconds = sum(count for count, _ in counts), max(seconds for _, seconds in counts)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = used.ru_utime + used.ru_stime
    print(f"{rows} rows, {rows / seconds:.0f} rows/s, {cpu * 1e6 / rows:.1f} CPU-s per million, {used.ru_maxrss >> 10} MiB")


if __name__ == "__main__":
    main()
