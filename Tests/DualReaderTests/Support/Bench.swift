import CQLClient
import CQLProtocol
import EmbeddedNode
import LiveTables
import Logging
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import TokenRanges

@testable import DualReader

/// A source and a target, each an embedded node with a session, and a folder for what a job keeps.
struct Bench: Sendable {
    let source: EmbeddedNode
    let target: EmbeddedNode
    let from: CQLSession
    let to: CQLSession
    let folder: TemporaryFolder

    static let group = MultiThreadedEventLoopGroup.singleton
    static let silent = Logger(label: "reader") { _ in SwiftLogNoOpLogHandler() }
    static let keyspace =
        "CREATE KEYSPACE IF NOT EXISTS k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"

    static func cluster(_ name: String, _ node: EmbeddedNode) -> ClusterConfiguration {
        var cluster = ClusterConfiguration(
            name: name,
            contactPoints: [ContactPoint(host: "127.0.0.1", port: node.port)]
        )
        cluster.reconnectMillisecondsMax = 100
        return cluster
    }

    /// Starts both, runs `body`, and stops them.
    static func with<Result: Sendable>(
        release: String = "5.0.3",
        _ body: @Sendable @escaping (Bench) async throws -> Result
    ) async throws -> Result {
        var configuration = EmbeddedNodeConfiguration()
        configuration.releaseVersion = release
        let source = try await EmbeddedNode.start(on: Self.group, configuration: configuration)
        let target = try await EmbeddedNode.start(on: Self.group, configuration: configuration)
        let folder = try TemporaryFolder()
        let (one, other) = (Self.cluster("source", source), Self.cluster("target", target))
        let result = try await CQLSession.withSession(one, on: Self.group.next(), logger: Self.silent) { from in
            try await CQLSession.withSession(other, on: Self.group.next(), logger: Self.silent) { to in
                let bench = Bench(source: source, target: target, from: from, to: to, folder: folder)
                try await bench.both(Self.keyspace)
                return try await body(bench)
            }
        }
        await source.stop()
        await target.stop()
        return result
    }

    /// Runs a text on both.
    func both(_ text: String) async throws {
        try await self.from.query(text)
        try await self.to.query(text)
    }

    /// Settings of a job that settles fast.
    func settings(_ job: String = "job") -> CompareSettings {
        var settings = CompareSettings(
            job: job,
            source: Self.cluster("source", self.source),
            target: Self.cluster("target", self.target),
            store: .sqlite(path: "\(self.folder.path)/\(job).db"),
            folder: "\(self.folder.path)/\(job)"
        )
        settings.settling.settle = .milliseconds(20)
        settings.settling.pauseMax = .milliseconds(50)
        settings.settling.readsMin = 2
        settings.reading.firstPageRows = 7
        settings.reading.pageRowsMax = 23
        settings.runner = RunnerSettings(
            concurrency: 3,
            pollInterval: .milliseconds(50),
            attemptsMax: 20,
            pauseMin: .milliseconds(20),
            pauseMax: .milliseconds(200)
        )
        settings.samplesPerClassMax = 10_000
        return settings
    }

    /// Compares everything.
    func compare(
        _ settings: CompareSettings,
        debt: any PartitionDebt = NoDebt(),
        dirty: any DirtySet = NoDirtySet()
    ) async throws -> CompareReport {
        try await CompareJob.withJob(
            settings,
            worker: "w",
            on: Self.group,
            debt: debt,
            dirty: dirty,
            logger: Self.silent
        ) { try await $0.run() }
    }
}

extension CompareReport {
    /// The only table.
    var one: Table {
        get throws {
            struct NotOne: Error {}
            guard self.tables.count == 1 else { throw NotOne() }
            return self.tables[0]
        }
    }
}
