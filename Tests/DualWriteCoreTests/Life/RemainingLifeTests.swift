import CQLProtocol
import CQLSyntax
import DualWriteCore
import TestSupport
import Testing

struct RemainingLifeTests {
    /// `ks.t` keeps what is written for ever, `ks.d` for a hundred seconds.
    private static let schema = SchemaShapes(
        tables: ["ks": ["t": TableShape(columns: [:]), "d": TableShape(columns: [:], defaultTimeToLive: 100)]]
    )

    private func late(_ request: Request, _ texts: [String], by age: Int) -> RemainingLife.Result {
        RemainingLife(ageSeconds: age, schema: Self.schema).rewriting(request, texts.map { WriteStatement($0) })
    }

    /// The text and values of a QUERY that comes late; nil where it stays as it is.
    private func query(_ text: String, _ values: QueryValues = .none, by age: Int = 40) -> (String?, QueryValues)? {
        guard case .changed(let rewritten) = self.late(.query(text, values), [text], by: age),
            case .query(let query) = rewritten.request
        else { return nil }
        #expect(query.parameters.consistency == .localQuorum && query.parameters.defaultTimestamp == 5)
        #expect(rewritten.texts.isEmpty)
        return (query.text, query.parameters.values)
    }

    /// The new text, where there is one, and the values of an EXECUTE that comes late; nil where it stays as it is.
    private func execute(_ text: String, _ values: QueryValues = .none, by age: Int = 40) -> (String?, QueryValues)? {
        guard case .changed(let rewritten) = self.late(.execute(values), [text], by: age),
            case .execute(let execute) = rewritten.request
        else { return nil }
        #expect(execute.parameters.consistency == .localQuorum && execute.parameters.defaultTimestamp == 5)
        return (rewritten.texts[0], execute.parameters.values)
    }

    // MARK: What is left

    @Test(arguments: [
        ("INSERT INTO t (k) VALUES (1) USING TTL 100", 40, "INSERT INTO t (k) VALUES (1) USING TTL 60"),
        ("INSERT INTO t (k) VALUES (1) USING TTL 100", 99, "INSERT INTO t (k) VALUES (1) USING TTL 1"),
        ("INSERT INTO t (k) VALUES (1) USING TTL 100", 100, "INSERT INTO t (k) VALUES (1) USING TTL 1"),
        ("INSERT INTO t (k) VALUES (1) USING TTL 100", 1_000_000, "INSERT INTO t (k) VALUES (1) USING TTL 1"),
        ("INSERT INTO t (k) VALUES (1) USING TTL 630720000", 1, "INSERT INTO t (k) VALUES (1) USING TTL 630719999"),
        ("INSERT INTO d (k) VALUES (1)", 40, "INSERT INTO d (k) VALUES (1) USING TTL 60"),
        ("UPDATE ks.d SET v = 1 WHERE k = 1", 200, "UPDATE ks.d USING TTL 1 SET v = 1 WHERE k = 1"),
        (
            "BEGIN BATCH INSERT INTO t (k) VALUES (1); UPDATE d SET v = 1 WHERE k = 1; DELETE FROM d WHERE k = 2; "
                + "INSERT INTO t (k) VALUES (2) USING TTL 50; APPLY BATCH", 40,
            "BEGIN BATCH INSERT INTO t (k) VALUES (1); UPDATE d USING TTL 60 SET v = 1 WHERE k = 1; "
                + "DELETE FROM d WHERE k = 2; INSERT INTO t (k) VALUES (2) USING TTL 10; APPLY BATCH"
        ),
    ])
    func `a text has the life that is left`(text: String, age: Int, expected: String) throws {
        let (late, values) = try #require(self.query(text, by: age))
        #expect(late == expected)
        #expect(values == .none)
    }

    @Test(arguments: [
        "INSERT INTO t (k) VALUES (1)", "INSERT INTO d (k) VALUES (1) USING TTL 0", "DELETE FROM d WHERE k = 1",
        "INSERT INTO other.d (k) VALUES (1)", "INSERT INTO t (k) VALUES (1) USING TTL 1",
        "INSERT INTO t (k) VALUES (1) USING TTL -3", "INSERT INTO t (k) VALUES (1) USING TTL 630720001",
        "INSERT INTO t (k) VALUES (1) USING TTL 99999999999999999999", "TRUNCATE d", "SELECT * FROM d",
        "BEGIN BATCH INSERT INTO t (k) VALUES (1); DELETE FROM d WHERE k = 1; APPLY BATCH",
    ])
    func `what has no life, or none that could get shorter, stays as it is`(text: String) {
        #expect(self.late(.query(text), [text], by: 40) == .unchanged)
        #expect(self.late(.execute(), [text], by: 40) == .unchanged)
    }

    @Test func `what comes at once stays as it is`() {
        let text = "INSERT INTO d (k) VALUES (1) USING TTL 100"
        for age in [0, -5] { #expect(self.late(.query(text), [text], by: age) == .unchanged) }
    }

    // MARK: Markers

    @Test func `the value of a marker becomes what is left`() throws {
        let text = "INSERT INTO t (k, v) VALUES (?, ?) USING TTL ? AND TIMESTAMP ?"
        let values = [BoundValue.int(1), .int(100), .int(100), .int(9)]
        let expected = QueryValues.positional([.int(1), .int(100), .int(60), .int(9)])
        let (late, queryValues) = try #require(self.query(text, .positional(values)))
        #expect(late == text && queryValues == expected)
        let (other, executeValues) = try #require(self.execute(text, .positional(values)))
        #expect(other == nil && executeValues == expected)
    }

    /// `Attributes.getTimeToLive` of Cassandra 3.11 to 5.0: null and no bytes are no life, unset is the table's default.
    @Test(arguments: [
        (BoundValue.null, nil), (BoundValue(bytes: []), nil), (.int(0), nil), (.int(-1), nil), (.int(630_720_001), nil),
        (.int(1), nil), (BoundValue(bytes: [1, 2]), nil), (.unset, 60), (.int(50), 10),
        (.int(630_720_000), 630_719_960),
    ])
    func `a marker means what the server takes it for`(value: BoundValue, expected: Int32?) {
        let text = "INSERT INTO d (k) VALUES (1) USING TTL ?"
        let late = self.execute(text, .positional([value]))
        #expect(late?.1 == expected.map { .positional([.int($0)]) })
        let forEver = self.execute("INSERT INTO t (k) VALUES (1) USING TTL ?", .positional([.unset]))
        #expect(forEver == nil)
    }

    @Test func `named values are found by the marker's name or by the server's name for it`() throws {
        func named(_ pairs: [(String, BoundValue)]) -> QueryValues { .named(pairs.map { .init(name: $0, value: $1) }) }
        let own = try #require(
            self.query("INSERT INTO t (k) VALUES (:k) USING TTL :life", named([("life", .int(100)), ("k", .int(1))]))
        )
        #expect(own.1 == named([("life", .int(60)), ("k", .int(1))]))
        let server = try #require(
            self.execute("INSERT INTO t (k) VALUES (?) USING TTL ?", named([("k", .int(1)), ("[ttl]", .int(100))]))
        )
        #expect(server.0 == nil && server.1 == named([("k", .int(1)), ("[ttl]", .int(60))]))
    }

    @Test func `a value that is also written to a column is not changed there`() throws {
        let text = "INSERT INTO t (k, v) VALUES (:k, :life) USING TTL :life"
        let named = QueryValues.named([.init(name: "k", value: .int(1)), .init(name: "life", value: .int(100))])
        let query = try #require(self.query(text, named))
        #expect(query.0 == "INSERT INTO t (k, v) VALUES (:k, :life) USING TTL 60" && query.1 == named)
        let execute = try #require(self.execute(text, named))
        #expect(execute.0 == "INSERT INTO t (k, v) VALUES (:k, :life) USING TTL :cluster_sync_ttl_0")
        #expect(
            execute.1
                == .named([
                    .init(name: "k", value: .int(1)), .init(name: "life", value: .int(100)),
                    .init(name: "cluster_sync_ttl_0", value: .int(60)),
                ])
        )
        // Cassandra: a value for each marker. ScyllaDB: a value for each name.
        let each = try #require(self.execute(text, .positional([.int(1), .int(100), .int(100)])))
        #expect(each.0 == nil && each.1 == .positional([.int(1), .int(100), .int(60)]))
        let once = try #require(self.execute(text, .positional([.int(1), .int(100)])))
        #expect(once.0 == execute.0 && once.1 == .positional([.int(1), .int(100), .int(60)]))
    }

    // MARK: Prepared statements

    @Test(arguments: [
        (
            "INSERT INTO t (k, v) VALUES (?, ?) USING TTL 100", "INSERT INTO t (k, v) VALUES (?, ?) USING TTL ?",
            [0, 1, -1]
        ),
        ("INSERT INTO d (k, v) VALUES (?, ?)", "INSERT INTO d (k, v) VALUES (?, ?) USING TTL ?", [0, 1, -1]),
        ("UPDATE d SET v = ? WHERE k = ?", "UPDATE d USING TTL ? SET v = ? WHERE k = ?", [-1, 0, 1]),
        (
            "UPDATE d USING TIMESTAMP ? SET v = 1 WHERE k = ?",
            "UPDATE d USING TIMESTAMP ? AND TTL ? SET v = 1 WHERE k = ?", [0, -1, 1]
        ),
        (
            "BEGIN BATCH INSERT INTO d (k) VALUES (?); INSERT INTO t (k) VALUES (?) USING TTL 100 APPLY BATCH",
            "BEGIN BATCH INSERT INTO d (k) VALUES (?) USING TTL :cluster_sync_ttl_0; "
                + "INSERT INTO t (k) VALUES (?) USING TTL :cluster_sync_ttl_1 APPLY BATCH", [0, -1, 1, -1]
        ),
    ])
    func `a prepared statement gets a marker, so that one text does for all ages`(
        text: String,
        expected: String,
        order: [Int]
    ) throws {
        let values = [BoundValue.text("zero"), .text("one")]
        for (age, left) in [(40, Int32(60)), (41, 59), (1000, 1)] {
            let late = try #require(self.execute(text, .positional(values), by: age))
            #expect(late.0 == expected)
            #expect(late.1 == .positional(order.map { $0 < 0 ? .int(left) : values[$0] }))
        }
    }

    @Test func `a statement without values gets its first one`() throws {
        let late = try #require(self.execute("INSERT INTO d (k) VALUES (1)"))
        #expect(late.0 == "INSERT INTO d (k) VALUES (1) USING TTL ?" && late.1 == .positional([.int(60)]))
    }

    // MARK: Batches

    @Test func `each child of a batch gets its own life`() throws {
        let texts = [
            "INSERT INTO t (k) VALUES (?)", "INSERT INTO t (k) VALUES (?) USING TTL ?",
            "UPDATE d SET v = ? WHERE k = ?",
            "INSERT INTO t (k) VALUES (?) USING TTL 70", "DELETE FROM d WHERE k = ?",
        ]
        let request = Request.batch([
            .prepared(1, [.int(1)]), .prepared(2, [.int(2), .int(50)]), .prepared(3, [.int(3), .int(4)]),
            Batch.Child(.text(texts[3]), values: [.int(5)]), Batch.Child(.text(texts[4]), values: [.int(6)]),
        ])
        guard case .changed(let late) = self.late(request, texts, by: 40) else {
            Issue.record("nothing changed")
            return
        }
        #expect(late.texts == [2: "UPDATE d USING TTL ? SET v = ? WHERE k = ?"])
        #expect(
            late.request
                == .batch([
                    .prepared(1, [.int(1)]), .prepared(2, [.int(2), .int(10)]),
                    .prepared(3, [.int(60), .int(3), .int(4)]),
                    Batch.Child(.text("INSERT INTO t (k) VALUES (?) USING TTL 30"), values: [.int(5)]),
                    Batch.Child(.text(texts[4]), values: [.int(6)]),
                ])
        )
        #expect(self.late(.batch([.prepared(1, [.int(1)])]), [texts[0]], by: 40) == .unchanged)
    }

    /// Texts of every shape, with values that can be told apart: all but the lives come out in the order in which they went in.
    @Test func `every value stays with its marker`() throws {
        let writes = [
            "INSERT INTO d (k, v) VALUES (?, ?)", "INSERT INTO t (k, v) VALUES (?, :v) USING TTL 100 AND TIMESTAMP ?",
            "INSERT INTO d JSON ? USING TIMESTAMP ?", "UPDATE d SET v = ?, m[?] = ? WHERE k = ? AND c IN (?, ?)",
            "UPDATE t USING TIMESTAMP ? AND TTL ? SET v = v + ? WHERE k = ?",
            "DELETE v FROM d USING TIMESTAMP ? WHERE k = ?",
            "UPDATE t SET v = ? WHERE k = :k", "INSERT INTO d (k) VALUES (?) USING TTL :life",
        ]
        var random = SeededRandom(seed: 20_261_130)
        for _ in 0..<500 {
            let count = Int.random(in: 1...4, using: &random)
            let children = (0..<count).map { _ in writes.randomElement(using: &random) ?? writes[0] }
            let text = count == 1 ? children[0] : "BEGIN BATCH \(children.joined(separator: "; ")) APPLY BATCH"
            let markers = StatementAnalysis.analyze(text).markers
            let values = markers.map { $0.role == .timeToLive ? BoundValue.int(100) : .text("value \($0.index)") }
            let age = Int.random(in: 1...150, using: &random)
            let left = BoundValue.int(Int32(max(1, 100 - age)))
            for late in [
                self.query(text, .positional(values), by: age), self.execute(text, .positional(values), by: age),
            ] {
                guard let late, case .positional(let lateValues) = late.1 else { continue }
                let lateMarkers = StatementAnalysis.analyze(late.0 ?? text).markers
                try #require(lateMarkers.count == lateValues.count, "\(text)")
                for (marker, value) in zip(lateMarkers, lateValues) where marker.role == .timeToLive {
                    #expect(value == left, "\(text)")
                }
                let others = zip(lateMarkers, lateValues).filter { $0.0.role != .timeToLive }.map(\.1)
                #expect(others == zip(markers, values).filter { $0.0.role != .timeToLive }.map(\.1), "\(text)")
            }
        }
    }

    // MARK: What is not clear

    @Test func `a life in a text that the grammar does not know is said to be unclear`() throws {
        let literal = "INSERT INTO t (k) VALUES (1) FROB USING TTL 100"
        #expect(self.late(.query(literal), [literal], by: 40) == .unclear)
        let byDefault = "UPDATE d FROB SET v = 1 WHERE k = 1"
        #expect(self.late(.query(byDefault), [byDefault], by: 40) == .unclear)
        #expect(self.late(.batch([.prepared(1)]), [], by: 40) == .unclear)
        // A marker's value can be changed without the text.
        let marker = try #require(
            self.execute("UPDATE t FROB USING TTL ? SET v = ? WHERE k = 1", .positional([.int(100), .int(1)]))
        )
        #expect(marker.0 == nil && marker.1 == .positional([.int(60), .int(1)]))
    }

    @Test func `what no server takes is left to the server`() {
        let text = "INSERT INTO t (k) VALUES (?) USING TTL ?"
        #expect(self.late(.execute(.positional([.int(1)])), [text], by: 40) == .unchanged)
        #expect(self.late(.prepare(text), [text], by: 40) == .unchanged)
    }

    @Test func `nobody who does not know the tables guesses their defaults`() {
        let text = "INSERT INTO d (k) VALUES (1)"
        let life = RemainingLife(ageSeconds: 40, schema: nil)
        #expect(life.rewriting(.query(text), [WriteStatement(text)]) == .unchanged)
    }
}
