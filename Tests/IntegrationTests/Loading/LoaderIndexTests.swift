import CQLProtocol
import EmbeddedNode
import NIOHTTP1
import Operations
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Indexes that loads have dropped come back, whoever has ended how.
@Suite(.timeLimit(.minutes(2)))
struct LoaderIndexTests {
    private static let index = "CREATE INDEX note ON shop.t (v)"

    private func indexes(_ clusters: LoaderClusters) async throws -> Int? {
        let text = "SELECT index_name FROM system_schema.indexes WHERE keyspace_name = 'shop'"
        return try await clusters.client.ask(query(text)).rows?.rowCount
    }

    /// A worker on a machine of its own, slow enough for others to come.
    private func worker(_ name: String, _ clusters: LoaderClusters) throws -> ChildProcess {
        try ChildProcess(
            clusters.arguments(
                "job.store=cluster",
                "job.lease_ms=5000",
                "job.worker=\(name)",
                "state_dir=\(clusters.folder.path)/\(name)",
                "indexes.drop_first=true",
                "concurrency=2",
                "limits.rows_per_second=100"
            )
        )
    }

    /// Two workers that both have parts of a load whose indexes are dropped.
    private func twoAtWork(_ clusters: LoaderClusters) async throws -> (first: ChildProcess, second: ChildProcess) {
        _ = try await clusters.client.ask(query(Self.index))
        let first = try self.worker("first", clusters)
        try await eventually { !clusters.cells(clusters.to).isEmpty }
        let second = try self.worker("second", clusters)
        let parts = "SELECT worker FROM cluster_sync.job_parts"
        try await eventually {
            let workers = try await clusters.client.ask(query(parts)).rows?.map { try $0.value("worker") } ?? []
            return workers.contains(.text("first")) && workers.contains(.text("second"))
        }
        #expect(try await self.indexes(clusters) == 0)
        return (first, second)
    }

    @Test func `the last worker that ends waits for the leases of a dead one, says so, and brings the indexes back`()
        async throws
    {
        let clusters = try await LoaderClusters(ranges: 16)
        let (first, second) = try await self.twoAtWork(clusters)
        first.signal(SIGKILL)
        _ = await first.result()
        second.signal(SIGTERM)
        let end = await second.result()
        #expect(end.code == 74, "\(end.errors)")
        #expect(clusters.cells(clusters.to).count < clusters.cells(clusters.from).count, "it was stopped in the middle")
        #expect(end.errors.contains("waiting to see whether other workers are alive"), "\(end.errors)")
        #expect(end.errors.contains("workers=first"), "\(end.errors)")
        #expect(try await self.indexes(clusters) == 1)
        await clusters.stop()
    }

    @Test func `a worker that is stopped leaves the indexes to one that is alive`() async throws {
        let clusters = try await LoaderClusters(ranges: 16)
        let (first, second) = try await self.twoAtWork(clusters)
        first.signal(SIGTERM)
        let left = await first.result()
        #expect(left.code == 74)
        #expect(left.errors.contains("the other workers bring an index back"), "\(left.errors)")
        #expect(try await self.indexes(clusters) == 0)
        second.signal(SIGTERM)
        let end = await second.result()
        #expect(end.code == 74)
        #expect(try await self.indexes(clusters) == 1, "\(end.errors)")
        await clusters.stop()
    }

    @Test(arguments: ["sqlite", "cluster"])
    func `indexes are made again for whatever is recorded, also by another job, or for the tables that are named`(
        store: String
    ) async throws {
        let clusters = try await LoaderClusters(rows: 10)
        _ = try await clusters.client.ask(query(Self.index))
        let owner = try await ServingLoader(clusters, "job.store=\(store)", "job.name=owner")
        #expect(try await owner.ask("/indexes/drop", post: "{}", as: IndexesChangedDocument.self).1 == .ok)
        #expect(await owner.stop().code == 0)
        #expect(try await self.indexes(clusters) == 0)
        // Of the tables of this one nothing is recorded.
        let other = try await ServingLoader(
            clusters,
            "job.store=\(store)",
            "job.name=other",
            "tables.include=shop.none"
        )
        #expect(try await other.indexes().map(\.state) == [.dropped])
        for (body, code, name) in [
            (#"{"tables": ["shop.nope"]}"#, "unknown_table", "shop.nope"),
            (#"{"tables": ["shop.t", "nope.t"]}"#, "unknown_table", "nope.t"),
            (#"{"keyspace_filter": ["nope"]}"#, "unknown_keyspace", "'nope'"),
        ] {
            let (fault, status) = try await other.ask("/indexes/rebuild", post: body, as: ErrorDocument.self)
            #expect(status == .notFound && fault.error.code == code && fault.error.message.contains(name), "\(fault)")
        }
        #expect(try await self.indexes(clusters) == 0, "what is refused changes nothing")
        for path in ["/indexes/rebuild", "/v1/indexes/rebuild/shop"] {
            let (changed, status) = try await other.ask(path, post: "{}", as: IndexesChangedDocument.self)
            #expect(status == .ok && changed.indexes.map(\.state) == [.present], "\(changed)")
            #expect(try await self.indexes(clusters) == 1)
        }
        _ = await other.stop()
        let again = try await ServingLoader(clusters, "job.store=\(store)", "job.name=owner")
        #expect(try await again.command("indexes", "drop", "--table", "shop.t").code == 0)
        #expect(try await self.indexes(clusters) == 0)
        let refused = try await again.command("indexes", "drop", "--table", "shop.nope")
        #expect(refused.code == 1 && refused.errors.contains("The job does not load shop.nope"), "\(refused.errors)")
        let made = try await again.command("indexes", "rebuild", "--table", "shop.t")
        #expect(made.code == 0 && made.output.contains("shop.note: present"), "\(made.errors)")
        #expect(try await self.indexes(clusters) == 1)
        let log = await again.stop().errors
        #expect(log.contains("somebody asks to rebuild indexes"), "\(log)")
        await clusters.stop()
    }

    @Test func `a file of dropped indexes beside job.store cluster is refused, and what it says to do helps`()
        async throws
    {
        let clusters = try await LoaderClusters()
        _ = try await clusters.client.ask(query(Self.index))
        let worker = try ChildProcess(clusters.arguments("indexes.drop_first=true", "limits.rows_per_second=200"))
        try await eventually { !clusters.cells(clusters.to).isEmpty }
        worker.signal(SIGKILL)
        _ = await worker.result()
        #expect(try await self.indexes(clusters) == 0)
        let before = clusters.cells(clusters.to)
        let refused = try await ChildProcess.run(clusters.arguments("job.store=cluster"))
        #expect(refused.code == 1)
        for words in ["/state/indexes.jsonl", "1 index was dropped", "--set job.store=sqlite", "indexes rebuild"] {
            #expect(refused.errors.contains(words), "\(words): \(refused.errors)")
        }
        #expect(clusters.cells(clusters.to) == before, "nothing is loaded")
        let asked = try await ServingLoader(clusters, "job.store=cluster")
        let (fault, status) = try await asked.ask("/indexes/rebuild", post: "{}", as: ErrorDocument.self)
        #expect(status == .internalServerError && fault.error.message.contains("indexes.jsonl"))
        _ = await asked.stop()
        let advised = try await ServingLoader(clusters, "job.store=sqlite")
        #expect(try await advised.command("indexes", "rebuild").code == 0)
        _ = await advised.stop()
        #expect(try await self.indexes(clusters) == 1)
        let result = try await ChildProcess.run(clusters.arguments("job.store=cluster"))
        #expect(result.code == 0, "\(result.errors)")
        #expect(clusters.cells(clusters.to) == clusters.cells(clusters.from))
        await clusters.stop()
    }
}
