import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import Testing

/// What an operator sees of the journal of a running sidecar, and what comes of what he does.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct JournalViewTests {
    private static let frozen = [FaultRule(.textContains("INSERT"), .drop)]

    private static func execute(_ client: TestClient, _ text: String, _ values: [String]) async throws {
        guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(text)) else {
            Issue.record("not prepared")
            return
        }
        let values = QueryValues.positional(values.map { .value(ByteBuffer(string: $0)) })
        let parameters = QueryParameters(consistency: .one, values: values)
        #expect(
            try await client.ask(.execute(Execute(id: prepared.id, parameters: parameters))) == .result(.void)
        )
    }

    /// Writes of every form: 3 to `one.t`, 2 to `one.u`.
    private static func write(_ client: TestClient) async throws {
        for text in [
            "INSERT INTO one.t (p, v) VALUES ('1', 'v')", "INSERT INTO t (p, v) VALUES ('2', 'v')",
            "BEGIN BATCH INSERT INTO one.t (p, v) VALUES ('3', 'v'); INSERT INTO u (p, v) VALUES ('1', 'v'); APPLY BATCH",
        ] {
            #expect(try await client.ask(query(text)) == .result(.void))
        }
        try await Self.execute(client, "INSERT INTO u (p, v) VALUES (?, 'v')", ["2"])
    }

    private static func records(_ leg: DualWriterStatus.Leg) -> [String: Int] { leg.tables.mapValues(\.records) }

    @Test func `what is owed is told by table, prepared statements and batches included, and after a restart`()
        async throws
    {
        try await JournalHarness.run { harness in
            for cluster in Cluster.allCases {
                try await harness.client(of: cluster) { client in
                    _ = try await client.ask(query("CREATE TABLE one.u (p text PRIMARY KEY, v text)"))
                }
            }
            harness.target.setFaults(Self.frozen)
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.shadowWriteMilliseconds = 50
                $0.timeouts.drainMilliseconds = 100
            } _: { proxy, client in
                #expect(try await client.ask(query("USE one")) == .result(.setKeyspace("one")))
                try await Self.write(client)
                let leg = try #require(await proxy.status(lookingAtTables: true).leg(.target))
                #expect(Self.records(leg) == ["one.t": 3, "one.u": 2])
                #expect(leg.recordsLookedAt == 4 && leg.shadowWritesQueued == 4)
                #expect(leg.shadowBytesQueued > 0 && leg.journalDiskBytes >= leg.shadowBytesQueued)
                try await eventually {
                    await (proxy.status(lookingAtTables: true).leg(.target)?.tables["one.u"]?.oldestMilliseconds ?? 0)
                        > 20
                }
                #expect(await proxy.status().leg(.target)?.tables.isEmpty == true)
                try await eventually { await proxy.status().leg(.target)?.isBreakerOpen == true }
                #expect(await proxy.status().leg(.target)?.isHeldBack == true)
            }
            // Nobody has prepared anything in this process: the log itself defines what its records refer to.
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.shadowWriteMilliseconds = 50
            } _: { proxy, _ in
                let leg = try #require(await proxy.status(lookingAtTables: true).leg(.target))
                #expect(Self.records(leg) == ["one.t": 3, "one.u": 2])
                harness.target.setFaults([])
                try await harness.settled(proxy)
                let settled = try #require(await proxy.status(lookingAtTables: true).leg(.target))
                #expect(settled.tables.isEmpty && settled.recordsLookedAt == 0)
                try await eventually { await proxy.status().leg(.target)?.isBreakerOpen == false }
            }
        }
    }

    @Test func `a look at a large backlog is short and bounded`() async throws {
        try await JournalHarness.run { harness in
            harness.target.setFaults(Self.frozen)
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.shadowWriteMilliseconds = 50
                $0.timeouts.drainMilliseconds = 100
                $0.limits.shadowQueueWritesMax = 10
            } _: { proxy, client in
                try await withThrowingTaskGroup(of: Response.self) { tasks in
                    for key in 0..<2_000 {
                        let insert = query("INSERT INTO one.t (p, v) VALUES ('\(key)', 'v')")
                        tasks.addTask { try await client.ask(insert) }
                    }
                    for try await answer in tasks { #expect(answer == .result(.void)) }
                }
                let leg = try #require(await proxy.status(lookingAtTables: true).leg(.target))
                #expect(leg.shadowWritesQueued == 2_000)
                #expect((1...2_000).contains(leg.recordsLookedAt))
                #expect(Self.records(leg) == ["one.t": leg.recordsLookedAt])
            }
        }
    }

    @Test func `a dead letter is retried once its table is there, or discarded into doubt`() async throws {
        try await JournalHarness.run { harness in
            try await harness.client(of: .source) { client in
                _ = try await client.ask(query("CREATE TABLE one.only (p text PRIMARY KEY, v text)"))
            }
            try await harness.sidecar(.dualWriteAsync) { proxy, client in
                for key in 0..<3 {
                    let insert = query("INSERT INTO one.only (p, v) VALUES ('\(key)', 'v')")
                    #expect(try await client.ask(insert) == .result(.void))
                }
                try await harness.settled(proxy)
                let letters = proxy.deadLetters(max: 10, of: .target)
                #expect(letters.count == 3)
                #expect(letters.first?.statements == ["INSERT INTO one.only (p, v) VALUES ('0', 'v')"])
                #expect(proxy.deadLetters(max: 10, of: .source).isEmpty)
                #expect(proxy.deadLetterIDs(of: .target) == Set(letters.map(\.id)))

                let last = try #require(letters.last?.id)
                #expect(try await proxy.discardDeadLetters(of: .target, ids: [last]) == 1)
                #expect(proxy.dirtyPartitions(max: 10, on: .target).map(\.reason) == [.discarded])
                #expect(proxy.dirtyPartitions(max: 10, on: .source).isEmpty)
                #expect(await proxy.status().leg(.target)?.dirtyByReason == [.discarded: 1])

                try await harness.client(of: .target) { client in
                    _ = try await client.ask(query("CREATE TABLE one.only (p text PRIMARY KEY, v text)"))
                }
                #expect(try await proxy.retryDeadLetters(of: .target, ids: nil) == 2)
                try await harness.settled(proxy)
                #expect(await proxy.status().leg(.target)?.deadLetters == 0)
                let rows = try await harness.client(of: .target) { client in
                    try await client.ask(query("SELECT p FROM one.only")).firstColumn
                }
                #expect(Set(rows) == ["0", "1"])
                #expect(proxy.clearDirtyPartitions(of: .target, table: nil) == 1)
                let leg = try #require(await proxy.status().leg(.target))
                #expect(leg.dirtyPartitions == 0 && leg.dirtyWithLoss == 0)
            }
        }
    }

    @Test func `what is owed is told by partition, and of what nobody can tell for all of the table`() async throws {
        try await JournalHarness.run { harness in
            for cluster in Cluster.allCases {
                try await harness.client(of: cluster) { client in
                    _ = try await client.ask(query("CREATE TABLE one.u (p text PRIMARY KEY, v text)"))
                }
            }
            harness.target.setFaults(Self.frozen)
            let keys = ["1", "2", "3", "4"].map { Array($0.utf8) }
            func owed(_ table: String, _ proxy: DualWriterService) async -> Set<[UInt8]> {
                let answer = await proxy.owed(OwedPartitions(keyspace: "one", table: table, keys: Set(keys)))
                #expect(answer.isComplete)
                return answer.owed
            }
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.shadowWriteMilliseconds = 50
                $0.timeouts.drainMilliseconds = 100
            } _: { proxy, client in
                #expect(await owed("t", proxy).isEmpty)
                #expect(try await client.ask(query("USE one")) == .result(.setKeyspace("one")))
                try await Self.write(client)
                #expect(await owed("t", proxy) == Set(keys[..<3]))
                #expect(await owed("u", proxy) == Set(keys[..<2]))
                #expect(await owed("v", proxy).isEmpty)
            }
            // Nobody has prepared anything in this process: the log itself defines what its records refer to.
            try await harness.sidecar(.dualWriteAsync) {
                $0.timeouts.shadowWriteMilliseconds = 50
            } _: { proxy, client in
                #expect(await owed("u", proxy) == Set(keys[..<2]))
                harness.target.setFaults([])
                try await harness.settled(proxy)
                #expect(await owed("t", proxy).isEmpty)
                harness.target.setFaults([FaultRule(.textContains("TRUNCATE"), .drop)])
                #expect(try await client.ask(query("TRUNCATE one.t")) == .result(.void))
                #expect(await owed("t", proxy) == Set(keys))
                #expect(await owed("u", proxy).isEmpty)
                harness.target.setFaults([])
                try await harness.settled(proxy)
            }
        }
    }
}
