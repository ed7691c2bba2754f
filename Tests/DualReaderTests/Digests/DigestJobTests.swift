import CQLClient
import CQLProtocol
import NIOCore
import Synchronization
import TestSupport
import Testing
import TokenRanges

@testable import DualReader

/// Whole comparisons in which the target is read by a peer alone: what they find is what a comparison without digests finds.
@Suite(.serialized) struct DigestJobTests {
    /// A peer in this process, with what a test does to it.
    final class Peer: DigestPeer {
        enum Fault: Sendable { case away, version, stranger, silent }

        let answerer: DigestAnswerer
        private let fault: Mutex<Fault?>
        private let asked = Mutex(0)
        /// Added to the peer's clock, in milliseconds.
        let clockAhead: Int64

        init(_ answerer: DigestAnswerer, _ fault: Fault? = nil, clockAhead: Int64 = 0) {
            self.answerer = answerer
            self.fault = Mutex(fault)
            self.clockAhead = clockAhead
        }

        var questions: Int { self.asked.withLock { $0 } }

        func greeting(of cluster: Side) async throws -> (DigestGreeting, bytes: Int) {
            let clock = SQLiteJobStore.wallClock() + self.clockAhead
            var greeting = try self.answerer.greeting(of: cluster, clock: clock)
            switch self.fault.withLock({ $0 }) {
            case .away?: throw DigestError(.away, "nobody is there")
            case .version?: greeting.version += 1
            case .stranger?: greeting.hosts = ["another"]
            case .silent?, nil: break
            }
            return (greeting, 200)
        }

        func answer(_ request: DigestRequest) async throws -> (DigestAnswer, bytes: Int) {
            self.asked.withLock { $0 += 1 }
            if self.fault.withLock({ $0 }) == .silent { return (.reading(rows: 0), 10) }
            return (try await self.answerer.answer(request), 16 * request.nodes.count)
        }
    }

    private static func withPeer<Result: Sendable>(
        _ bench: Bench,
        side: Side = .target,
        _ change: (inout CompareSettings) -> Void = { _ in },
        _ body: @Sendable @escaping (DigestAnswerer) async throws -> Result
    ) async throws -> Result {
        var settings = bench.settings("peer")
        change(&settings)
        let answerer = DigestAnswerer(settings, side: side, on: Bench.group, logger: Bench.silent)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await answerer.run() }
            while !answerer.isConnected { await Task.yield() }
            let result = try await body(answerer)
            group.cancelAll()
            return result
        }
    }

    private static func settings(
        _ bench: Bench,
        _ peer: Peer,
        near side: Side = .target,
        rowsPerLeaf: Int = 4
    ) -> CompareSettings {
        var settings = bench.settings()
        settings.peering = DigestPeering(peer, near: side)
        settings.peering?.rowsPerLeaf = rowsPerLeaf
        return settings
    }

    @Test(arguments: Side.allCases)
    func `equal tables are in sync, and no row is read from afar`(_ far: Side) async throws {
        try await Bench.with { bench in
            try await CompareJobTests.fill(bench, partitions: 20)
            try await Self.withPeer(bench, side: far) { answerer in
                let report = try await bench.compare(Self.settings(bench, Peer(answerer), near: far))
                #expect(report.verdict == .inSync && report.coverage == 1)
                let tally = try report.one.tally
                #expect(tally.rows == 100 && tally.partitions == 20 && tally.cells == 700)
                #expect(tally.sourceBytes == 0 && tally.targetBytes == 0 && tally.rangesOpened == 0)
                #expect(tally.peerBytes > 0 && tally.digestedBytes > 0 && tally.openedBytes == 0)
            }
        }
    }

    @Test func `equal values in other encodings have equal digests`() async throws {
        try await Bench.with { bench in
            try await bench.both("CREATE TABLE k.t (p int PRIMARY KEY, n varint, f frozen<set<int>>, d decimal)")
            let cells: [(CQLSession, [UInt8], [UInt8], [UInt8])] = [
                (bench.from, [1], [0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 2], [0, 0, 0, 0, 1]),
                (
                    bench.to, [0, 0, 1], [0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 1],
                    [0, 0, 0, 1, 10]
                ),
            ]
            for (session, n, f, d) in cells {
                let insert = try await session.prepare(
                    "INSERT INTO k.t (p, n, f, d) VALUES (1, ?, ?, ?) USING TIMESTAMP 5"
                )
                let values = [n, f, d].map { BoundValue.value(ByteBuffer(bytes: $0)) }
                _ = try await session.execute(insert, bound: values, consistency: .one)
            }
            try await Self.withPeer(bench) { answerer in
                let report = try await bench.compare(Self.settings(bench, Peer(answerer)))
                #expect(report.verdict == .inSync)
                #expect(try report.one.tally.rangesOpened == 0)
            }
        }
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func `digests find what a comparison without them finds`(_ seed: UInt64) async throws {
        try await Bench.with { bench in
            var random = SeededRandom(seed: seed)
            try await CompareJobTests.fill(bench)
            let wanted = try await CompareJobTests.inject(bench, &random, partitions: 40)
            let plain = try await bench.compare(bench.settings("plain")).one
            try await Self.withPeer(bench) { answerer in
                let table = try await bench.compare(Self.settings(bench, Peer(answerer))).one
                #expect(table.tally.differences == plain.tally.differences, "seed \(seed)")
                #expect(table.tally.rowsDifferent == wanted.count && table.tally.rows == plain.tally.rows)
                #expect(Set(table.samples.map(\.difference.place)) == Set(plain.samples.map(\.difference.place)))
                #expect(table.tally.openedBytes > 0 && table.tally.rangesOpened > 0)
            }
        }
    }

    @Test func `one row that differs opens one leaf`() async throws {
        try await Bench.with { bench in
            try await bench.both("CREATE TABLE k.t (p int PRIMARY KEY, v text)")
            for p in 0..<300 {
                try await bench.both("INSERT INTO k.t (p, v) VALUES (\(p), 'v\(p)') USING TIMESTAMP \(p + 1)")
            }
            try await bench.to.query("INSERT INTO k.t (p, v) VALUES (77, 'w77') USING TIMESTAMP 78")
            try await Self.withPeer(bench) { answerer in
                let report = try await bench.compare(Self.settings(bench, Peer(answerer)))
                let tally = try report.one.tally
                #expect(tally.rowsDifferent == 1 && tally.rangesOpened == 1 && tally.rows == 300)
                #expect(tally.openedBytes * 20 < tally.digestedBytes)
            }
        }
    }

    @Test func `lives that end within the tolerance agree, and others do not`() async throws {
        try await Bench.with { bench in
            try await bench.both("CREATE TABLE k.t (p int PRIMARY KEY, v text, w text)")
            for p in 0..<50 {
                for (session, life) in [(bench.from, 5_000), (bench.to, p == 7 ? 5_300 : 5_004)] {
                    try await session.query(
                        "INSERT INTO k.t (p, v, w) VALUES (\(p), 'v', 'w') USING TIMESTAMP 5 AND TTL \(life)"
                    )
                }
            }
            try await Self.withPeer(bench) { answerer in
                let table = try await bench.compare(Self.settings(bench, Peer(answerer))).one
                #expect(table.tally.differences[.timeToLive] == 2 && table.tally.rowsDifferent == 1)
                #expect(table.tally.rangesOpened == 1)
                // A clock that is ahead by more than the tolerance tells nothing of lives: they are looked at row by row.
                var settings = Self.settings(bench, Peer(answerer, clockAhead: 400_000))
                settings.job = "ahead"
                settings.store = .sqlite(path: "\(bench.folder.path)/ahead.db")
                settings.folder = "\(bench.folder.path)/ahead"
                let other = try await bench.compare(settings).one
                #expect(other.tally.differences[.timeToLive] == 2 && other.tally.rowsDifferent == 1)
            }
        }
    }

    @Test func `a sample and its tenants are the same by digests`() async throws {
        try await Bench.with { bench in
            try await CompareJobTests.fill(bench)
            try await bench.to.query(
                "UPDATE k.t USING TIMESTAMP 2000 SET a = 'x' WHERE p = 3 AND q = 'q' AND c = 2 AND d = 'd'"
            )
            @Sendable func change(_ settings: inout CompareSettings) {
                settings.tenants = TenantFilter(column: "c", values: ["2", "3"])
            }
            var plain = bench.settings("plain")
            change(&plain)
            plain.sampling = Sampling(percentage: 50, seed: 3, slices: 64)
            let expected = try await bench.compare(plain).one.tally
            let sampling = plain.sampling
            try await Self.withPeer(bench, change) { answerer in
                var settings = Self.settings(bench, Peer(answerer))
                change(&settings)
                settings.sampling = sampling
                let tally = try await bench.compare(settings).one.tally
                #expect(tally.rows == expected.rows && tally.rowsLeftOut == expected.rowsLeftOut)
                #expect(tally.partitions == expected.partitions && tally.differences == expected.differences)
            }
        }
    }

    @Test func `what digests find is repaired, and its leaves are not opened again`() async throws {
        try await Bench.with { bench in
            var random = SeededRandom(seed: 5)
            try await CompareJobTests.fill(bench)
            let wanted = try await CompareJobTests.inject(bench, &random, partitions: 40)
            try await Self.withPeer(bench) { answerer in
                var repairing = Self.settings(bench, Peer(answerer))
                repairing.repair.policy = .sourceWins
                repairing.repair.isDryRun = false
                repairing.repair.deletesExtras = true
                repairing.repair.alignsSource = true
                let first = try await bench.compare(repairing)
                #expect(first.tally.rowsDifferent == wanted.count)
                // The target's deletions are as new as what they deleted: no copy with its own time comes back there.
                let deleted = wanted.values.count { $0.aspect == .missingOnTarget }
                #expect(first.tally.rowsRepaired == wanted.count - deleted)
                var again = Self.settings(bench, Peer(answerer))
                again.job = "again"
                again.store = .sqlite(path: "\(bench.folder.path)/again.db")
                again.folder = "\(bench.folder.path)/again"
                // Each comparison has a seed of its own, so that no tree of the peer is an old one.
                let second = try await bench.compare(again)
                #expect(second.tally.rowsDifferent == deleted && second.tally.rangesOpened <= deleted)
            }
        }
    }

    // MARK: Peers that cannot be asked

    @Test(arguments: [(Peer.Fault.away, DigestError.Code.away), (.version, .version), (.stranger, .cluster)])
    func `a peer that cannot be asked is told by name before anything is read`(
        _ fault: Peer.Fault,
        _ code: DigestError.Code
    ) async throws {
        try await Bench.with { bench in
            try await CompareJobTests.fill(bench, partitions: 3)
            try await Self.withPeer(bench) { answerer in
                let error = await #expect(throws: DigestError.self) {
                    try await bench.compare(Self.settings(bench, Peer(answerer, fault)))
                }
                #expect(error?.code == code)
                // Where it need not be, both clusters are read from here.
                var settings = Self.settings(bench, Peer(answerer, fault))
                settings.peering?.isRequired = false
                let report = try await bench.compare(settings)
                #expect(report.verdict == .inSync)
                let tally = try report.one.tally
                #expect(tally.rangesWithoutPeer > 0 && tally.targetBytes > 0 && tally.rows == 15)
            }
        }
    }

    @Test func `a peer that makes no progress is given up`() async throws {
        try await Bench.with { bench in
            try await CompareJobTests.fill(bench, partitions: 3)
            try await Self.withPeer(bench) { answerer in
                var settings = Self.settings(bench, Peer(answerer, .silent))
                settings.peering?.patience = .milliseconds(30)
                settings.runner.attemptsMax = 2
                let table = try await bench.compare(settings).one
                #expect(table.failures.contains { $0.contains("has read no row of k.t") }, "\(table.failures)")
                guard case .incomplete = table.verdict else {
                    Issue.record("\(table.verdict)")
                    return
                }
            }
        }
    }

    @Test func `another configuration or other columns there are refused by name`() async throws {
        try await Bench.with { bench in
            try await CompareJobTests.fill(bench, partitions: 3)
            let changes: [(String, @Sendable (inout CompareSettings) -> Void)] = [
                ("compare.writetimes", { $0.rules.comparesWritetimes = false }),
                ("compare.ttls", { $0.rules.comparesTimeToLive = false }),
                ("a=text", { $0.leavingOut = [TableName(keyspace: "k", table: "t"): ["a"]] }),
            ]
            for (index, (word, change)) in changes.enumerated() {
                try await Self.withPeer(bench, change) { answerer in
                    var settings = Self.settings(bench, Peer(answerer))
                    settings.store = .sqlite(path: "\(bench.folder.path)/\(index).db")
                    let table = try await bench.compare(settings).one
                    #expect(table.failures.contains { $0.contains(word) }, "\(word): \(table.failures)")
                    #expect(table.tally.rows == 0)
                }
            }
        }
    }
}
