import CQLSyntax
import Testing

struct ServerValuesTests {
    /// The calls of a text as they are written.
    private static func calls(_ text: String) -> [String] {
        let bytes = Array(text.utf8)
        return (StatementAnalysis.analyze(text).serverValues?.calls ?? []).map {
            String(decoding: bytes[$0.range.start..<$0.range.end], as: UTF8.self)
        }
    }

    /// The text with `0x00`, `0x01` … for its calls.
    private static func evaluated(_ text: String) -> String? {
        StatementAnalysis.analyze(text).serverValues.map { values in
            StatementRewriter.evaluated(text, values.calls, values: values.calls.indices.map { [UInt8($0)] })
        }
    }

    private static func bindable(_ text: String) -> StatementRewriter.Bindable? {
        StatementAnalysis.analyze(text).serverValues.flatMap { StatementRewriter.bindable(text, $0) }
    }

    @Test(arguments: [
        ("now", "Timeuuid"), ("uuid", "Uuid"), ("currentTimestamp", "Timestamp"), ("currentDate", "Date"),
        ("currentTime", "Time"), ("currentTimeUUID", "Timeuuid"), ("current_timestamp", "Timestamp"),
        ("current_date", "Date"), ("current_time", "Time"), ("current_timeuuid", "Timeuuid"),
    ])
    func `each function is replaced by one of the same result`(function: String, type: String) {
        for spelling in [function, function.uppercased(), "system.\(function)", "\"\(function.lowercased())\""] {
            let text = "INSERT INTO t (k, v) VALUES (1, \(spelling)())"
            #expect(Self.evaluated(text) == "INSERT INTO t (k, v) VALUES (1, blobAs\(type)(0x00))")
        }
    }

    @Test(arguments: [
        // Everywhere a term may stand, and nothing around it changes.
        ("UPDATE t SET a = now ( ) WHERE k = 1", "UPDATE t SET a = blobAsTimeuuid(0x00) WHERE k = 1"),
        (
            "UPDATE t SET a=now/* ß */()WHERE k=uuid()AND c=1",
            "UPDATE t SET a=blobAsTimeuuid(0x00)WHERE k=blobAsUuid(0x01)AND c=1"
        ),
        (
            "UPDATE t SET m[now()] = uuid() WHERE k = 1;",
            "UPDATE t SET m[blobAsTimeuuid(0x00)] = blobAsUuid(0x01) WHERE k = 1;"
        ),
        ("UPDATE t SET u.f = now() WHERE k = 1", "UPDATE t SET u.f = blobAsTimeuuid(0x00) WHERE k = 1"),
        ("UPDATE t SET l = l + [now()] WHERE k = 1", "UPDATE t SET l = l + [blobAsTimeuuid(0x00)] WHERE k = 1"),
        (
            "UPDATE t SET l = [now()] + l, s -= {uuid()} WHERE k = 1",
            "UPDATE t SET l = [blobAsTimeuuid(0x00)] + l, s -= {blobAsUuid(0x01)} WHERE k = 1"
        ),
        (
            "UPDATE t SET a = currentTimestamp() - 1d WHERE k = 1",
            "UPDATE t SET a = blobAsTimestamp(0x00) - 1d WHERE k = 1"
        ),
        (
            "DELETE m[uuid()], v FROM t WHERE k = 1 AND c > now()",
            "DELETE m[blobAsUuid(0x00)], v FROM t WHERE k = 1 AND c > blobAsTimeuuid(0x01)"
        ),
        (
            "DELETE FROM t WHERE k IN (uuid(), ?) AND (a, b) < (now(), 1)",
            "DELETE FROM t WHERE k IN (blobAsUuid(0x00), ?) AND (a, b) < (blobAsTimeuuid(0x01), 1)"
        ),
        (
            "INSERT INTO t (a, b, c) VALUES ({now(): (uuid(), 1)}, {f: now()}, [toDate(now())])",
            "INSERT INTO t (a, b, c) VALUES ({blobAsTimeuuid(0x00): (blobAsUuid(0x01), 1)}, {f: blobAsTimeuuid(0x02)}, [toDate(blobAsTimeuuid(0x03))])"
        ),
        (
            "INSERT INTO t (a) VALUES (toTimestamp(now())) USING TTL 5",
            "INSERT INTO t (a) VALUES (toTimestamp(blobAsTimeuuid(0x00))) USING TTL 5"
        ),
        (
            "INSERT INTO t (a) VALUES ((timestamp) currentTimestamp())",
            "INSERT INTO t (a) VALUES ((timestamp) blobAsTimestamp(0x00))"
        ),
        (
            "INSERT INTO t (a) VALUES (ks.mine(now(), other()))",
            "INSERT INTO t (a) VALUES (ks.mine(blobAsTimeuuid(0x00), other()))"
        ),
        (
            "INSERT INTO t (k) VALUES (uuid()) IF NOT EXISTS",
            "INSERT INTO t (k) VALUES (blobAsUuid(0x00)) IF NOT EXISTS"
        ),
        // Conditions are the primary's.
        (
            "UPDATE t SET a = now() WHERE k = 1 IF a < now() AND m[uuid()] = 1",
            "UPDATE t SET a = blobAsTimeuuid(0x00) WHERE k = 1 IF a < now() AND m[uuid()] = 1"
        ),
        // Texts, comments and names that look like it.
        (
            "INSERT INTO t (a, b, \"now()\") VALUES ('now()', $$uuid()$$, now()) -- now()",
            "INSERT INTO t (a, b, \"now()\") VALUES ('now()', $$uuid()$$, blobAsTimeuuid(0x00)) -- now()"
        ),
        (
            "INSERT INTO now (uuid) VALUES (now()) // ü uuid()",
            "INSERT INTO now (uuid) VALUES (blobAsTimeuuid(0x00)) // ü uuid()"
        ),
        (
            "BEGIN UNLOGGED BATCH USING TIMESTAMP 1 INSERT INTO t (k) VALUES (uuid()); UPDATE t SET a = now() WHERE k = 'ß'"
                + " DELETE FROM t WHERE k = now() IF b = now() APPLY BATCH;",
            "BEGIN UNLOGGED BATCH USING TIMESTAMP 1 INSERT INTO t (k) VALUES (blobAsUuid(0x00)); UPDATE t SET a ="
                + " blobAsTimeuuid(0x01) WHERE k = 'ß' DELETE FROM t WHERE k = blobAsTimeuuid(0x02) IF b = now() APPLY BATCH;"
        ),
        // ScyllaDB's own clauses are understood, too.
        (
            "UPDATE t USING TIMEOUT 5s SET a = now() WHERE k = 1",
            "UPDATE t USING TIMEOUT 5s SET a = blobAsTimeuuid(0x00) WHERE k = 1"
        ),
    ])
    func `calls get values wherever they stand and everything else stays`(text: String, expected: String) throws {
        let values = try #require(StatementAnalysis.analyze(text).serverValues)
        #expect(Self.evaluated(text) == expected)
        let after = StatementAnalysis.analyze(expected)
        #expect(after.precision == StatementAnalysis.analyze(text).precision)
        #expect(after.serverValues == nil)
        // What was foretold of the text with constants is what it turns out to be.
        #expect(after.isIdempotent == values.analysis.isIdempotent)
        #expect(after.hasConditions == values.analysis.hasConditions)
        #expect(after.columnWrites == values.analysis.columnWrites)
        #expect(after.markers.map(\.role) == values.analysis.markers.map(\.role))
    }

    @Test(arguments: [
        "SELECT now() FROM t", "SELECT * FROM t WHERE a = now()", "INSERT INTO t (a) VALUES (?)",
        "INSERT INTO t (a) VALUES (now(1))", "INSERT INTO t (a) VALUES (\"NOW\"())",
        "INSERT INTO t (a) VALUES (ks.now())",
        "INSERT INTO t (a) VALUES (toTimestamp(?))", "INSERT INTO t (a) VALUES ('now()')",
        "DELETE FROM t WHERE k = 1 IF a = now()",
        "INSERT INTO t JSON '{\"a\": \"now()\"}'", "CREATE TABLE now (uuid uuid PRIMARY KEY)", "TRUNCATE now", "",
    ])
    func `everything else has none`(text: String) {
        let analysis = StatementAnalysis.analyze(text)
        #expect(analysis.serverValues == nil)
        #expect(!analysis.hidesServerValues)
        #expect(analysis.evaluated === analysis)
    }

    @Test(arguments: [
        ("INSERT INTO t (a) VALUES (now()) FOR EVER", true), ("UPSERT INTO t (a) VALUES (uuid())", true),
        ("BEGIN BATCH INSERT INTO t (a) VALUES (now()) NEVER APPLY BATCH", true),
        ("SELECT now() FROM t FOR EVER", false), ("INSERT INTO t (a) VALUES (later()) FOR EVER", false),
    ])
    func `a text that is not understood says that it may have some`(text: String, expected: Bool) {
        let analysis = StatementAnalysis.analyze(text)
        #expect(analysis.serverValues == nil)
        #expect(analysis.hidesServerValues == expected)
        #expect(!analysis.isIdempotent || !expected)
    }

    @Test func `what has only such calls against it may be repeated once they are evaluated`() {
        let insert = StatementAnalysis.analyze("INSERT INTO t (k, a) VALUES (?, now())")
        #expect(!insert.isIdempotent)
        #expect(insert.evaluated.isIdempotent)
        #expect(insert.functions.count == 1 && insert.evaluated.functions.isEmpty)
        for text in [
            "UPDATE t SET l = l + [now()] WHERE k = 1", "INSERT INTO t (k, a) VALUES (now(), mine())",
            "INSERT INTO t (k) VALUES (mine(now()))", "INSERT INTO t (k) VALUES (now()) IF NOT EXISTS",
        ] {
            #expect(!StatementAnalysis.analyze(text).evaluated.isIdempotent, "\(text)")
        }
    }

    @Test func `calls know their place among the markers`() throws {
        let text = "UPDATE t USING TTL ? SET a = now(), b = :b, c = :b, d = uuid() WHERE k = :b AND c = now() AND d = ?"
        let values = try #require(StatementAnalysis.analyze(text).serverValues)
        #expect(values.calls.map(\.markersBefore) == [1, 3, 4])
        #expect(values.calls.map(\.distinctMarkersBefore) == [1, 2, 2])
        #expect(values.markerCount == 5)
        #expect(values.distinctMarkerCount == 3)
        let dialect = "UPDATE t USING TIMEOUT ? SET a = now() WHERE k = ?"
        let scylla = try #require(StatementAnalysis.analyze(dialect).serverValues)
        #expect(scylla.calls.map(\.markersBefore) == [1] && scylla.markerCount == 2)
    }

    @Test func `a prepared statement gets markers of its own sort, with names that nobody else uses`() {
        let plain = Self.bindable("INSERT INTO t (k, a, b) VALUES (?, now(), toTimestamp(now()))")
        #expect(
            plain?.text == "INSERT INTO t (k, a, b) VALUES (?, blobAsTimeuuid(?), toTimestamp(blobAsTimeuuid(?)))"
        )
        #expect(plain?.markerNames == [])
        let named = Self.bindable("INSERT INTO t (k, a, b) VALUES (:k, now(), uuid())")
        #expect(
            named?.text
                == "INSERT INTO t (k, a, b) VALUES (:k, blobAsTimeuuid(:cluster_sync_0), blobAsUuid(:cluster_sync_1))"
        )
        #expect(named?.markerNames == ["cluster_sync_0", "cluster_sync_1"])
        let taken = Self.bindable("INSERT INTO t (k, a) VALUES (:cluster_sync_0, now()) IF NOT EXISTS")
        #expect(taken?.markerNames == ["cluster_sync__0"])
        let analysis = StatementAnalysis.analyze(taken?.text ?? "")
        #expect(analysis.markers.map(\.name) == ["cluster_sync_0", "cluster_sync__0"])
    }

    @Test(arguments: [
        "INSERT INTO t (k, a) VALUES (?, [now()])", "INSERT INTO t (k, a) VALUES (?, {'x': (1, now())})",
        "UPDATE t SET s = s + {toTimestamp(now())} WHERE k = uuid()", "INSERT INTO t (a) VALUES ({now(): 1})",
    ])
    func `there are no markers in collections`(text: String) {
        #expect(StatementAnalysis.analyze(text).serverValues != nil)
        #expect(Self.bindable(text) == nil)
    }

    @Test func `there are no more markers than can be numbered`() throws {
        func text(markers: Int) -> String {
            "DELETE FROM t WHERE k = now() AND c IN (" + Array(repeating: "?", count: markers).joined(separator: ",")
                + ")"
        }
        #expect(Self.bindable(text(markers: StatementRewriter.markersMax - 1)) != nil)
        #expect(Self.bindable(text(markers: StatementRewriter.markersMax)) == nil)
    }

    @Test func `values are written as they are`() throws {
        let text = "INSERT INTO t (a) VALUES (uuid())"
        let calls = try #require(StatementAnalysis.analyze(text).serverValues).calls
        let value: [UInt8] = [0x00, 0x0f, 0xf0, 0xff, 0x12]
        #expect(
            StatementRewriter.evaluated(text, calls, values: [value])
                == "INSERT INTO t (a) VALUES (blobAsUuid(0x000ff0ff12))"
        )
    }
}
