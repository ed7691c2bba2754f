import CQLClient
import CQLProtocol
import EmbeddedNode
import FoundationEssentials
import LiveTables
import Logging
import NIOCore
import NIOPosix
import TestSupport
import TokenRanges

@testable import SSTableLoader

/// A live source and a target, each an embedded node, and a folder for a job's files.
struct LoadBench: Sendable {
    static let ceiling: Int64 = 2_000_000

    let source: EmbeddedNode
    let target: EmbeddedNode
    let from: CQLSession
    let to: CQLSession
    let folder: TemporaryFolder

    static let silent = Logger(label: "load") { _ in SwiftLogNoOpLogHandler() }
    static let group = MultiThreadedEventLoopGroup.singleton

    /// Starts both, runs `body`, and stops them. The source has eight ranges, and tells the times of elements.
    static func with(_ body: @Sendable @escaping (LoadBench) async throws -> Void) async throws {
        var configuration = EmbeddedNodeConfiguration()
        configuration.releaseVersion = "5.0.2"
        configuration.tokens = TokenRange.ring.split(into: 8).map(\.end).dropLast()
        let source = try await EmbeddedNode.start(on: Self.group, configuration: configuration)
        let target = try await EmbeddedNode.start(on: Self.group)
        let folder = try TemporaryFolder()
        var limits = CQLSession.Limits()
        limits.requestMilliseconds = 120_000
        let used = limits
        let (one, other) = (Self.cluster("source", source), Self.cluster("target", target))
        try await CQLSession.withSession(one, limits: used, on: Self.group.next(), logger: Self.silent) { from in
            try await CQLSession.withSession(other, limits: used, on: Self.group.next(), logger: Self.silent) { to in
                let bench = LoadBench(source: source, target: target, from: from, to: to, folder: folder)
                try await bench.both(
                    "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
                )
                try await body(bench)
            }
        }
        await source.stop()
        await target.stop()
    }

    static func cluster(_ name: String, _ node: EmbeddedNode) -> ClusterConfiguration {
        var cluster = ClusterConfiguration(
            name: name,
            contactPoints: [ContactPoint(host: "127.0.0.1", port: node.port)]
        )
        cluster.reconnectMillisecondsMax = 100
        return cluster
    }

    /// Runs a text on both.
    func both(_ text: String) async throws {
        try await self.from.query(text)
        try await self.to.query(text)
    }

    /// A job from the source to the target that is quick to notice things.
    func settings(_ job: String = "load") -> LoadSettings {
        var settings = LoadSettings(
            job: job,
            source: .cluster(Self.cluster("source", self.source)),
            target: Self.cluster("target", self.target),
            store: .sqlite(path: "\(self.folder.path)/job.sqlite"),
            deadLetterFolder: "\(self.folder.path)/letters"
        )
        settings.ceiling = Self.ceiling
        Self.hasten(&settings)
        return settings
    }

    static func hasten(_ settings: inout LoadSettings) {
        settings.runner = RunnerSettings(
            concurrency: 3,
            leaseDuration: .seconds(1),
            pollInterval: .milliseconds(20),
            attemptsMax: 30,
            pauseMin: .milliseconds(5),
            pauseMax: .milliseconds(50)
        )
        settings.writer.attemptsMax = 3
        settings.writer.pauseMillisecondsMin = 1
        settings.writer.pauseMillisecondsMax = 20
        settings.reading.firstPageRows = 20
        settings.reading.pageRowsMax = 20
        settings.checkpoints.checkpointPartitions = 30
        settings.sampleInterval = .milliseconds(20)
        settings.sourceSession.requestMilliseconds = 120_000
        settings.targetSession.requestMilliseconds = 120_000
    }

    @discardableResult
    func load(
        _ settings: LoadSettings,
        worker: String = "a",
        _ body: @Sendable @escaping (LoadJob) async throws -> Void = { _ in }
    ) async throws -> LoadEnd {
        try await LoadJob.withJob(settings, worker: worker, on: Self.group, logger: Self.silent) { job in
            try await body(job)
            return try await job.run()
        }
    }

    /// Makes a table on both sides and fills the source's: rows that were inserted as wholes, at times of their own, some with
    /// a life, with statics, sets and maps that have grown since.
    func fill(_ table: String, partitions: Int = 40, rows: Int = 5) async throws {
        try await self.both(
            "CREATE TABLE k.\(table) (p int, c int, v text, n int, st set<int>, m map<text, int>, s text static, "
                + "PRIMARY KEY (p, c))"
        )
        let insert = try await self.from.prepare(
            "INSERT INTO k.\(table) (p, c, v, n, st, m) VALUES (?, ?, ?, ?, {1, 2}, {'a': 1}) USING TIMESTAMP ? AND TTL ?"
        )
        let statics = try await self.from.prepare("UPDATE k.\(table) USING TIMESTAMP ? SET s = ? WHERE p = ?")
        let grow = try await self.from.prepare(
            "UPDATE k.\(table) USING TIMESTAMP ? SET st = st + {7} WHERE p = ? AND c = ?"
        )
        for p in 0..<Int32(partitions) {
            try await self.from.execute(statics, [.bigint(1_000 + Int64(p)), .text("s\(p)"), .int(p)])
            for c in 0..<Int32(rows) {
                let time = Int64(p) * 100 + Int64(c)
                let values: [CQLValue] = [
                    .int(p), .int(c), .text("v\(p) \(c)"), .int(c), .bigint(time), .int((p + c) % 5 == 0 ? 90_000 : 0),
                ]
                try await self.from.execute(insert, values)
                if c % 2 == 0 { try await self.from.execute(grow, [.bigint(time + 10), .int(p), .int(c)]) }
            }
        }
    }

    /// What differs between both sides: cells that are not the same, to a minute of their lives. Markers are guessed, and only
    /// have to be there.
    func differences(_ table: String) -> [String] {
        let (there, here) = (self.source.liveCells(table), self.target.liveCells(table))
        var wrong: [String] = []
        for (place, cell) in there {
            guard let own = here[place] else {
                wrong.append("missing: \(cell)")
                continue
            }
            let isSame =
                cell.value == own.value && cell.timestamp == own.timestamp
                && (cell.expiresAt == 0) == (own.expiresAt == 0) && abs(cell.expiresAt - own.expiresAt) < 60
            if !isSame { wrong.append("\(cell) is \(own)") }
        }
        wrong += here.keys.filter { there[$0] == nil }.map { "not on the source: \($0)" }
        return wrong
    }

    /// Waits until something is so.
    static func until(_ isSo: () async throws -> Bool) async throws {
        struct Never: Error {}
        let begin = ContinuousClock.now
        while try await !isSo() {
            guard ContinuousClock.now - begin < .seconds(60) else { throw Never() }
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}
