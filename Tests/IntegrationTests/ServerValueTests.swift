import CQLProtocol
import CQLSyntax
import DualWriteCore
import DualWriter
import EmbeddedNode
import NIOCore
import Synchronization
import Testing

/// Writes with `now()`, `uuid()` and their like: both clusters get the same values, and the client sees its own statement.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct ServerValueTests {
    private static let schema = [
        "CREATE KEYSPACE ks WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}",
        "CREATE TYPE ks.u (f timeuuid, n int)",
        "CREATE TABLE ks.t (k text PRIMARY KEY, a timeuuid, b uuid, c timestamp, d date, e time, l list<timeuuid>,"
            + " m map<text, timeuuid>, u frozen<u>, x tuple<int, uuid>, y blob, z bigint)",
        "CREATE TABLE ks.ids (k uuid PRIMARY KEY, v text)",
    ]

    private static let copying: [WriteMode] = [.dualWriteAsync, .dualWriteSync, .shadowPrimary]

    private static func text(_ value: String) -> BoundValue { .value(ByteBuffer(string: value)) }

    private static func prepare(
        _ text: String,
        _ client: TestClient,
        version: ProtocolVersion = .v4
    ) async throws -> Prepared {
        let answer = try await client.ask(.prepare(text), version: version)
        guard case .result(.prepared(let prepared)) = answer else {
            Issue.record("\(text): \(answer)")
            throw TestClient.Closed()
        }
        return prepared
    }

    private static func execute(_ prepared: Prepared, _ values: BoundValue...) -> Request {
        let values: QueryValues = values.isEmpty ? .none : .positional(values)
        return .execute(Execute(id: prepared.id, parameters: QueryParameters(consistency: .one, values: values)))
    }

    /// The rows of a table, as bytes.
    private static func rows(
        _ table: String,
        of cluster: Cluster,
        _ harness: SidecarHarness
    ) async throws -> Set<[ByteBuffer?]> {
        guard case .result(.rows(let rows)) = try await harness.ask(cluster, "SELECT * FROM \(table)") else {
            return []
        }
        return Set(rows.map(\.cells))
    }

    /// Waits until both clusters hold that many rows and expects them to be the same, no two cells of two calls among them.
    @discardableResult
    private static func expectSame(
        _ table: String = "ks.t",
        count: Int,
        _ harness: SidecarHarness,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Set<[ByteBuffer?]> {
        try await eventually {
            for cluster in Cluster.allCases where try await Self.rows(table, of: cluster, harness).count < count {
                return false
            }
            return await harness.proxy.status().legs.allSatisfy { $0.shadowWritesQueued == 0 }
        }
        let source = try await Self.rows(table, of: .source, harness)
        #expect(source == (try await Self.rows(table, of: .target, harness)), sourceLocation: sourceLocation)
        #expect(source.count == count, sourceLocation: sourceLocation)
        let ids = source.flatMap { $0 }.compactMap { $0 }.filter { $0.readableBytes == 16 }
        #expect(Set(ids).count == ids.count, "each call has a value of its own", sourceLocation: sourceLocation)
        return source
    }

    // MARK: QUERY

    @Test(arguments: copying) func `texts leave the same values on both clusters`(mode: WriteMode) async throws {
        let texts = [
            "INSERT INTO ks.t (k, a, b, c, d, e) VALUES"
                + " ('all', now(), uuid(), currentTimestamp(), currentDate(), currentTime())",
            "INSERT INTO ks.t (k, a, c) VALUES ('nested', currentTimeUUID(), toTimestamp(now())) USING TTL 1000",
            "UPDATE ks.t SET a = now(), l = [now(), now()] WHERE k = 'list'",
            "UPDATE ks.t SET l = l + [now()], m['one'] = now() WHERE k = 'added'",
            "INSERT INTO ks.t (k, m, u, x) VALUES ('built', {'one': now()}, {f: now(), n: 1}, (1, uuid()))",
            "INSERT INTO ks.t (k, y, z) VALUES ('wider', now(), currentTimestamp())",
            "BEGIN BATCH INSERT INTO ks.t (k, a) VALUES ('batch', now());"
                + " UPDATE ks.t SET b = uuid() WHERE k = 'batch' APPLY BATCH",
        ]
        try await SidecarHarness.run(mode: mode, schema: Self.schema) { harness in
            let client = try await harness.client()
            for text in texts { #expect(try await client.ask(query(text)) == .result(.void), "\(text)") }
            try await Self.expectSame(count: texts.count, harness)
            let answer = try await client.ask(query("INSERT INTO ks.ids (k, v) VALUES (uuid(), ?)", ["x"]))
            #expect(answer == .result(.void))
            try await Self.expectSame("ks.ids", count: 1, harness)
            let counters = await harness.proxy.status().counters
            #expect(counters.evaluatedCalls[.now] == 11)
            #expect(counters.evaluatedCalls[.uuid] == 4)
            #expect(counters.evaluatedCalls[.currentTimestamp] == 2)
            #expect(counters.evaluatedCalls[.currentTimeUUID] == 1)
            #expect(counters.notEvaluated == 0)
        }
    }

    @Test(arguments: [WriteMode.primaryOnly, .targetOnly])
    func `a mode without copies evaluates, too`(mode: WriteMode) async throws {
        try await SidecarHarness.run(mode: mode, schema: Self.schema) { harness in
            let client = try await harness.client()
            _ = try await client.ask(query("INSERT INTO ks.t (k, a) VALUES ('q', now())"))
            let insert = try await Self.prepare("INSERT INTO ks.t (k, a) VALUES (?, now())", client)
            #expect(try await client.ask(Self.execute(insert, Self.text("p"))) == .result(.void))
            #expect(try await Self.rows("ks.t", of: mode.primary, harness).count == 2)
            #expect(try await Self.rows("ks.t", of: mode.primary.other, harness).isEmpty)
            #expect(await harness.proxy.status().counters.evaluatedCalls[.now] == 2)
        }
    }

    @Test func `errors are the cluster's own`() async throws {
        try await SidecarHarness.run(mode: .dualWriteAsync, schema: Self.schema) { harness in
            let client = try await harness.client()
            guard case .error(let error) = try await client.ask(query("INSERT INTO ks.t (k, d) VALUES ('x', now())"))
            else {
                Issue.record("a time UUID is no date")
                return
            }
            #expect(error.code == .invalid)
            #expect(error.message.hasSuffix("(type timeuuid) to d (type date)"))
            _ = try await client.ask(query("INSERT INTO ks.t (k, a) VALUES ('x', now()) FOR EVER"))
            #expect(await harness.proxy.status().counters.notEvaluated == 1)
        }
    }

    @Test func `more calls than are evaluated are refused`() async throws {
        try await SidecarHarness.run(mode: .dualWriteAsync, schema: Self.schema) {
            $0.limits.evaluatedCallsMax = 2
        } _: { harness in
            let client = try await harness.client()
            let text = "INSERT INTO ks.t (k, l) VALUES ('x', [now(), now(), now()])"
            for request in [query(text), .prepare(text), .batch(Batch(children: [.init(.text(text))]))] {
                guard case .error(let error) = try await client.ask(request) else {
                    Issue.record("\(request) was taken")
                    continue
                }
                #expect(error.code == .invalid && error.message.contains("at most 2 are evaluated"))
            }
            let fits = "INSERT INTO ks.t (k, l) VALUES ('x', [now(), now()])"
            #expect(try await client.ask(query(fits)) == .result(.void))
        }
    }

    // MARK: EXECUTE

    private static let prepared = [
        "INSERT INTO ks.t (k, a, c) VALUES (?, now(), toTimestamp(now()))",
        "INSERT INTO ks.t (a, k, b) VALUES (now(), ?, uuid())",
        "UPDATE ks.t SET m['one'] = now(), u = {f: now(), n: 2}, x = (1, uuid()) WHERE k = ?",
        "INSERT INTO ks.t (k, y, z) VALUES (?, now(), currentTimestamp())",
        // No marker may stand in collections.
        "INSERT INTO ks.t (k, l, a) VALUES (?, [now(), now()], now())",
        "UPDATE ks.t SET l = l + [now()] WHERE k = ?",
        "BEGIN BATCH UPDATE ks.t SET a = now() WHERE k = ? APPLY BATCH",
    ]

    @Test(arguments: copying) func `prepared statements leave the same values`(mode: WriteMode) async throws {
        try await SidecarHarness.run(mode: mode, schema: Self.schema) { harness in
            let client = try await harness.client()
            for (index, text) in Self.prepared.enumerated() {
                let prepared = try await Self.prepare(text, client)
                for key in ["\(index) a", "\(index) b"] {
                    #expect(try await client.ask(Self.execute(prepared, Self.text(key))) == .result(.void), "\(text)")
                }
            }
            try await Self.expectSame(count: 2 * Self.prepared.count, harness)
        }
    }

    @Test(arguments: [ProtocolVersion.v3, .v4])
    func `a client sees the markers, the key and the columns of its own statement`(version: ProtocolVersion)
        async throws
    {
        let texts =
            Self.prepared + [
                "INSERT INTO ks.ids (k, v) VALUES (uuid(), ?)", "INSERT INTO ks.ids (k, v) VALUES (uuid(), 'x')",
                "UPDATE ks.t USING TTL ? SET a = now(), y = ? WHERE k = ? IF b = ?",
                "INSERT INTO ks.t (k, a) VALUES (:key, now()) IF NOT EXISTS",
            ]
        try await SidecarHarness.run(mode: .dualWriteSync, schema: Self.schema) { harness in
            let clients = [
                try await TestClient.connect(to: try harness.address, on: harness.group),
                try await TestClient.connect(
                    to: try SocketAddress(ipAddress: "127.0.0.1", port: harness.source.port),
                    on: harness.group
                ),
            ]
            for client in clients {
                #expect(try await client.ask(.startup(["CQL_VERSION": "3.0.0"]), version: version) == .ready)
            }
            for text in texts {
                let seen = try await Self.prepare(text, clients[0], version: version)
                let own = try await Self.prepare(text, clients[1], version: version)
                #expect(seen.variables == own.variables, "\(text)")
                #expect(seen.result == own.result, "\(text)")
                #expect(seen.id.readableBytes == 16)
            }
            let insert = try await Self.prepare(texts[0], clients[0], version: version)
            let request = Self.execute(insert, Self.text("k"))
            #expect(try await clients[0].ask(request, version: version) == .result(.void))
            try await Self.expectSame(count: 1, harness)
        }
    }

    @Test func `values with names find their markers`() async throws {
        try await SidecarHarness.run(mode: .dualWriteSync, schema: Self.schema) { harness in
            let client = try await harness.client()
            for (name, text) in [
                ("key", "INSERT INTO ks.t (a, k, b, y) VALUES (now(), :key, uuid(), :y)"),
                ("key", "INSERT INTO ks.t (a, k, l, y) VALUES (now(), :key, [now()], :y)"),
                // Markers without a name have that of their column.
                ("k", "INSERT INTO ks.t (a, k, b, y) VALUES (now(), ?, uuid(), ?)"),
            ] {
                let insert = try await Self.prepare(text, client)
                let values = [
                    QueryValues.Named(name: "y", value: Self.text("bytes")), .init(name: name, value: Self.text(text)),
                ]
                let parameters = QueryParameters(consistency: .one, values: .named(values))
                let answer = try await client.ask(.execute(Execute(id: insert.id, parameters: parameters)))
                #expect(answer == .result(.void))
            }
            let rows = try await Self.expectSame(count: 3, harness)
            #expect(rows.allSatisfy { $0.contains(ByteBuffer(string: "bytes")) })
        }
    }

    @Test func `another number of values than markers is told in the client's own terms`() async throws {
        try await SidecarHarness.run(mode: .dualWriteAsync, schema: Self.schema) { harness in
            let client = try await harness.client()
            let insert = try await Self.prepare("INSERT INTO ks.t (k, a, y) VALUES (?, now(), ?)", client)
            let batch = Batch(children: [.init(.prepared(id: insert.id), values: [Self.text("k")])])
            for request in [Self.execute(insert, Self.text("k")), .batch(batch)] {
                guard case .error(let error) = try await client.ask(request) else {
                    Issue.record("one value is missing")
                    return
                }
                #expect(error.code == .invalid)
                #expect(error.message == "there were 2 markers(?) in CQL but 1 bound variables")
            }
        }
    }

    @Test func `a node that has forgotten the statement is given it again`() async throws {
        try await SidecarHarness.run(mode: .dualWriteSync, schema: Self.schema) { harness in
            let client = try await harness.client()
            let insert = try await Self.prepare(Self.prepared[0], client)
            for key in ["a", "b", "c"] {
                for node in [harness.source, harness.target] { node.forgetPrepared() }
                #expect(try await client.ask(Self.execute(insert, Self.text(key))) == .result(.void))
            }
            try await Self.expectSame(count: 3, harness)
            #expect(await harness.proxy.status().counters.source.reprepared == 3)
        }
    }

    @Test func `ids stay good over a restart, and the client's own text is kept`() async throws {
        let kept = Mutex<(texts: [PreparedText], ids: [Prepared])>(([], []))
        let texts = [Self.prepared[0], Self.prepared[4]]
        try await SidecarHarness.run(mode: .dualWriteSync, schema: Self.schema) { harness in
            let client = try await harness.client()
            for text in texts {
                let prepared = try await Self.prepare(text, client)
                kept.withLock { $0.ids.append(prepared) }
            }
            kept.withLock { $0.texts = harness.proxy.preparedTexts(bytesMax: 10_000) }
        }
        let (before, ids) = kept.withLock { $0 }
        #expect(Set(before.map(\.text)) == Set(texts))
        try await SidecarHarness.run(mode: .dualWriteSync, schema: Self.schema) {
            $0.preparedTexts = before
        } _: { harness in
            let client = try await harness.client()
            for (index, id) in ids.enumerated() {
                #expect(try await client.ask(Self.execute(id, Self.text("\(index)"))) == .result(.void))
            }
            try await Self.expectSame(count: 2, harness)
        }
    }

    @Test func `a statement with a call in a collection stays in the keyspace in which it was prepared`() async throws {
        try await SidecarHarness.run(mode: .dualWriteSync) { harness in
            let client = try await harness.client()
            try await client.makeTables("k text PRIMARY KEY, l list<timeuuid>", in: "one", "two")
            _ = try await client.ask(query("USE one"))
            let insert = try await Self.prepare("INSERT INTO t (k, l) VALUES (?, [now()])", client)
            _ = try await client.ask(query("USE two"))
            #expect(try await client.ask(Self.execute(insert, Self.text("k"))) == .result(.void))
            try await Self.expectSame("one.t", count: 1, harness)
            try await Self.expectSame("two.t", count: 0, harness)
            let batch = Batch(children: [.init(.prepared(id: insert.id), values: [Self.text("b")])])
            guard case .error(let error) = try await client.ask(.batch(batch)) else {
                Issue.record("the child would be in the wrong keyspace")
                return
            }
            #expect(error.code == .invalid && error.message.contains("must name its keyspace"))
        }
    }

    // MARK: BATCH

    @Test(arguments: copying) func `children of a batch leave the same values`(mode: WriteMode) async throws {
        try await SidecarHarness.run(mode: mode, schema: Self.schema) { harness in
            let client = try await harness.client()
            let plain = try await Self.prepare("INSERT INTO ks.t (k, y) VALUES (?, ?)", client)
            let withNow = try await Self.prepare("INSERT INTO ks.t (a, k, b) VALUES (now(), ?, uuid())", client)
            let inList = try await Self.prepare("INSERT INTO ks.t (k, l) VALUES (?, [now()])", client)
            let batch = Batch(
                children: [
                    .init(.prepared(id: withNow.id), values: [Self.text("prepared")]),
                    .init(.text("INSERT INTO ks.t (k, a) VALUES ('text', now())")),
                    .init(.prepared(id: plain.id), values: [Self.text("plain"), .unset]),
                    .init(.prepared(id: inList.id), values: [Self.text("list")]),
                    .init(
                        .text("INSERT INTO ks.t (k, a, y) VALUES (?, now(), ?)"),
                        values: [Self.text("values"), .null]
                    ),
                    .init(.prepared(id: withNow.id), values: [Self.text("again")]),
                ],
                serialConsistency: .localSerial
            )
            #expect(try await client.ask(.batch(batch)) == .result(.void))
            try await Self.expectSame(count: 6, harness)
            for node in [harness.source, harness.target] { node.forgetPrepared() }
            #expect(try await client.ask(.batch(batch)) == .result(.void))
            try await Self.expectSame(count: 6, harness)
        }
    }

    // MARK: Conditions

    @Test(arguments: copying) func `what a condition lets through has the primary's values`(mode: WriteMode)
        async throws
    {
        try await SidecarHarness.run(mode: mode, schema: Self.schema) { harness in
            let client = try await harness.client()
            let isApplied = { (answer: Response) in
                guard case .result(.rows(let rows)) = answer else { return false }
                return rows.first?.cells.first == ByteBuffer(bytes: [1])
            }
            let insert = "INSERT INTO ks.ids (k, v) VALUES (uuid(), 'text') IF NOT EXISTS"
            #expect(isApplied(try await client.ask(query(insert))))
            let prepared = try await Self.prepare("INSERT INTO ks.ids (k, v) VALUES (uuid(), ?) IF NOT EXISTS", client)
            #expect(isApplied(try await client.ask(Self.execute(prepared, Self.text("prepared")))))
            try await Self.expectSame("ks.ids", count: 2, harness)

            let update = try await Self.prepare(
                "UPDATE ks.t USING TTL ? SET a = now(), y = ?, c = toTimestamp(now()) WHERE k = ? IF b = ? AND z = ?",
                client
            )
            let ttl = BoundValue.value(ByteBuffer(integer: Int32(1_000)))
            let values = [ttl, Self.text("y"), Self.text("updated"), .null, .null]
            let parameters = QueryParameters(consistency: .one, values: .positional(values))
            #expect(isApplied(try await client.ask(.execute(Execute(id: update.id, parameters: parameters)))))
            let inList = try await Self.prepare("INSERT INTO ks.t (k, l) VALUES (?, [now()]) IF NOT EXISTS", client)
            #expect(isApplied(try await client.ask(Self.execute(inList, Self.text("list")))))
            // Nothing comes of what is not applied.
            #expect(!isApplied(try await client.ask(Self.execute(inList, Self.text("list")))))
            let first = try await Self.prepare("INSERT INTO ks.t (k, b, y) VALUES (?, uuid(), ?) IF NOT EXISTS", client)
            let batch = Batch(
                children: [
                    .init(.prepared(id: first.id), values: [Self.text("batch"), Self.text("y")]),
                    .init(.text("UPDATE ks.t SET a = now() WHERE k = ?"), values: [Self.text("batch")]),
                ]
            )
            #expect(isApplied(try await client.ask(.batch(batch))))
            try await Self.expectSame(count: 3, harness)
        }
    }

    // MARK: Repetition

    @Test(arguments: [false, true]) func `a copy of which nobody knows is repeated with the same value`(
        isPrepared: Bool
    ) async throws {
        try await SidecarHarness.run(mode: .dualWriteAsync, schema: Self.schema) {
            $0.timeouts.shadowWriteMilliseconds = 200
        } _: { harness in
            let client = try await harness.client()
            let text = "INSERT INTO ks.t (k, a) VALUES ('k', now())"
            let request = isPrepared ? Self.execute(try await Self.prepare(text, client)) : query(text)
            // The target does it and says nothing. What the test itself reads there is answered.
            let lost = FaultRule(.all([.textContains("INSERT"), .not(.opcode(.prepare))]), .dropAnswer, times: 1)
            harness.target.setFaults([lost])
            #expect(try await client.ask(request) == .result(.void))
            try await Self.expectSame(count: 1, harness)
            let target = await harness.proxy.status().counters.target
            #expect(target.shadowRetried == 1 && target.shadowDelivered == 1 && target.shadowDead == 0)
        }
    }
}
