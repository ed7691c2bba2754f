import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import Synchronization
import Testing

/// Live reads that are compared between the clusters.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ComparisonTests {
    private static let schema = [
        "CREATE KEYSPACE one WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TABLE one.t (p text, c int, v text, PRIMARY KEY (p, c))",
        "INSERT INTO one.t (p, c, v) VALUES ('same', 1, 'x') USING TIMESTAMP 1",
    ]
    private static let read = "SELECT * FROM one.t WHERE p = 'a'"

    private func run(
        _ mode: WriteMode = .dualWriteAsync,
        settle: Int = 50,
        configure: (inout DualWriterConfiguration) -> Void = { _ in },
        _ body: (SidecarHarness) async throws -> Void
    ) async throws {
        try await SidecarHarness.run(mode: mode, schema: Self.schema) { configuration in
            configuration.comparison.percentage = 100
            configuration.comparison.settleMilliseconds = settle
            configuration.comparison.seed = 1
            configure(&configuration)
        } _: { harness in
            try await body(harness)
        }
    }

    private func counters(_ harness: SidecarHarness) async -> ComparisonCounters {
        await harness.proxy.status().counters.comparison
    }

    /// Reads until the first read is compared: a connection to the shadow stands from there on. No comparison is under way then.
    private func warmUp(_ harness: SidecarHarness, _ client: TestClient) async throws {
        let reads = Mutex(0)
        try await eventually {
            let answer = try await client.ask(query("SELECT * FROM one.t WHERE p = 'same'"))
            #expect(answer.firstColumn == ["same"])
            reads.withLock { $0 += 1 }
            return await self.counters(harness)[.equal] > 0
        }
        try await eventually {
            let counters = await self.counters(harness)
            return counters[.equal] + counters.skipped.values.reduce(0, +) == reads.withLock { $0 }
        }
    }

    @Test(arguments: [WriteMode.dualWriteAsync, .dualWriteSync, .shadowPrimary])
    func `a row that was changed past the sidecar counts once, after the settle time, until it is repaired`(
        mode: WriteMode
    ) async throws {
        let shadow = try #require(mode.shadow)
        try await self.run(mode, settle: 200) { harness in
            let client = try await harness.client()
            try await self.warmUp(harness, client)
            let insert = "INSERT INTO one.t (p, c, v) VALUES ('a', 1, 'x') USING TIMESTAMP 1000"
            #expect(try await client.ask(query(insert)) == .result(.void))
            try await eventually { await harness.proxy.status().legs.allSatisfy { $0.shadowWritesQueued == 0 } }
            _ = try await harness.ask(shadow, "UPDATE one.t USING TIMESTAMP 2000 SET v = 'y' WHERE p = 'a' AND c = 1")
            let start = ContinuousClock.now
            guard case .result(.rows(let rows)) = try await client.ask(query(Self.read)) else {
                Issue.record("no rows")
                return
            }
            #expect(rows.first?["v"] == ByteBuffer(string: "x"))
            try await eventually { await self.counters(harness)[.mismatch] == 1 }
            #expect(ContinuousClock.now - start >= .milliseconds(200))
            let counters = await self.counters(harness)
            #expect(counters.mismatches == 1)
            #expect(counters.tables["one.t"]?.mismatches == [.different: 1])
            let dirty = harness.proxy.dirtyPartitions(max: 10)
            #expect(dirty.map(\.reason) == [.comparison] && dirty.map(\.cluster) == [shadow])
            #expect(dirty.first?.place == .init(keyspace: "one", table: "t", key: Array("a".utf8)))
            _ = try await harness.ask(shadow, "UPDATE one.t USING TIMESTAMP 3000 SET v = 'x' WHERE p = 'a' AND c = 1")
            let before = await self.counters(harness)[.equal]
            _ = try await client.ask(query(Self.read))
            try await eventually { await self.counters(harness)[.equal] == before + 1 }
            #expect(await self.counters(harness).mismatches == 1)
        }
    }

    @Test func `prepared reads are compared, also without metadata and in the keyspace of the connection`() async throws
    {
        try await self.run { harness in
            let client = try await harness.client()
            _ = try await client.ask(query("USE one"))
            let text = "SELECT v FROM t WHERE p = ?"
            guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(text)) else {
                Issue.record("not prepared")
                return
            }
            func read(_ key: String) async throws -> Response {
                var parameters = QueryParameters(consistency: .one)
                parameters.values = .positional([.value(ByteBuffer(string: key))])
                parameters.skipMetadata = true
                return try await client.ask(.execute(Execute(id: prepared.id, parameters: parameters)))
            }
            try await eventually {
                _ = try await read("same")
                return await self.counters(harness)[.equal] > 0
            }
            _ = try await harness.ask(.source, "INSERT INTO one.t (p, c, v) VALUES ('a', 1, 'x')")
            _ = try await read("a")
            try await eventually { await self.counters(harness).mismatches == 1 }
            #expect(await self.counters(harness).tables["one.t"]?.mismatches == [.missing: 1])
            // The rows do not tell their key; the statement does.
            #expect(harness.proxy.dirtyPartitions(max: 10).map(\.place.key) == [Array("a".utf8)])
        }
    }

    @Test(arguments: [1, 2])
    func `writes that race with reads are no mismatch, however late their copies are`(loops: Int) async throws {
        try await self.run { configuration in
            configuration.loops = loops
            configuration.limits.comparisonsMax = 256
        } _: { harness in
            harness.target.setFaults([FaultRule(.textContains("INSERT"), .delay(.milliseconds(30)))])
            let first = try await harness.client()
            try await self.warmUp(harness, first)
            let clients = [first, try await harness.client(), try await harness.client(), try await harness.client()]
            let end = ContinuousClock.now + .seconds(2)
            try await withThrowingTaskGroup { tasks in
                for (index, client) in clients.enumerated() {
                    tasks.addTask {
                        var round = 0
                        while ContinuousClock.now < end {
                            round += 1
                            // Some rows change for ever, others between two values.
                            let value = index % 2 == 0 ? "\(index)-\(round)" : "\(round % 2)"
                            let key = ["a", "b"][round % 2]
                            let text = "INSERT INTO one.t (p, c, v) VALUES ('\(key)', \(index), '\(value)')"
                            let answer = try await client.ask(query(text))
                            #expect(answer == .result(.void))
                        }
                    }
                    tasks.addTask {
                        while ContinuousClock.now < end {
                            for text in [Self.read, "SELECT c, v FROM one.t WHERE p = 'b'", "SELECT * FROM one.t"] {
                                guard case .result(.rows) = try await client.ask(query(text)) else {
                                    Issue.record("no rows")
                                    return
                                }
                            }
                        }
                    }
                }
                try await tasks.waitForAll()
            }
            harness.target.setFaults([])
            try await eventually {
                for text in [Self.read, "SELECT * FROM one.t"] { _ = try await first.ask(query(text)) }
                let counters = await self.counters(harness)
                return counters[.settled] + counters[.undecided] > 10 && counters[.equal] > 10
            }
            #expect(await self.counters(harness).mismatches == 0)
            #expect(harness.proxy.dirtyPartitions(max: 10).isEmpty)
        }
    }

    @Test func `a shadow that is silent, refuses or is away costs the client nothing and is no mismatch`() async throws
    {
        try await self.run {
            $0.timeouts.readMilliseconds = 3_000
        } _: { harness in
            let client = try await harness.client()
            try await self.warmUp(harness, client)
            _ = try await harness.ask(.source, "INSERT INTO one.t (p, c, v) VALUES ('a', 1, 'x')")
            for reaction in [FaultRule.Reaction.drop, .error(ErrorMessage(.readTimeout, "slow")), .close] {
                harness.target.setFaults([FaultRule(.textContains("one.t"), reaction)])
                let before = await self.counters(harness)
                let reads = await harness.proxy.status().counters.target.readsFailed
                try await eventually {
                    let start = ContinuousClock.now
                    let answer = try await client.ask(query(Self.read))
                    #expect(answer.firstColumn == ["a"])
                    // One that waited for the shadow would take as long as it may be silent.
                    #expect(ContinuousClock.now - start < .milliseconds(2_500))
                    return await self.counters(harness)[.unreadable] > before[.unreadable]
                }
                // The proxy's own reads are not the application's.
                #expect(await harness.proxy.status().counters.target.readsFailed == reads)
            }
            await harness.target.stop()
            for _ in 0..<20 { #expect(try await client.ask(query(Self.read)).firstColumn == ["a"]) }
            #expect(await self.counters(harness).mismatches == 0)
            // A read that was refused says nothing of the shadow's writes.
            #expect(await harness.proxy.status().counters.target.breakerOpened == 0)
        }
    }

    @Test func `nothing is compared while the shadow does not take its writes`() async throws {
        try await self.run {
            $0.timeouts.shadowWriteMilliseconds = 50
        } _: { harness in
            let client = try await harness.client()
            try await self.warmUp(harness, client)
            harness.target.setFaults([FaultRule(.textContains("INSERT"), .drop)])
            for index in 0..<20 {
                let insert = "INSERT INTO one.t (p, c, v) VALUES ('a', \(index), 'x')"
                #expect(try await client.ask(query(insert)) == .result(.void))
            }
            try await eventually { await harness.proxy.status().leg(.target)?.isHeldBack == true }
            let before = await self.counters(harness)
            for _ in 0..<10 { _ = try await client.ask(query(Self.read)) }
            let after = await self.counters(harness)
            #expect((after.skipped[.behind] ?? 0) == (before.skipped[.behind] ?? 0) + 10)
            harness.target.setFaults([])
            try await eventually { await harness.proxy.status().leg(.target)?.shadowWritesQueued == 0 }
            try await eventually {
                _ = try await client.ask(query(Self.read))
                return await self.counters(harness)[.equal] > after[.equal]
            }
            #expect(await self.counters(harness).mismatches == 0)
        }
    }

    @Test func `no more reads are compared at a time, and no longer ones, than the limits say`() async throws {
        try await self.run { configuration in
            configuration.limits.comparisonsMax = 2
            configuration.limits.comparisonBytesMax = 2_000
        } _: { harness in
            let client = try await harness.client()
            try await self.warmUp(harness, client)
            let before = await self.counters(harness)
            harness.target.setFaults([FaultRule(.textContains("SELECT"), .delay(.seconds(6)))])
            try await withThrowingTaskGroup { tasks in
                for _ in 0..<20 { tasks.addTask { _ = try await client.ask(query(Self.read)) } }
                try await tasks.waitForAll()
            }
            #expect(await self.counters(harness).skipped[.busy] == (before.skipped[.busy] ?? 0) + 18)
            harness.target.setFaults([])
            try await eventually { await self.counters(harness)[.equal] == before[.equal] + 2 }
            let long = String(repeating: "x", count: 3_000)
            #expect(
                try await client.ask(query("INSERT INTO one.t (p, c, v) VALUES ('a', 1, '\(long)')")) == .result(.void)
            )
            _ = try await client.ask(query(Self.read))
            #expect(await self.counters(harness).skipped[.tooLong] == 1)
        }
    }

    @Test func `what cannot be compared is counted and not sent`() async throws {
        try await self.run { harness in
            let client = try await harness.client()
            try await self.warmUp(harness, client)
            for index in 0..<4 {
                _ = try await client.ask(query("INSERT INTO one.t (p, c, v) VALUES ('a', \(index), 'x')"))
            }
            let before = await self.counters(harness)
            _ = try await client.ask(query("SELECT ttl(v) FROM one.t WHERE p = 'a'"))
            let serial = QueryParameters(consistency: .serial)
            _ = try await client.ask(.query(Query(Self.read, parameters: serial)))
            #expect(await self.counters(harness).skipped[.statement] == 2)
            _ = try await client.ask(query("SELECT * FROM system_schema.tables"))
            _ = try await client.ask(query("SELECT * FROM one.nothing"))
            var parameters = QueryParameters(consistency: .one)
            parameters.pageSize = 2
            guard case .result(.rows(let page)) = try await client.ask(.query(Query(Self.read, parameters: parameters)))
            else {
                Issue.record("no rows")
                return
            }
            let state: ByteBuffer = try #require(page.metadata.pagingState)
            parameters.pagingState = state
            _ = try await client.ask(.query(Query(Self.read, parameters: parameters)))
            #expect(await self.counters(harness).skipped[.laterPage] == 1)
            // The first page was.
            try await eventually {
                let counters = await self.counters(harness)
                return counters[.equal] + counters[.settled] > before[.equal]
            }
            #expect(await self.counters(harness).skipped.values.reduce(0, +) == before.skipped.values.reduce(3, +))
        }
    }

    @Test func `a column that only one cluster has is a difference of the schema and no mismatch of rows`() async throws
    {
        try await self.run { harness in
            let client = try await harness.client()
            try await self.warmUp(harness, client)
            _ = try await harness.ask(.target, "ALTER TABLE one.t ADD extra text")
            _ = try await client.ask(query("SELECT * FROM one.t WHERE p = 'same'"))
            try await eventually { await self.counters(harness)[.mismatch] == 1 }
            let counters = await self.counters(harness)
            #expect(counters.mismatches == 0 && counters.tables["one.t"]?.mismatches == [.schema: 1])
            #expect(harness.proxy.dirtyPartitions(max: 10).isEmpty)
        }
    }

    @Test func `the share of the reads changes at run time, and 0 compares nothing`() async throws {
        try await self.run {
            $0.comparison.percentage = 0
        } _: { harness in
            let client = try await harness.client()
            for _ in 0..<50 { _ = try await client.ask(query(Self.read)) }
            let none = await self.counters(harness)
            #expect(none.tables.isEmpty && none.skipped.isEmpty)
            harness.proxy.setComparisonPercentage(100)
            try await self.warmUp(harness, client)
            harness.proxy.setComparisonPercentage(25)
            let asked = 400
            func chosen() async -> UInt64 {
                let counters = await self.counters(harness)
                let compared = ComparisonCounters.Result.allCases.reduce(0) { $0 + counters[$1] }
                return compared + counters.skipped.values.reduce(0, +)
            }
            let before = await chosen()
            for _ in 0..<asked { _ = try await client.ask(query(Self.read)) }
            try await eventually { await chosen() > before + 50 }
            #expect(await chosen() < before + 160)
            harness.proxy.setComparisonPercentage(0)
            try await harness.proxy.setMode(.dualWriteSync)
            let last = await chosen()
            for _ in 0..<50 { _ = try await client.ask(query(Self.read)) }
            #expect(await chosen() <= last + 32)
        }
    }
}
