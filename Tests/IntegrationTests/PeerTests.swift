import AsyncHTTPClient
import CQLClient
import CQLProtocol
import DualReader
import EmbeddedNode
import LiveTables
import Logging
import NIOCore
import NIOPosix
import Operations
import TestSupport
import Testing
import TokenRanges

@testable import ClusterSync

/// A reader that compares by the digests of another one, over HTTP.
@Suite(.serialized) struct PeerTests {
    private static let group = MultiThreadedEventLoopGroup.singleton
    private static let silent = Logger(label: "reader") { _ in SwiftLogNoOpLogHandler() }

    /// Two clusters, and a reader near the target that answers on a port behind a forwarder.
    private struct Scene: Sendable {
        let from: CQLSession
        let to: CQLSession
        let settings: CompareSettings
        let forwarder: CountingForwarder
        let http: HTTPClient

        func client(token: String = "secret", port: Int? = nil) -> PeerClient {
            PeerClient(
                self.http,
                base: "http://127.0.0.1:\(port ?? self.forwarder.port)/",
                token: { token },
                timeout: .seconds(60)
            )
        }

        func compare(_ client: PeerClient, rowsPerLeaf: Int = 256) async throws -> CompareReport {
            var settings = self.settings
            settings.peering = DigestPeering(client, near: .target)
            settings.peering?.rowsPerLeaf = rowsPerLeaf
            return try await CompareJob.withJob(settings, worker: "w", on: PeerTests.group, logger: PeerTests.silent) {
                try await $0.run()
            }
        }
    }

    private static func cluster(_ name: String, _ node: EmbeddedNode) -> ClusterConfiguration {
        ClusterConfiguration(name: name, contactPoints: [ContactPoint(host: "127.0.0.1", port: node.port)])
    }

    private static func withScene(_ body: @Sendable @escaping (Scene) async throws -> Void) async throws {
        let source = try await EmbeddedNode.start(on: Self.group, store: EmbeddedStore())
        let target = try await EmbeddedNode.start(on: Self.group, store: EmbeddedStore())
        let folder = try TemporaryFolder()
        var settings = CompareSettings(
            job: "job",
            source: Self.cluster("source", source),
            target: Self.cluster("target", target),
            store: .sqlite(path: "\(folder.path)/job.db"),
            folder: folder.path
        )
        settings.settling.settle = .milliseconds(10)
        settings.settling.readsMin = 2
        settings.runner = RunnerSettings(concurrency: 2, pollInterval: .milliseconds(20), attemptsMax: 3)
        let made = settings
        let answerer = DigestAnswerer(made, side: .target, on: Self.group, logger: Self.silent)
        let ports = AsyncStream<Int>.makeStream()
        let admin = AdminServer(
            configuration: .init(host: "127.0.0.1", port: 0, token: { "secret" }),
            digests: PeerSource(answerer: answerer),
            readiness: { .ready },
            metrics: MetricsRegistry(),
            eventLoopGroup: Self.group,
            logger: Self.silent
        ) { ports.continuation.yield($0.port ?? 0) }
        try await CQLSession.withSession(made.source, on: Self.group.next(), logger: Self.silent) { from in
            try await CQLSession.withSession(made.target, on: Self.group.next(), logger: Self.silent) { to in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await answerer.run() }
                    group.addTask { try await admin.run() }
                    var listening = ports.stream.makeAsyncIterator()
                    let port = try #require(await listening.next())
                    while !answerer.isConnected { await Task.yield() }
                    let forwarder = try await CountingForwarder.start(to: port)
                    let http = HTTPClient(eventLoopGroupProvider: .singleton)
                    let scene = Scene(from: from, to: to, settings: made, forwarder: forwarder, http: http)
                    let result = await Result { try await body(scene) }
                    try await http.shutdown()
                    await forwarder.stop()
                    group.cancelAll()
                    try result.get()
                }
            }
        }
        await source.stop()
        await target.stop()
    }

    private static func fill(_ scene: Scene, partitions: Int, rows: Int) async throws {
        for session in [scene.from, scene.to] {
            try await session.query(
                "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
            )
            try await session.query("CREATE TABLE k.t (p int, c int, v text, w text, PRIMARY KEY (p, c))")
            let insert = try await session.prepare(
                "INSERT INTO k.t (p, c, v, w) VALUES (?, ?, ?, ?) USING TIMESTAMP ?",
                isIdempotent: true
            )
            for p in 0..<partitions {
                for c in 0..<rows {
                    let text = CQLValue.text("value \(c) of partition \(p)")
                    let values: [CQLValue] = [.int(Int32(p)), .int(Int32(c)), text, text, .bigint(Int64(p + c + 1))]
                    try await session.execute(insert, values, consistency: .one)
                }
            }
        }
    }

    @Test func `equal tables by digests send less than one per cent of what reading both sends`() async throws {
        try await Self.withScene { scene in
            try await Self.fill(scene, partitions: 200, rows: 50)
            let report = try await scene.compare(scene.client())
            #expect(report.verdict == .inSync && report.tally.rows == 10_000)
            #expect(report.tally.digestedBytes > 1 << 20 && report.tally.rangesOpened == 0)
            #expect(scene.forwarder.bytes * 100 < report.tally.digestedBytes, "\(scene.forwarder.bytes)")
            // What the report says was sent is what was, but for the first and last lines of heads.
            #expect(report.tally.peerBytes > scene.forwarder.bytes / 2 && report.tally.sourceBytes == 0)
            #expect(report.tally.targetBytes == 0)
        }
    }

    @Test func `what differs is found over the wire, and a leaf of rows is read for it`() async throws {
        try await Self.withScene { scene in
            try await Self.fill(scene, partitions: 100, rows: 10)
            try await scene.to.query("UPDATE k.t USING TIMESTAMP 5000 SET v = 'x' WHERE p = 9 AND c = 4")
            try await scene.to.query("DELETE FROM k.t USING TIMESTAMP 5000 WHERE p = 50 AND c = 1")
            try await scene.to.query("INSERT INTO k.t (p, c, v) VALUES (1000, 1, 'extra')")
            let tally = try await scene.compare(scene.client(), rowsPerLeaf: 10).tally
            #expect(tally.rowsDifferent == 3 && tally.rows == 1_001)
            #expect(tally.differences[.value] == 1 && tally.differences[.missingOnTarget] == 1)
            #expect(tally.differences[.missingOnSource] == 1 && (1...3).contains(tally.rangesOpened))
            #expect(tally.openedBytes * 5 < tally.digestedBytes)
        }
    }

    @Test func `a wrong token and a port that nobody listens on are told by name`() async throws {
        try await Self.withScene { scene in
            try await Self.fill(scene, partitions: 1, rows: 1)
            let wrong = await #expect(throws: DigestError.self) { try await scene.compare(scene.client(token: "no")) }
            #expect(wrong?.code == .unauthorized)
            let away = await #expect(throws: DigestError.self) { try await scene.compare(scene.client(port: 1)) }
            #expect(away?.code == .away)
        }
    }
}

extension Result where Failure == any Error {
    fileprivate init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
