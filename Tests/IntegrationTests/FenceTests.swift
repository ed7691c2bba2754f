import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import Testing

/// Statements that act on what is there when they run must not overtake, nor be overtaken by, what the shadow is owed.
@Suite(.serialized, .timeLimit(.minutes(10)))
struct FenceTests {
    private static func insert(_ keys: Range<Int>, _ client: TestClient) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for key in keys {
                group.addTask {
                    let answer = try await client.ask(query("INSERT INTO one.t (p, v) VALUES ('\(key)', 'v')"))
                    #expect(answer == .result(.void))
                }
            }
            try await group.waitForAll()
        }
    }

    /// The target's inserts take long.
    private static func slowDown(_ harness: SidecarHarness) {
        harness.target.setFaults([FaultRule(.textContains("INSERT"), .delay(.milliseconds(100)))])
    }

    @Test(arguments: ["ALTER TABLE one.t DROP v", "DROP TABLE one.t", "TRUNCATE one.t"])
    func `what was acknowledged before a schema change reaches the shadow before it`(statement: String) async throws {
        try await SidecarHarness.run(mode: .dualWriteAsync) {
            $0.limits.shadowInFlightMax = 10
        } _: { harness in
            let client = try await harness.client()
            try await client.makeTables(in: "one")
            Self.slowDown(harness)
            try await Self.insert(0..<100, client)
            guard case .result = try await client.ask(query(statement)) else {
                Issue.record("\(statement) fails")
                return
            }
            try await eventually { await harness.proxy.status().legs.last?.shadowWritesQueued == 0 }
            let counters = await harness.proxy.status().counters.target
            #expect(counters.shadowDead == 0 && counters.shadowDelivered == 103)
            let (source, target) = (
                try await harness.ask(.source, "SELECT p FROM one.t"),
                try await harness.ask(.target, "SELECT p FROM one.t")
            )
            #expect(Set(source.firstColumn) == Set(target.firstColumn))
        }
    }

    @Test func `a client does not wait longer for the shadow's turn than it would for an answer`() async throws {
        try await SidecarHarness.run(mode: .dualWriteAsync) {
            $0.limits.shadowInFlightMax = 1
        } _: { harness in
            let client = try await harness.client()
            try await client.makeTables(in: "one")
            Self.slowDown(harness)
            try await Self.insert(0..<90, client)
            harness.proxy.wait { $0.primaryWriteMilliseconds = 300 }
            guard case .result(.schemaChange) = try await client.ask(query("ALTER TABLE one.t ADD w text")) else {
                Issue.record("the answer of the primary is withheld")
                return
            }
            #expect((await harness.proxy.status().legs.last?.shadowWritesQueued ?? 0) > 0)
            try await eventually {
                try await harness.ask(.target, "SELECT w FROM one.t").firstColumn.count == 90
            }
        }
    }

    @Test func `a write that waits for both waits for an owed TRUNCATE, too`() async throws {
        try await SidecarHarness.run(mode: .dualWriteAsync) {
            $0.limits.shadowInFlightMax = 5
        } _: { harness in
            let client = try await harness.client()
            try await client.makeTables(in: "one")
            Self.slowDown(harness)
            try await Self.insert(0..<20, client)
            #expect(try await client.ask(query("TRUNCATE one.t")) == .result(.void))
            _ = try await harness.proxy.setMode(.dualWriteSync)
            try await Self.insert(100..<101, client)
            #expect(await harness.proxy.status().legs.last?.shadowWritesQueued == 0)
            for cluster in Cluster.allCases {
                #expect(try await harness.ask(cluster, "SELECT p FROM one.t").firstColumn == ["100"], "\(cluster)")
            }
        }
    }

    @Test func `a write that waits behind a fence is copied, too, where nobody knows what the primary did`()
        async throws
    {
        try await SidecarHarness.run(mode: .dualWriteAsync) {
            $0.limits.shadowInFlightMax = 2
        } _: { harness in
            let client = try await harness.client()
            try await client.makeTables(in: "one")
            Self.slowDown(harness)
            try await Self.insert(0..<20, client)
            #expect(try await client.ask(query("TRUNCATE one.t")) == .result(.void))
            _ = try await harness.proxy.setMode(.dualWriteSync)
            harness.source.setFaults([FaultRule(.textContains("'lost'"), .dropAnswer)])
            harness.proxy.wait { $0.primaryWriteMilliseconds = 300 }
            let answer = try await client.ask(query("INSERT INTO one.t (p, v) VALUES ('lost', 'v')"))
            guard case .error(let error) = answer, error.code == .writeTimeout else {
                Issue.record("\(answer)")
                return
            }
            for cluster in Cluster.allCases {
                try await eventually { try await harness.ask(cluster, "SELECT p FROM one.t").firstColumn == ["lost"] }
            }
        }
    }

    @Test(arguments: [WriteMode.dualWriteAsync, .dualWriteSync]) func `list operations keep their order on the shadow`(
        last: WriteMode
    ) async throws {
        try await SidecarHarness.run(mode: .dualWriteAsync) { harness in
            let client = try await harness.client()
            try await client.makeTables(in: "one")
            _ = try await client.ask(query("CREATE TABLE one.l (p text PRIMARY KEY, v list<int>)"))
            // The later ones overtake the earlier ones where they are sent at once.
            harness.target.setFaults([
                FaultRule(.all([.textContains("UPDATE"), .probability(0.5)]), .delay(.milliseconds(10)))
            ])
            for number in 0..<60 {
                if number == 30, last != .dualWriteAsync { _ = try await harness.proxy.setMode(last) }
                let append = query("UPDATE one.l SET v = v + [\(number)] WHERE p = 'k'")
                #expect(try await client.ask(append) == .result(.void))
            }
            try await eventually { await harness.proxy.status().legs.last?.shadowWritesQueued == 0 }
            let (source, target) = (
                try await harness.ask(.source, "SELECT v FROM one.l"),
                try await harness.ask(.target, "SELECT v FROM one.l")
            )
            #expect(source.firstColumn.first?.utf8.count == 4 + 60 * 8 && source == target)
        }
    }
}
