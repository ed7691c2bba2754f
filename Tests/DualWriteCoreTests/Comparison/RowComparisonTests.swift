import CQLProtocol
import DualWriteCore
import Testing

struct RowComparisonTests {
    private static let partition = "SELECT * FROM t WHERE p = 'a'"
    private static let scan = "SELECT * FROM t"
    private static let lookUp = "SELECT * FROM t WHERE v = 'x'"

    private func compare(_ primary: Rows, _ shadow: Rows, _ text: String = Self.partition) throws -> RowComparison {
        RowComparison(primary: primary, shadow: shadow, of: try #require(ComparedRead.of(text)))
    }

    private func counts(_ found: RowComparison) -> [RowComparison.Difference: Int] {
        Dictionary(uniqueKeysWithValues: found.differences.map { ($0, found[$0]) })
    }

    @Test func `equal rows are equal, and no rows are`() throws {
        let rows = try Rows.pcv([("a", 1, "x"), ("a", 2, "y")])
        #expect(try self.compare(rows, rows).isEqual)
        #expect(try self.compare(.pcv([]), .pcv([])).isEqual)
    }

    @Test func `rows are matched by their key: missing, extra and different ones`() throws {
        let primary = try Rows.pcv([("a", 1, "x"), ("a", 2, "y"), ("b", 3, "z"), ("a", 4, "u")])
        let shadow = try Rows.pcv([("a", 1, "x"), ("a", 2, "other"), ("a", 4, "u"), ("c", 5, "w"), ("c", 6, "w")])
        let found = try self.compare(primary, shadow, Self.scan)
        #expect(self.counts(found) == [.missing: 1, .extra: 2, .different: 1])
        #expect(found.rowsDiffer && !found.isEqual)
        #expect(Set(found.partitions) == [Array("a".utf8), Array("b".utf8), Array("c".utf8)])
    }

    @Test func `without the whole key in the projection one row in the place of another is one difference`() throws {
        let text = "SELECT v FROM t WHERE p = 'a'"
        func rows(_ values: String...) throws -> Rows { try Rows([("v", .varchar)], values.map { [.text($0)] }) }
        #expect(self.counts(try self.compare(rows("x", "y"), rows("x", "z"), text)) == [.different: 1])
        #expect(self.counts(try self.compare(rows("x", "x", "y"), rows("x", "y"), text)) == [.missing: 1])
        #expect(self.counts(try self.compare(rows(), rows("y"), text)) == [.extra: 1])
        #expect(try self.compare(rows("x", "x"), rows("x", "x", "x"), text).partitions == [])
    }

    @Test func `the order counts in a partition and in a scan and nowhere else`() throws {
        let primary = try Rows.pcv([("a", 1, "x"), ("a", 2, "x")])
        let shadow = try Rows.pcv([("a", 2, "x"), ("a", 1, "x")])
        #expect(self.counts(try self.compare(primary, shadow)) == [.order: 1])
        #expect(self.counts(try self.compare(primary, shadow, Self.scan)) == [.order: 1])
        #expect(try self.compare(primary, shadow, Self.lookUp).isEqual)
    }

    @Test func `columns of a star are matched by name, named ones by their place`() throws {
        let left = try Rows([("p", .varchar), ("c", .int)], [[.text("a"), .int(1)]])
        let right = try Rows([("c", .int), ("p", .varchar)], [[.int(1), .text("a")]])
        #expect(try self.compare(left, right).isEqual)
        #expect(self.counts(try self.compare(left, right, "SELECT p, c FROM t WHERE p = 'a'")) == [.schema: 2])
        let renamed = try Rows([("p", .varchar), ("system.count(c)", .int)], [[.text("a"), .int(1)]])
        #expect(try self.compare(left, renamed, "SELECT p, count(c) FROM t WHERE p = 'a'").isEqual)
    }

    @Test func `a column that one side lacks, or has with another type, is a difference of the schema alone`() throws {
        let left = try Rows([("p", .varchar), ("c", .int)], [[.text("a"), .int(1)]])
        let more = try Rows([("p", .varchar), ("x", .int), ("c", .int)], [[.text("a"), .int(9), .int(1)]])
        let found = try self.compare(left, more)
        #expect(self.counts(found) == [.schema: 1] && !found.rowsDiffer && !found.isEqual)
        let typed = try Rows([("p", .varchar), ("c", .bigint)], [[.text("b"), .bigint(1)]])
        #expect(
            self.counts(try self.compare(left, typed))
                == [.missing: 0, .schema: 1, .different: 1].filter { $0.value > 0 }
        )
    }

    @Test func `an alias does not pass for the key`() throws {
        let text = "SELECT v AS p, c FROM t WHERE p = 'a'"
        let left = try Rows([("p", .varchar), ("c", .int)], [[.text("x"), .int(1)]])
        let right = try Rows([("p", .varchar), ("c", .int)], [[.text("y"), .int(1)]])
        #expect(try self.compare(left, right, text).partitions == [])
    }

    @Test func `rows without metadata are read by the other side's`() throws {
        let whole = try Rows.pcv([("a", 1, "x")])
        var bare = whole
        bare.metadata = ResultMetadata(skippedColumnCount: 3)
        #expect(try self.compare(bare, whole).isEqual)
        #expect(self.counts(try self.compare(bare, .pcv([("a", 1, "y")]))) == [.different: 1])
        bare.metadata = ResultMetadata(skippedColumnCount: 2)
        #expect(try self.compare(bare, whole).differences == [.schema])
    }

    @Test func `of pages only what both sides have shown is judged`() throws {
        let all = (1...6).map { ("a", Int32($0), "x") }
        let four = try Rows.pcv(Array(all.prefix(4)), hasMore: true)
        #expect(try self.compare(four, .pcv(Array(all.prefix(2)), hasMore: true)).isEqual)
        #expect(try self.compare(four, .pcv(all)).isEqual)
        // The shadow's rows are all there are: two are lacking.
        #expect(self.counts(try self.compare(four, .pcv(Array(all.prefix(2))))) == [.missing: 2])
        // A row in the middle is lacking, whatever comes behind.
        let gap = try Rows.pcv([all[0], all[2], all[3], all[4]], hasMore: true)
        #expect(self.counts(try self.compare(four, gap)) == [.missing: 1])
        #expect(self.counts(try self.compare(gap, four)) == [.extra: 1])
        // Nothing in common: the first row of one side is not that of the other.
        let others = try Rows.pcv([("a", 9, "x")], hasMore: true)
        #expect(self.counts(try self.compare(four, others)) == [.different: 1])
    }

    @Test func `where nothing orders rows, pages say what is definite and no more`() throws {
        let one = try Rows.pcv([("a", 1, "x")], hasMore: true)
        let two = try Rows.pcv([("b", 1, "x")], hasMore: true)
        let found = try self.compare(one, two, Self.lookUp)
        #expect(found.isUndecidable && !found.isEqual && found.differences == [])
        #expect(try self.compare(one, one, Self.lookUp).isEqual)
        #expect(
            self.counts(try self.compare(one, .pcv([("a", 1, "y")], hasMore: true), Self.lookUp)) == [.different: 1]
        )
        #expect(self.counts(try self.compare(one, .pcv([("b", 1, "x")]), Self.lookUp)) == [.missing: 1])
    }

    @Test(arguments: [" LIMIT 2", " LIMIT ?"])
    func `rows at the limit may have others behind them`(limit: String) throws {
        let two = try Rows.pcv([("a", 1, "x"), ("a", 3, "x")])
        let gap = try Rows.pcv([("a", 1, "x"), ("a", 2, "x")])
        #expect(self.counts(try self.compare(two, gap, Self.partition + limit)) == [.different: 1])
        #expect(self.counts(try self.compare(two, .pcv([("a", 1, "x")]), Self.partition + limit)) == [.missing: 1])
        #expect(try self.compare(two, gap, Self.lookUp + limit).isUndecidable)
    }

    @Test func `no more partitions are told than may be`() throws {
        let primary = try Rows.pcv((0..<100).map { ("p\($0)", 1, "x") })
        let found = try self.compare(primary, .pcv([]), Self.scan)
        #expect(found[.missing] == 100 && found.partitions.count == RowComparison.partitionsMax)
    }
}
