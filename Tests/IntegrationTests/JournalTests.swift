import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import TestSupport
import Testing

/// What was acknowledged reaches the other cluster, whatever becomes of the sidecar or the cluster meanwhile.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct JournalTests {
    private static func insert(_ key: Int, into table: String = "one.t") -> Request {
        query("INSERT INTO \(table) (p, v) VALUES ('\(key)', 'v')")
    }

    private static func insert(_ keys: Range<Int>, _ client: TestClient) async throws {
        for key in keys {
            let answer = try await client.ask(Self.insert(key))
            #expect(answer == .result(.void))
        }
    }

    /// The node takes writes and answers nothing.
    private static let frozen = [FaultRule(.textContains("INSERT"), .drop)]

    @Test(arguments: [WriteMode.dualWriteAsync, .shadowPrimary])
    func `what a cluster is owed when the sidecar stops is delivered by the next one`(mode: WriteMode) async throws {
        try await JournalHarness.run { harness in
            let shadow = try #require(mode.shadow)
            harness.node(shadow).setFaults(Self.frozen)
            try await harness.sidecar(mode) {
                $0.timeouts.shadowWriteMilliseconds = 50
                $0.timeouts.drainMilliseconds = 100
            } _: { _, client in
                try await Self.insert(0..<100, client)
            }
            #expect(try await harness.rows(shadow) == [])
            harness.node(shadow).setFaults([])
            try await harness.sidecar(mode) { proxy, _ in try await harness.settled(proxy) }
            let rows = try await harness.rows(shadow)
            #expect(rows.count == 100)
            #expect(try await harness.rows(shadow.other) == rows)
        }
    }

    @Test func `what a killed sidecar leaves behind is delivered, prepared statements included`() async throws {
        try await JournalHarness.run { harness in
            harness.target.setFaults(Self.frozen)
            var left: TemporaryFolder?
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.drainMilliseconds = 100
            } _: { _, client in
                #expect(try await client.ask(query("USE one")) == .result(.setKeyspace("one")))
                let text = "INSERT INTO t (p, v) VALUES (?, 'v')"
                guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(text)) else {
                    Issue.record("not prepared")
                    return
                }
                for key in 0..<50 {
                    let values = QueryValues.positional([.value(ByteBuffer(string: "\(key)"))])
                    let parameters = QueryParameters(consistency: .one, values: values)
                    let answer = try await client.ask(.execute(Execute(id: prepared.id, parameters: parameters)))
                    #expect(answer == .result(.void))
                }
                left = try harness.folder.copy()
            }
            let killed = try #require(left)
            harness.target.setFaults([])
            try await harness.sidecar(.dualWriteAsync, in: killed) { proxy, _ in try await harness.settled(proxy) }
            let rows = try await harness.rows(.target)
            #expect(rows.count == 50)
            #expect(try await harness.rows(.source) == rows)
        }
    }

    @Test func `a write without an answer when the sidecar is killed ends on both clusters`() async throws {
        try await JournalHarness.run { harness in
            // The source does what it is told and says nothing.
            harness.source.setFaults([FaultRule(.textContains("INSERT"), .dropAnswer)])
            var left: TemporaryFolder?
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.drainMilliseconds = 100
            } _: { proxy, client in
                async let answer = client.ask(Self.insert(1))
                try await eventually { try await harness.rows(.source).count == 1 }
                left = try harness.folder.copy()
                await client.close()
                _ = try? await answer
            }
            let killed = try #require(left)
            harness.source.setFaults([])
            try await harness.sidecar(.dualWriteAsync, in: killed) { proxy, _ in try await harness.settled(proxy) }
            let rows = try await harness.rows(.target)
            #expect(rows.count == 1)
            #expect(try await harness.rows(.source) == rows)
        }
    }

    @Test func `a backlog beyond memory is delivered in order, fences included`() async throws {
        try await JournalHarness.run { harness in
            harness.target.setFaults(Self.frozen)
            try await harness.sidecar(.dualWriteAsync) {
                $0.limits.shadowQueueWritesMax = 10
                $0.timeouts.shadowWriteMilliseconds = 50
            } _: { proxy, client in
                try await Self.insert(0..<200, client)
                #expect(try await client.ask(query("TRUNCATE one.t")) == .result(.void))
                try await Self.insert(200..<400, client)
                let leg = try #require(await proxy.status().leg(.target))
                #expect(leg.isBehind && leg.shadowWritesQueued == 401)
                harness.target.setFaults([])
                try await harness.settled(proxy)
                let status = await proxy.status()
                #expect(status.leg(.target)?.isBehind == false)
                #expect(status.counters.target.shadowDead == 0)
            }
            let rows = try await harness.rows(.target)
            #expect(rows.count == 200)
            #expect(try await harness.rows(.source) == rows)
        }
    }

    @Test func `a write that the shadow refuses for good is a dead letter and holds nobody up`() async throws {
        try await JournalHarness.run { harness in
            try await harness.client(of: .source) { client in
                _ = try await client.ask(query("CREATE TABLE one.only (p text PRIMARY KEY, v text)"))
            }
            try await harness.sidecar(.dualWriteAsync) { proxy, client in
                for key in 0..<20 {
                    let table = key % 2 == 0 ? "one.t" : "one.only"
                    #expect(try await client.ask(Self.insert(key, into: table)) == .result(.void))
                }
                try await harness.settled(proxy)
                #expect(await proxy.status().leg(.target)?.deadLetters == 10)
                await #expect(throws: DualWriterError.self) {
                    try await proxy.setMode(.dualWriteSync)
                    try await proxy.setMode(.shadowPrimary)
                }
            }
            #expect(try await harness.rows(.target).count == 10)
            // They outlive the sidecar, and reach the target once it can take them.
            try await harness.client(of: .target) { client in
                _ = try await client.ask(query("CREATE TABLE one.only (p text PRIMARY KEY, v text)"))
            }
            try await harness.sidecar(.dualWriteAsync) { proxy, _ in
                let letters = proxy.deadLetters(max: 100)
                #expect(letters.count == 10)
                #expect(letters.first?.statements.first?.contains("one.only") == true)
                #expect(letters.first?.reason.isEmpty == false)
                let retried = try await proxy.retryDeadLetters(of: .target, ids: nil)
                #expect(retried == 10)
                try await harness.settled(proxy)
                #expect(proxy.deadLetters(max: 100).isEmpty)
            }
            for cluster in Cluster.allCases {
                let count = try await harness.client(of: cluster) { client in
                    try await client.ask(query("SELECT p FROM one.only")).firstColumn.count
                }
                #expect(count == 10)
            }
        }
    }

    @Test func `a full journal puts partitions into doubt and lets the application go on`() async throws {
        try await JournalHarness.run { harness in
            harness.target.setFaults(Self.frozen)
            var journal = ShadowStore.Configuration.small
            journal.bytesMax = 2 * journal.segmentBytes
            try await harness.sidecar(.dualWriteAsync, journal: journal) {
                $0.timeouts.shadowWriteMilliseconds = 50
                $0.timeouts.drainMilliseconds = 100
                $0.limits.shadowQueueWritesMax = 10
            } _: { proxy, client in
                try await Self.insert(0..<2_000, client)
                let leg = try #require(await proxy.status().leg(.target))
                #expect(leg.dirtyWithLoss > 0 && leg.dirtyWithLoss + leg.shadowWritesQueued == 2_000)
                harness.target.setFaults([])
                try await harness.settled(proxy)
                let delivered = 2_000 - leg.dirtyWithLoss
                #expect(try await harness.rows(.target).count == delivered)
                let dirty = Set(proxy.dirtyPartitions(max: 10_000).compactMap(\.place.key))
                #expect(dirty.count == leg.dirtyWithLoss)
                let arrived = try await harness.rows(.target, "p").compactMap {
                    $0[0].map { Array($0.readableBytesView) }
                }
                #expect(dirty.isDisjoint(with: arrived))
            }
        }
    }

    @Test func `a full journal refuses writes before the primary has them, where that is wanted`() async throws {
        try await JournalHarness.run { harness in
            harness.target.setFaults(Self.frozen)
            var journal = ShadowStore.Configuration.small
            journal.bytesMax = 2 * journal.segmentBytes
            try await harness.sidecar(.dualWriteAsync, journal: journal) {
                $0.policy.journalFull = .refuse
                $0.timeouts.shadowWriteMilliseconds = 50
                $0.timeouts.drainMilliseconds = 100
            } _: { proxy, client in
                var refused = 0
                for key in 0..<2_000 {
                    guard case .error(let error) = try await client.ask(Self.insert(key)) else { continue }
                    #expect(error.code == .overloaded)
                    refused += 1
                }
                #expect(refused > 0)
                #expect(try await harness.rows(.source).count == 2_000 - refused)
                harness.target.setFaults([])
                try await harness.settled(proxy)
                #expect(await proxy.status().leg(.target)?.dirtyPartitions == 0)
            }
            let rows = try await harness.rows(.source)
            #expect(try await harness.rows(.target) == rows)
        }
    }

    @Test func `timestamps go on where an earlier process was, whatever the clock says`() async throws {
        try await JournalHarness.run { harness in
            try await harness.sidecar(.primaryOnly) { _, client in try await Self.insert(0..<1, client) }
            func written(_ key: Int) async throws -> Int64 {
                let text = "SELECT writetime(v) FROM one.t WHERE p = '\(key)'"
                return try await harness.client(of: .source) { client in
                    guard case .result(.rows(let rows)) = try await client.ask(query(text)) else { return 0 }
                    return rows.first?.cells[0]?.getInteger(at: 0) ?? 0
                }
            }
            // As if the clock had been an hour ahead then: the numbers of each loop lie in one file.
            var ahead = try await written(0) + 3_600_000_000
            try harness.folder.overwrite("HIGHEST", with: withUnsafeBytes(of: &ahead) { Array($0) })
            try await harness.sidecar(.primaryOnly) { _, client in try await Self.insert(1..<3, client) }
            let (first, second) = (try await written(1), try await written(2))
            #expect(first == ahead + 1 && second == ahead + 2)
        }
    }

    @Test func `a late copy lives no longer than what it is a copy of`() async throws {
        try await JournalHarness.run { harness in
            harness.target.setFaults(Self.frozen)
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.shadowWriteMilliseconds = 50
            } _: { proxy, client in
                let insert = query("INSERT INTO one.t (p, v) VALUES ('long', 'v') USING TTL 1000")
                #expect(try await client.ask(insert) == .result(.void))
                let brief = query("INSERT INTO one.t (p, v) VALUES ('brief', 'v') USING TTL 1")
                #expect(try await client.ask(brief) == .result(.void))
                try await eventually { try await harness.rows(.source).count == 1 }
                try await eventually { await (proxy.status().leg(.target)?.shadowOldestMilliseconds ?? 0) > 3_000 }
                harness.target.setFaults([])
                try await harness.settled(proxy)
                let lives = try await harness.client(of: .target) { client in
                    guard case .result(.rows(let rows)) = try await client.ask(query("SELECT ttl(v) FROM one.t")) else {
                        return [Int32]()
                    }
                    return rows.compactMap { $0.cells[0]?.getInteger(at: 0) }
                }
                #expect(lives.contains { (990...997).contains($0) }, "\(lives)")
                try await eventually { try await harness.rows(.target).count == 1 }
            }
        }
    }
}
