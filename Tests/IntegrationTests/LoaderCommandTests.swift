import CQLProtocol
import EmbeddedNode
import NIOCore
import NIOPosix
import TestSupport
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// `cluster-sync sstable-loader` as a process between two nodes.
struct LoaderCommandTests {
    @Test func `a load ends with 0 when both clusters have the same cells with the same timestamps`() async throws {
        let clusters = try await LoaderClusters()
        let plan = try await ChildProcess.run(
            ["sstable-loader", "plan"] + clusters.arguments().dropFirst()
        )
        #expect(plan.code == 0, "\(plan.errors)")
        #expect(plan.output.contains("table shop.t"))
        #expect(clusters.cells(clusters.to).isEmpty, "a plan changes nothing")
        let result = try await ChildProcess.run(clusters.arguments())
        #expect(result.code == 0, "\(result.errors)")
        #expect(clusters.cells(clusters.from).count > clusters.rows)
        #expect(clusters.cells(clusters.to) == clusters.cells(clusters.from))
        await clusters.stop()
    }

    @Test func `what the target has no table for ends with 1 and is named, and the rest arrives`() async throws {
        let clusters = try await LoaderClusters()
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: clusters.source.port)
        let client = try await TestClient.start(on: address, group: MultiThreadedEventLoopGroup.singleton)
        _ = try await client.ask(query("CREATE TABLE shop.other (k int PRIMARY KEY, v text)"))
        await client.close()
        let result = try await ChildProcess.run(clusters.arguments())
        #expect(result.code == 1, "\(result.errors)")
        #expect(result.errors.contains("shop.other"))
        #expect(clusters.cells(clusters.to) == clusters.cells(clusters.from))
        await clusters.stop()
    }

    @Test func `a worker that is killed leaves a load that the next start completes, indexes included`() async throws {
        let clusters = try await LoaderClusters()
        _ = try await clusters.client.ask(query("CREATE INDEX note ON shop.t (v)"))
        let slow = clusters.arguments(
            "limits.rows_per_second=400",
            "concurrency=2",
            "indexes.drop_first=true",
            "job.lease_ms=5000"
        )
        let worker = try ChildProcess(slow)
        try await eventually { !clusters.cells(clusters.to).isEmpty }
        worker.signal(SIGKILL)
        #expect(await worker.result().code == 128 + SIGKILL)
        #expect(clusters.cells(clusters.to).count < clusters.cells(clusters.from).count)
        let indexes = "SELECT index_name FROM system_schema.indexes WHERE keyspace_name = 'shop'"
        #expect(try await clusters.client.ask(query(indexes)).rows?.rowCount == 0)
        let result = try await ChildProcess.run(
            clusters.arguments("indexes.drop_first=true", "job.lease_ms=5000")
        )
        #expect(result.code == 0, "\(result.errors)")
        #expect(clusters.cells(clusters.to) == clusters.cells(clusters.from))
        #expect(try await clusters.client.ask(query(indexes)).rows?.rowCount == 1)
        await clusters.stop()
    }

    @Test func `what a worker that is killed has dropped comes back with the end of the job, whoever ends it`()
        async throws
    {
        let clusters = try await LoaderClusters(rows: 1_000, ranges: 16)
        _ = try await clusters.client.ask(query("CREATE INDEX note ON shop.t (v)"))
        func worker(_ number: Int) throws -> ChildProcess {
            try ChildProcess(
                clusters.arguments(
                    "job.store=cluster",
                    "job.lease_ms=5000",
                    "job.worker=worker\(number)",
                    "state_dir=\(clusters.folder.path)/machine\(number)",
                    "indexes.drop_first=true",
                    "concurrency=2",
                    "limits.rows_per_second=200"
                )
            )
        }
        let indexes = "SELECT index_name FROM system_schema.indexes WHERE keyspace_name = 'shop'"
        let first = try worker(1)
        try await eventually { !clusters.cells(clusters.to).isEmpty }
        #expect(try await clusters.client.ask(query(indexes)).rows?.rowCount == 0)
        let second = try worker(2)
        let parts = "SELECT worker FROM cluster_sync.job_parts"
        try await eventually {
            try await clusters.client.ask(query(parts)).rows?.contains { row in
                try row.value("worker") == .text("worker2")
            } ?? false
        }
        first.signal(SIGKILL)
        #expect(await first.result().code == 128 + SIGKILL)
        #expect(try await clusters.client.ask(query(indexes)).rows?.rowCount == 0, "the second one is at work")
        let end = await second.result()
        #expect(end.code == 0, "\(end.errors)")
        #expect(clusters.cells(clusters.to) == clusters.cells(clusters.from))
        #expect(try await clusters.client.ask(query(indexes)).rows?.rowCount == 1)
        let record = try await clusters.client.ask(query("SELECT state, lease FROM cluster_sync.indexes")).rows?.first
        #expect(try record?.value("state") == .text("there"))
        #expect(try record?.value("lease") == .null)
        await clusters.stop()
    }

    @Test func `what a worker that died alone has dropped comes back with the next load, on whichever machine`()
        async throws
    {
        let clusters = try await LoaderClusters(rows: 300)
        _ = try await clusters.client.ask(query("CREATE INDEX note ON shop.t (v)"))
        func arguments(_ machine: String, _ settings: String...) -> [String] {
            clusters.arguments(
                ["job.store=cluster", "job.lease_ms=5000", "state_dir=\(clusters.folder.path)/\(machine)"] + settings
            )
        }
        let worker = try ChildProcess(arguments("a", "indexes.drop_first=true", "limits.rows_per_second=100"))
        try await eventually { !clusters.cells(clusters.to).isEmpty }
        worker.signal(SIGKILL)
        _ = await worker.result()
        let indexes = "SELECT index_name FROM system_schema.indexes WHERE keyspace_name = 'shop'"
        #expect(try await clusters.client.ask(query(indexes)).rows?.rowCount == 0)
        let lease = "SELECT lease FROM cluster_sync.indexes"
        try await eventually {
            try await clusters.client.ask(query(lease)).rows?.first?.value("lease") == .null
        }
        // One that drops nothing itself, and has another job.
        let result = try await ChildProcess.run(arguments("b", "job.name=another"))
        #expect(result.code == 0, "\(result.errors)")
        #expect(try await clusters.client.ask(query(indexes)).rows?.rowCount == 1)
        await clusters.stop()
    }

    @Test func `dead letters that somebody has left are told until they are moved away`() async throws {
        let clusters = try await LoaderClusters()
        let folder = "\(clusters.folder.path)/letters"
        #expect(mkdir(folder, 0o700) == 0)
        let file = try #require(fopen("\(folder)/load-another-host-1.jsonl", "w"))
        fputs("{}\n", file)
        fclose(file)
        let arguments = clusters.arguments("dead_letters.folder=\(folder)")
        let result = try await ChildProcess.run(arguments)
        #expect(result.code == 1)
        #expect(result.errors.contains("load-another-host-1.jsonl"))
        #expect(clusters.cells(clusters.to) == clusters.cells(clusters.from), "what can be loaded is")
        #expect(unlink("\(folder)/load-another-host-1.jsonl") == 0)
        #expect(try await ChildProcess.run(arguments).code == 0)
        await clusters.stop()
    }

    @Test func `a table that is dropped during a load fails its ranges and makes no dead letters`() async throws {
        let clusters = try await LoaderClusters()
        let worker = try ChildProcess(
            clusters.arguments("limits.rows_per_second=400", "retries.ranges=1", "concurrency=1")
        )
        try await eventually { !clusters.cells(clusters.to).isEmpty }
        _ = try await clusters.client.ask(query("DROP TABLE shop.t"))
        let result = await worker.result()
        #expect(result.code == 1, "\(result.errors)")
        #expect(result.errors.contains("shop.t"))
        #expect(!result.errors.contains("dead letter"), "\(result.errors)")
        await clusters.stop()
    }

    @Test func `without a ceiling that somebody has chosen nothing is loaded`() async throws {
        let result = try await ChildProcess.run([
            "sstable-loader", "--set", "source.hosts=127.0.0.1:1", "--set", "target.hosts=127.0.0.1:1",
        ])
        #expect(result.code == 78)
        #expect(result.errors.contains("ceiling"))
    }
}

extension Response {
    var rows: Rows? {
        if case .result(.rows(let rows)) = self { rows } else { nil }
    }
}
