import CQLSyntax
import TestSupport
import Testing

struct TimeToLiveTextTests {
    private func lives(_ text: String) -> [TimeToLiveText.Life]? { TimeToLiveText(text)?.lives }

    @Test func `a text tells the life of each of its writes`() {
        #expect(self.lives("INSERT INTO t (k) VALUES (1)") == [.unsaid])
        #expect(self.lives("INSERT INTO t (k) VALUES (1) USING TTL 5") == [.seconds(5)])
        #expect(self.lives("INSERT INTO t JSON ? USING TIMESTAMP ? AND TTL 0") == [.seconds(0)])
        #expect(self.lives("UPDATE t USING TTL ? AND TIMESTAMP ? SET v = ? WHERE k = ?") == [.marker(0)])
        #expect(self.lives("INSERT INTO t (k) VALUES (?) USING TIMESTAMP 9 AND TTL :life") == [.marker(1)])
        #expect(self.lives("INSERT INTO t (k) VALUES (?) USING TIMESTAMP 9") == [.unsaid])
        #expect(self.lives("DELETE FROM t USING TIMESTAMP 9 WHERE k = 1") == [.none])
        #expect(self.lives("UPDATE t USING TTL 99999999999999999999 SET v = 1 WHERE k = 1") == [.seconds(.max)])
        #expect(
            self.lives(
                "BEGIN BATCH USING TIMESTAMP ? INSERT INTO t (k) VALUES (?) USING TTL ?; DELETE FROM t WHERE k = 1; "
                    + "UPDATE t SET v = 1 WHERE k = 2; APPLY BATCH"
            ) == [.marker(2), .none, .unsaid]
        )
    }

    @Test(arguments: [
        "SELECT ttl(v) FROM t", "TRUNCATE t", "", "INSERT INTO t (k) VALUES (1) FROB", "BEGIN BATCH", "💥",
    ])
    func `what is no write that the grammar knows tells nothing`(text: String) {
        #expect(TimeToLiveText(text) == nil)
    }

    @Test(arguments: [
        ("INSERT INTO t (k) VALUES (1)", "INSERT INTO t (k) VALUES (1) USING TTL 7"),
        ("INSERT INTO t (k) VALUES (1) ; ", "INSERT INTO t (k) VALUES (1) USING TTL 7 ; "),
        ("INSERT INTO t (k) VALUES (1) -- end", "INSERT INTO t (k) VALUES (1) USING TTL 7 -- end"),
        ("INSERT INTO t (k) VALUES (1) IF NOT EXISTS;", "INSERT INTO t (k) VALUES (1) IF NOT EXISTS USING TTL 7;"),
        ("INSERT INTO t JSON '{\"k\": 1}' DEFAULT UNSET", "INSERT INTO t JSON '{\"k\": 1}' DEFAULT UNSET USING TTL 7"),
        (
            "INSERT INTO t (k) VALUES (1) USING TIMESTAMP 5 -- at\n",
            "INSERT INTO t (k) VALUES (1) USING TIMESTAMP 5 AND TTL 7 -- at\n"
        ),
        (
            "INSERT INTO t (k) VALUES (1) using ttl /* a day */ 86400 and timestamp 5",
            "INSERT INTO t (k) VALUES (1) using ttl /* a day */ 7 and timestamp 5"
        ),
        ("INSERT INTO t (k) VALUES (1) USING TTL :life", "INSERT INTO t (k) VALUES (1) USING TTL 7"),
        ("UPDATE t SET v = 1 WHERE k = 1", "UPDATE t USING TTL 7 SET v = 1 WHERE k = 1"),
        (
            "UPDATE \"K s\" . \"T\"/* x */SET v = 1 WHERE k = 1",
            "UPDATE \"K s\" . \"T\" USING TTL 7 /* x */SET v = 1 WHERE k = 1"
        ),
        (
            "UPDATE ks.t USING TIMESTAMP ? SET v = ? WHERE k = 1",
            "UPDATE ks.t USING TIMESTAMP ? AND TTL 7 SET v = ? WHERE k = 1"
        ),
        (
            "UPDATE t USING TIMEOUT 5s SET v = 1 WHERE k = 1",
            "UPDATE t USING TIMEOUT 5s AND TTL 7 SET v = 1 WHERE k = 1"
        ),
        ("DELETE FROM t WHERE k = 1", "DELETE FROM t WHERE k = 1"),
        (
            "BEGIN BATCH INSERT INTO t (k) VALUES (1)UPDATE t SET v = 'ß' WHERE k = 1; DELETE FROM t WHERE k = 2 APPLY BATCH",
            "BEGIN BATCH INSERT INTO t (k) VALUES (1) USING TTL 7 UPDATE t USING TTL 7 SET v = 'ß' WHERE k = 1; "
                + "DELETE FROM t WHERE k = 2 APPLY BATCH"
        ),
    ])
    func `a number takes the place of a life and everything else stays`(text: String, expected: String) throws {
        let parsed = try #require(TimeToLiveText(text))
        let all = Dictionary(
            uniqueKeysWithValues: parsed.lives.indices.map { ($0, TimeToLiveText.Replacement.seconds(7)) }
        )
        #expect(parsed.replacing(all).text == expected)
    }

    @Test func `a marker takes the place of a life and is told apart from the others`() throws {
        let insert = try #require(TimeToLiveText("INSERT INTO t (k, v) VALUES (?, ?) USING TTL 60 AND TIMESTAMP ?"))
        let changed = insert.replacing([0: .marker])
        #expect(changed.text == "INSERT INTO t (k, v) VALUES (?, ?) USING TTL ? AND TIMESTAMP ?")
        #expect(changed.markers.map(\.origin) == [.kept(0), .kept(1), .life(write: 0), .kept(2)])

        let named = try #require(TimeToLiveText("INSERT INTO t (k, v) VALUES (:k, :life) USING TTL :life"))
        let renamed = named.replacing([0: .marker])
        #expect(renamed.text == "INSERT INTO t (k, v) VALUES (:k, :life) USING TTL :cluster_sync_ttl_0")
        #expect(renamed.markers.map(\.origin) == [.kept(0), .kept(1), .life(write: 0)])
        #expect(renamed.markers.map(\.name) == ["k", "life", "cluster_sync_ttl_0"])

        let batch = try #require(
            TimeToLiveText(
                "BEGIN BATCH UPDATE t SET v = ? WHERE k = ?; INSERT INTO t (k) VALUES (?) USING TTL 9; APPLY BATCH"
            )
        )
        let both = batch.replacing([0: .marker, 1: .marker])
        #expect(
            both.text == "BEGIN BATCH UPDATE t USING TTL :cluster_sync_ttl_0 SET v = ? WHERE k = ?; "
                + "INSERT INTO t (k) VALUES (?) USING TTL :cluster_sync_ttl_1; APPLY BATCH"
        )
        #expect(both.markers.map(\.origin) == [.life(write: 0), .kept(0), .kept(1), .kept(2), .life(write: 1)])
        #expect(batch.replacing([:]).text.hasSuffix("USING TTL 9; APPLY BATCH"))
    }

    @Test func `any write has the wanted life afterwards and says the same of all the rest`() throws {
        var random = SeededRandom(seed: 20_261_125)
        for _ in 0..<3_000 {
            let text = random.text()
            let before = StatementAnalysis.analyze(text)
            let parsed = try #require(TimeToLiveText(text), "\(text)")
            var wanted: [Int: TimeToLiveText.Replacement] = [:]
            for index in parsed.lives.indices where Bool.random(using: &random) {
                wanted[index] = Bool.random(using: &random) ? .marker : .seconds(Int.random(in: 1...99, using: &random))
            }
            let changed = parsed.replacing(wanted)
            let after = StatementAnalysis.analyze(changed.text)
            #expect(after.precision == .parsed, "\(text) became \(changed.text)")
            #expect(after.kind == before.kind && after.table == before.table && after.keyspace == before.keyspace)
            #expect(after.usesTimestamp == before.usesTimestamp && after.hasConditions == before.hasConditions)
            #expect(after.children.map(\.kind) == before.children.map(\.kind))
            self.expect(after, changed, isOf: before, "\(text) became \(changed.text)")
            let lives = try #require(TimeToLiveText(changed.text)).lives
            for (index, life) in parsed.lives.enumerated() {
                switch (wanted[index], life) {
                case (nil, .marker),
                    (.marker, _) where life != .none:
                    guard case .marker = lives[index] else {
                        Issue.record("\(lives[index]) in \(changed.text)")
                        continue
                    }
                case (.seconds(let seconds), _) where life != .none: #expect(lives[index] == .seconds(seconds))
                default: #expect(lives[index] == life)
                }
            }
        }
    }

    /// The markers of the changed text are those that it says it has.
    private func expect(
        _ after: StatementAnalysis,
        _ changed: TimeToLiveText.Changed,
        isOf before: StatementAnalysis,
        _ comment: Comment
    ) {
        #expect(after.markers.map(\.name) == changed.markers.map(\.name), comment)
        for (now, marker) in zip(after.markers, changed.markers) {
            switch marker.origin {
            case .life: #expect(now.role == .timeToLive, comment)
            case .kept(let index):
                let then = before.markers[index]
                #expect(now.role == then.role && now.column == then.column && now.isDirect == then.isDirect, comment)
            }
        }
    }

    @Test func `every piece of a text is survived`() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<200 {
            let bytes = Array(random.text().utf8)
            for length in stride(from: 0, to: bytes.count, by: 7) {
                let text = String(decoding: bytes[..<length], as: UTF8.self)
                guard let parsed = TimeToLiveText(text) else { continue }
                let all = Dictionary(
                    uniqueKeysWithValues: parsed.lives.indices.map { ($0, TimeToLiveText.Replacement.marker) }
                )
                #expect(TimeToLiveText(parsed.replacing(all).text) != nil, "\(text)")
            }
        }
    }
}
