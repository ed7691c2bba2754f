import CQLProtocol
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import TestSupport
import Testing

/// Tables with modes of their own, between two nodes.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct TableOverrideTests {
    private static let tables = ["t", "canary", "held", "\"Quoted\""]

    private static let schema =
        ["CREATE KEYSPACE one WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"]
        + Self.tables.map { "CREATE TABLE one.\($0) (p text PRIMARY KEY, v text)" }
        + ["CREATE TABLE one.hits (p text PRIMARY KEY, c counter)"]

    private static func overrides(_ texts: String...) throws -> ModeOverrides {
        try ModeOverrides(try texts.map { try ModeOverride(parsing: $0) })
    }

    private static func insert(_ table: String, _ key: String) -> String {
        "INSERT INTO one.\(table) (p, v) VALUES ('\(key)', '\(key)')"
    }

    private static func rows(_ harness: SidecarHarness, _ cluster: Cluster, _ table: String) async throws -> [String] {
        try await harness.ask(cluster, "SELECT p FROM one.\(table)").firstColumn.sorted()
    }

    private static func settle(_ harness: SidecarHarness) async throws {
        try await eventually { await harness.proxy.status().legs.allSatisfy { $0.shadowWritesQueued == 0 } }
    }

    @Test func `a canary is read from the target while the rest is read from the source`() async throws {
        let overrides = try Self.overrides(
            "one.canary=ShadowPrimary",
            "one.held=PrimaryOnly",
            "one.\"Quoted\"=TargetOnly"
        )
        try await SidecarHarness.run(mode: .dualWriteAsync, schema: Self.schema) {
            $0.overrides = overrides
        } _: {
            harness in
            for (cluster, name) in [(Cluster.source, "source"), (.target, "target")] {
                for table in Self.tables {
                    _ = try await harness.ask(cluster, "INSERT INTO one.\(table) (p, v) VALUES ('who', '\(name)')")
                }
            }
            let client = try await harness.client()
            let places = ["t": "source", "canary": "target", "held": "source", "\"Quoted\"": "target"]
            for (table, place) in places {
                let text = "SELECT v FROM one.\(table) WHERE p = 'who'"
                #expect(try await client.ask(query(text)).firstColumn == [place], "\(table)")
                let prepared = try await prepare(client, "SELECT v FROM one.\(table) WHERE p = ?")
                #expect(try await client.ask(execute(prepared, "who")).firstColumn == [place], "\(table)")
            }
            for table in Self.tables {
                #expect(try await client.ask(query(Self.insert(table, "new"))) == .result(.void))
                let prepared = try await prepare(client, "INSERT INTO one.\(table) (p, v) VALUES (?, 'x')")
                #expect(try await client.ask(execute(prepared, "made")) == .result(.void))
            }
            try await Self.settle(harness)
            let (all, old) = (["made", "new", "who"], ["who"])
            for (table, source, target) in [
                ("t", all, all), ("canary", all, all), ("held", all, old), ("\"Quoted\"", old, all),
            ] {
                #expect(try await Self.rows(harness, .source, table) == source, "\(table)")
                #expect(try await Self.rows(harness, .target, table) == target, "\(table)")
            }
            let times = try await harness.ask(.source, "SELECT writetime(v) FROM one.canary WHERE p = 'new'")
            #expect(try await harness.ask(.target, "SELECT writetime(v) FROM one.canary WHERE p = 'new'") == times)
            #expect(await harness.proxy.status().legs.allSatisfy { $0.dirtyPartitions == 0 })
        }
    }

    @Test func `a keyspace in use and reads that go ahead of the writes`() async throws {
        let overrides = try Self.overrides("one.canary=ReadsFirst")
        try await SidecarHarness.run(mode: .primaryOnly, schema: Self.schema) {
            $0.overrides = overrides
        } _: { harness in
            let client = try await harness.client()
            _ = try await client.ask(query("USE one"))
            _ = try await harness.ask(.target, "INSERT INTO one.canary (p, v) VALUES ('who', 'target')")
            #expect(try await client.ask(query("SELECT v FROM canary")).firstColumn == ["target"])
            #expect(try await client.ask(query("INSERT INTO canary (p, v) VALUES ('k', 'v')")) == .result(.void))
            // The client has waited for both.
            #expect(try await Self.rows(harness, .source, "canary") == ["k"])
            #expect(try await Self.rows(harness, .target, "canary") == ["k", "who"])
            #expect(try await client.ask(query("INSERT INTO t (p, v) VALUES ('k', 'v')")) == .result(.void))
            #expect(try await Self.rows(harness, .target, "t").isEmpty)
        }
    }

    @Test(arguments: [WriteMode.dualWriteAsync, .dualWriteSync])
    func `of a batch the shadow gets what its tables have it for`(mode: WriteMode) async throws {
        let overrides = try Self.overrides("one.held=PrimaryOnly", "one.canary=ShadowPrimary")
        try await SidecarHarness.run(mode: mode, schema: Self.schema) {
            $0.overrides = overrides
        } _: { harness in
            let client = try await harness.client()
            let text = "BEGIN BATCH \(Self.insert("held", "text")); \(Self.insert("t", "text")) APPLY BATCH"
            #expect(try await client.ask(query(text)) == .result(.void))
            let ids = [
                try await prepare(client, "INSERT INTO one.held (p, v) VALUES (?, 'x')"),
                try await prepare(client, "INSERT INTO one.t (p, v) VALUES (?, 'x')"),
            ]
            let whole = try await prepare(
                client,
                "BEGIN BATCH INSERT INTO one.t (p, v) VALUES (?, 'x') INSERT INTO one.held (p, v) VALUES (?, 'x') APPLY BATCH"
            )
            #expect(try await client.ask(execute(whole, "whole", "whole")) == .result(.void))
            func children(_ ids: [ByteBuffer], _ key: String) -> [Batch.Child] {
                ids.map { .init(.prepared(id: $0), values: [.value(ByteBuffer(string: key))]) }
            }
            var batch = Batch(
                children: children(ids, "prepared") + [.init(.text(Self.insert("held", "mixed")), values: [])]
            )
            #expect(try await client.ask(.batch(batch)) == .result(.void))
            batch = Batch(children: children([ids[0]], "alone"))
            #expect(try await client.ask(.batch(batch)) == .result(.void))
            try await Self.settle(harness)
            #expect(try await Self.rows(harness, .source, "held") == ["alone", "mixed", "prepared", "text", "whole"])
            #expect(try await Self.rows(harness, .target, "held").isEmpty)
            #expect(try await Self.rows(harness, .source, "t") == ["prepared", "text", "whole"])
            #expect(try await Self.rows(harness, .target, "t") == ["prepared", "text", "whole"])

            let canary = try await prepare(client, "INSERT INTO one.canary (p, v) VALUES (?, 'x')")
            let both = try await prepare(
                client,
                "BEGIN BATCH INSERT INTO one.t (p, v) VALUES (?, 'x') INSERT INTO one.canary (p, v) VALUES (?, 'x') APPLY BATCH"
            )
            let refused: [Request] = [
                query("BEGIN BATCH \(Self.insert("t", "no")); \(Self.insert("canary", "no")) APPLY BATCH"),
                .batch(Batch(children: children([ids[1], canary], "no"))), execute(both, "no", "no"),
            ]
            for request in refused {
                guard case .error(let error) = try await client.ask(request) else {
                    Issue.record("a batch over two primaries was taken")
                    continue
                }
                #expect(error.code == .invalid)
                #expect(error.message.contains("one.canary is in ShadowPrimary, where the target answers"))
                #expect(error.message.contains("one.t is in \(mode), where the source answers"))
            }
            try await Self.settle(harness)
            for cluster in Cluster.allCases {
                #expect(try await Self.rows(harness, cluster, "canary").isEmpty)
                #expect(try await Self.rows(harness, cluster, "t").count == 3)
            }
            #expect(await harness.proxy.status().legs.allSatisfy { $0.dirtyPartitions == 0 })
        }
    }

    @Test func `conditions, counters and TRUNCATE go by their table`() async throws {
        let overrides = try Self.overrides("one.canary=ShadowPrimary", "one.held=PrimaryOnly", "one.hits=DualWriteSync")
        try await SidecarHarness.run(mode: .dualWriteAsync, schema: Self.schema) {
            $0.overrides = overrides
        } _: {
            harness in
            let client = try await harness.client()
            for cluster in Cluster.allCases {
                _ = try await harness.ask(cluster, Self.insert("held", "there"))
            }
            _ = try await harness.ask(.target, Self.insert("canary", "there"))
            // What is there on the target alone stands against the condition.
            let condition = try await client.ask(query(Self.insert("canary", "there") + " IF NOT EXISTS"))
            #expect(condition.isApplied == false)
            #expect(try await client.ask(query(Self.insert("canary", "new") + " IF NOT EXISTS")).isApplied == true)
            #expect(try await client.ask(query(Self.insert("held", "new") + " IF NOT EXISTS")).isApplied == true)
            try await Self.settle(harness)
            #expect(try await Self.rows(harness, .source, "canary") == ["new"])
            #expect(try await Self.rows(harness, .target, "held") == ["there"])

            for _ in 0..<3 {
                let count = query("UPDATE one.hits SET c = c + 1 WHERE p = 'k'")
                #expect(try await client.ask(count) == .result(.void))
            }
            for cluster in Cluster.allCases {
                guard case .result(.rows(let rows)) = try await harness.ask(cluster, "SELECT c FROM one.hits") else {
                    Issue.record("no counter")
                    return
                }
                #expect(rows.first?.cells.first??.getInteger(at: 0, as: Int64.self) == 3)
            }
            #expect(try await client.ask(query("TRUNCATE one.held")) == .result(.void))
            #expect(try await client.ask(query("TRUNCATE one.canary")) == .result(.void))
            try await Self.settle(harness)
            #expect(try await Self.rows(harness, .source, "held").isEmpty)
            #expect(try await Self.rows(harness, .target, "held") == ["there"])
            #expect(try await Self.rows(harness, .source, "canary").isEmpty)
            #expect(try await Self.rows(harness, .target, "canary").isEmpty)
        }
    }

    @Test func `what a cluster is owed of some tables is not overtaken by others`() async throws {
        let overrides = try Self.overrides("one.canary=ShadowPrimary")
        try await SidecarHarness.run(mode: .dualWriteAsync, schema: Self.schema) {
            $0.overrides = overrides
        } _: {
            harness in
            let client = try await harness.client()
            // The source is the shadow of one table, away for its copies, and the primary of the other.
            harness.source.setFaults([FaultRule(.textContains("canary"), .drop)])
            harness.proxy.wait { $0.shadowWriteMilliseconds = 200 }
            #expect(try await client.ask(query(Self.insert("canary", "k"))) == .result(.void))
            #expect(try await client.ask(query("TRUNCATE one.canary")) == .result(.void))
            #expect(try await client.ask(query(Self.insert("t", "k"))) == .result(.void))
            #expect(try await client.ask(query("TRUNCATE one.t")) == .result(.void))
            #expect(await harness.proxy.status().leg(.source)?.dirtyPartitions == 0)
            harness.source.setFaults([])
            harness.proxy.wait()
            try await Self.settle(harness)
            for cluster in Cluster.allCases { #expect(try await Self.rows(harness, cluster, "t").isEmpty) }
        }
    }

    @Test func `reads of tables with a shadow are compared, and of others not`() async throws {
        let overrides = try Self.overrides("one.canary=ShadowPrimary", "one.held=DualWriteAsync")
        try await SidecarHarness.run(mode: .primaryOnly, schema: Self.schema) {
            $0.overrides = overrides
            $0.comparison.percentage = 100
            $0.comparison.settleMilliseconds = 20
        } _: { harness in
            let client = try await harness.client()
            for (cluster, value) in [(Cluster.source, "a"), (.target, "b")] {
                for table in ["t", "canary", "held"] {
                    _ = try await harness.ask(cluster, "INSERT INTO one.\(table) (p, v) VALUES ('k', '\(value)')")
                }
            }
            for table in ["held", "canary"] {
                try await eventually {
                    _ = try await client.ask(query("SELECT v FROM one.\(table) WHERE p = 'k'"))
                    return await harness.proxy.status().counters.comparison.mismatches(of: "one.\(table)") > 0
                }
            }
            for _ in 0..<5 { _ = try await client.ask(query("SELECT v FROM one.t WHERE p = 'k'")) }
            #expect(await harness.proxy.status().counters.comparison.tables["one.t"] == nil)
            let legs = await harness.proxy.status().legs
            #expect(legs.allSatisfy { $0.dirtyByReason[.comparison] == 1 }, "\(legs.map(\.dirtyByReason))")
        }
    }

    /// A replica that may have been passed over acts where nothing can be lost by it, and nowhere else.
    @Test(arguments: [WriteMode.dualWriteSync, .primaryOnly])
    func `what may be acted for in part are the tables that are written to both clusters`(mode: WriteMode) async throws
    {
        let overrides = try Self.overrides("one.held=PrimaryOnly", "one.canary=DualWriteSync")
        try await SidecarHarness.run(mode: mode, schema: Self.schema) {
            $0.overrides = overrides
        } _: { harness in
            let client = try await harness.client()
            let prepared = try await prepare(client, "INSERT INTO one.held (p, v) VALUES (?, 'x')")
            func refuses(_ request: Request) async throws -> Bool {
                guard case .error(let error) = try await client.ask(request) else { return false }
                return error.code == .overloaded
            }
            func isWritten(_ request: Request) async throws -> Bool { try await client.ask(request) == .result(.void) }
            // The target of a table counts before the sidecar's mode needs it; the loop hears of each change in its turn.
            try await eventually { await harness.proxy.status().legs.allSatisfy(\.isConnected) }
            harness.proxy.mayAct(until: .now())
            try await eventually { try await refuses(query(Self.insert("t", "early"))) }
            #expect(try await refuses(query(Self.insert("canary", "early"))))
            harness.proxy.mayAct(until: .distantFuture, inPart: true)
            try await eventually { try await isWritten(query(Self.insert("canary", "k"))) }
            #expect(try await client.ask(query("SELECT p FROM one.canary")).firstColumn == ["k"])
            for request in [
                query(Self.insert("held", "k")), query("SELECT p FROM one.held"), execute(prepared, "k"),
                // Of the batch one table has no shadow.
                query("BEGIN BATCH \(Self.insert("held", "b")); \(Self.insert("canary", "b")) APPLY BATCH"),
            ] {
                #expect(try await refuses(request))
            }
            #expect(try await refuses(query(Self.insert("t", "k"))) == (mode == .primaryOnly))
            #expect(await harness.proxy.status().isLapsed == (mode == .primaryOnly))
            #expect(try await Self.rows(harness, .source, "held").isEmpty)
            harness.proxy.mayAct(until: .distantFuture)
            try await eventually { try await isWritten(execute(prepared, "k")) }
        }
    }

    // MARK: Changes

    @Test func `a change goes one step, needs its clusters and is made on all loops`() async throws {
        try await SidecarHarness.run(mode: .dualWriteAsync, schema: Self.schema) {
            $0.loops = 3
        } _: { harness in
            let canary = try Self.overrides("one.canary=ShadowPrimary")
            let error = await #expect(throws: DualWriterError.self) { try await harness.proxy.setOverrides(canary) }
            #expect(error?.code == .transition)
            #expect(harness.proxy.modes.overrides.isEmpty)
            var epoch = harness.proxy.mode.epoch
            for text in ["one.canary=DualWriteSync", "one.canary=ShadowPrimary", "one.canary=TargetOnly"] {
                #expect(try await harness.proxy.setOverrides(try Self.overrides(text)) == epoch + 1)
                epoch += 1
            }
            _ = try await harness.ask(.target, Self.insert("canary", "there"))
            // Clients are spread over the loops.
            for _ in 0..<6 {
                let client = try await harness.client()
                #expect(try await client.ask(query("SELECT p FROM one.canary")).firstColumn == ["there"])
                await client.close()
            }
            let removal = await #expect(throws: DualWriterError.self) { try await harness.proxy.setOverrides(.none) }
            #expect(removal?.code == .transition)
            try await harness.proxy.setOverrides(.none, force: true, reason: "a test")
            let client = try await harness.client()
            #expect(try await client.ask(query("SELECT p FROM one.canary")).firstColumn.isEmpty)
            #expect(harness.proxy.mode.mode == .dualWriteAsync)
        }
    }

    @Test func `the sidecar's own steps do not touch a table with a mode of its own`() async throws {
        try await SidecarHarness.run(mode: .primaryOnly, schema: Self.schema) {
            $0.overrides = (try? Self.overrides("one.held=PrimaryOnly", "one.canary=TargetOnly")) ?? .none
        } _: { harness in
            let client = try await harness.client()
            var prepared: [String: ByteBuffer] = [:]
            for table in ["t", "held", "canary"] {
                prepared[table] = try await prepare(client, "INSERT INTO one.\(table) (p, v) VALUES (?, 'x')")
            }
            for mode in WriteMode.allCases {
                try await harness.proxy.setMode(mode)
                for (_, id) in prepared {
                    #expect(try await client.ask(execute(id, mode.name)) == .result(.void))
                }
            }
            try await Self.settle(harness)
            let all = WriteMode.allCases.map(\.name).sorted()
            #expect(try await Self.rows(harness, .source, "held") == all)
            #expect(try await Self.rows(harness, .target, "held").isEmpty)
            #expect(try await Self.rows(harness, .source, "canary").isEmpty)
            #expect(try await Self.rows(harness, .target, "canary") == all)
            #expect(try await Self.rows(harness, .source, "t") == all.filter { $0 != "TargetOnly" })
            #expect(try await Self.rows(harness, .target, "t") == all.filter { $0 != "PrimaryOnly" })
        }
    }

    @Test func `a target that is away or owed something does not answer for a table`() async throws {
        try await SidecarHarness.run(mode: .dualWriteAsync, schema: Self.schema) {
            $0.overrides = (try? Self.overrides("one.canary=DualWriteSync")) ?? .none
        } _: { harness in
            let client = try await harness.client()
            harness.target.setFaults([FaultRule(.textContains("INSERT"), .drop)])
            harness.proxy.wait { $0.shadowWriteMilliseconds = 200 }
            #expect(try await client.ask(query(Self.insert("t", "k"))) == .result(.void))
            let ahead = try Self.overrides("one.canary=ShadowPrimary")
            let owed = await #expect(throws: DualWriterError.self) { try await harness.proxy.setOverrides(ahead) }
            #expect(owed?.code == .writesOwed)
            #expect(harness.proxy.modes.overrides.list.map(\.stage) == [.dualWriteSync])
            harness.target.setFaults([])
            try await Self.settle(harness)
            await harness.target.stop()
            try await eventually { await harness.proxy.status().leg(.target)?.isConnected == false }
            let away = await #expect(throws: DualWriterError.self) { try await harness.proxy.setOverrides(ahead) }
            #expect(away?.code == .clusterUnreachable)
            // Back from waiting for a target that is away: the other tables go on all the while.
            #expect(await harness.proxy.status().isReady)
            try await harness.proxy.setOverrides(try Self.overrides("one.canary=DualWriteAsync"))
            #expect(try await client.ask(query(Self.insert("canary", "k"))) == .result(.void))
        }
    }

    @Test func `a primary that is away fails its tables and no others`() async throws {
        let overrides = try Self.overrides("one.canary=ShadowPrimary")
        try await SidecarHarness.run(mode: .primaryOnly, schema: Self.schema) {
            $0.overrides = overrides
        } _: { harness in
            let client = try await harness.client()
            await harness.target.stop()
            try await eventually { await harness.proxy.status().leg(.target)?.isConnected == false }
            #expect(await !harness.proxy.status().isReady)
            harness.proxy.wait { ($0.primaryWriteMilliseconds, $0.readMilliseconds) = (300, 300) }
            guard case .error = try await client.ask(query("SELECT p FROM one.canary")) else {
                Issue.record("a table was read past its primary")
                return
            }
            #expect(try await client.ask(query(Self.insert("t", "k"))) == .result(.void))
            #expect(try await client.ask(query("SELECT p FROM one.t")).firstColumn == ["k"])
        }
    }

    @Test(arguments: [1, 2])
    func `tables walk to the target and back under traffic, and no write is lost on either side`(loops: Int)
        async throws
    {
        try await SidecarHarness.run(mode: .dualWriteAsync, schema: Self.schema) {
            $0.loops = loops
        } _: { harness in
            let load = Task { try await Traffic(harness: harness).run() }
            func wrote(_ count: Int) async throws {
                let before = await harness.proxy.status().counters.writes
                try await eventually { await harness.proxy.status().counters.writes > before + UInt64(count) }
            }
            for text in [
                "one.canary=DualWriteSync", "one.canary=ReadsFirst", "one.canary=ShadowPrimary",
                "one.canary=DualWriteSync",
                "one.canary=DualWriteAsync",
            ] {
                try await wrote(300)
                // Others write to the target all the time: that must not stand against it.
                try await harness.proxy.setOverrides(try Self.overrides(text))
            }
            try await wrote(300)
            try await harness.proxy.setOverrides(.none)
            load.cancel()
            let written = try await load.value
            try await Self.settle(harness)
            for table in ["t", "canary"] {
                let acknowledged = try #require(written[table])
                #expect(acknowledged.count > 100)
                for cluster in Cluster.allCases {
                    let rows = Set(try await Self.rows(harness, cluster, table))
                    #expect(
                        acknowledged.isSubset(of: rows),
                        "\(acknowledged.subtracting(rows).count) lost on \(cluster)"
                    )
                }
            }
            #expect(await harness.proxy.status().legs.allSatisfy { $0.dirtyPartitions == 0 })
        }
    }

    /// Clients that write to two tables and read what they have written.
    private struct Traffic: Sendable {
        let harness: SidecarHarness

        func run() async throws -> [String: Set<String>] {
            try await withThrowingTaskGroup(of: (String, Set<String>).self) { tasks in
                for (index, table) in ["t", "canary", "t", "canary"].enumerated() {
                    tasks.addTask { (table, try await self.write(to: table, "\(index)")) }
                }
                return try await tasks.reduce(into: [:]) { $0[$1.0, default: []].formUnion($1.1) }
            }
        }

        private func write(to table: String, _ prefix: String) async throws -> Set<String> {
            let client = try await self.harness.client()
            let insert = try await prepare(client, "INSERT INTO one.\(table) (p, v) VALUES (?, 'x')")
            let select = try await prepare(client, "SELECT p FROM one.\(table) WHERE p = ?")
            var acknowledged: Set<String> = []
            while !Task.isCancelled {
                let key = "\(prefix)-\(acknowledged.count)"
                #expect(try await client.ask(execute(insert, key)) == .result(.void))
                acknowledged.insert(key)
                // Whoever answers has what was acknowledged.
                #expect(try await client.ask(execute(select, key)).firstColumn == [key], "\(table) \(key)")
            }
            await client.close()
            return acknowledged
        }
    }

    // MARK: After a kill

    @Test func `what a killed sidecar leaves behind is cut by the modes of the tables as well`() async throws {
        try await JournalHarness.run { harness in
            for cluster in Cluster.allCases {
                try await harness.client(of: cluster) { client in
                    _ = try await client.ask(query("CREATE TABLE one.held (p text PRIMARY KEY, v text)"))
                }
            }
            harness.target.setFaults([FaultRule(.textContains("INSERT"), .drop), FaultRule(.opcode(.batch), .drop)])
            let overrides = try Self.overrides("one.held=PrimaryOnly")
            var left: TemporaryFolder?
            try await harness.sidecar(.dualWriteAsync) {
                $0.overrides = overrides
                $0.timeouts.drainMilliseconds = 100
            } _: { _, client in
                let children = ["t", "held"].map { Batch.Child(.text(Self.insert($0, "batch")), values: []) }
                let text = "BEGIN BATCH \(Self.insert("held", "text")); \(Self.insert("t", "text")) APPLY BATCH"
                for request in [
                    query(Self.insert("held", "k")), query(Self.insert("t", "k")), query(text),
                    .batch(Batch(children: children)),
                ] {
                    #expect(try await client.ask(request) == .result(.void))
                }
                left = try harness.folder.copy()
            }
            let killed = try #require(left)
            harness.target.setFaults([])
            try await harness.sidecar(.dualWriteAsync, in: killed) {
                $0.overrides = overrides
            } _: { proxy, _ in
                try await harness.settled(proxy)
            }
            let rows = try await harness.rows(.source)
            #expect(try await harness.rows(.target) == rows && rows.count == 3)
            let held = try await harness.client(of: .target) { client in
                try await client.ask(query("SELECT p FROM one.held")).firstColumn
            }
            #expect(held == [])
        }
    }
}

/// The id of a prepared statement.
private func prepare(_ client: TestClient, _ text: String) async throws -> ByteBuffer {
    guard case .result(.prepared(let prepared)) = try await client.ask(.prepare(text)) else {
        throw TestClient.Closed()
    }
    return prepared.id
}

private func execute(_ id: ByteBuffer, _ values: String...) -> Request {
    var parameters = QueryParameters(consistency: .one)
    parameters.values = .positional(values.map { .value(ByteBuffer(string: $0)) })
    return .execute(Execute(id: id, parameters: parameters))
}

extension Response {
    /// Whether a condition held; nil for another answer.
    fileprivate var isApplied: Bool? {
        guard case .result(.rows(let rows)) = self, let cell = rows.first?.cells.first, let cell else { return nil }
        return cell.getInteger(at: cell.readerIndex, as: UInt8.self).map { $0 == 1 }
    }
}

extension DualWriterCounters {
    fileprivate var writes: UInt64 { self.source.writesSucceeded }
}

extension ComparisonCounters {
    fileprivate func mismatches(of table: String) -> UInt64 { self.tables[table]?.reads[.mismatch] ?? 0 }
}
