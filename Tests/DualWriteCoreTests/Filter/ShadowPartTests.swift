import CQLProtocol
import CQLSyntax
import DualWriteCore
import Testing

struct ShadowPartTests {
    private static let text =
        "BEGIN BATCH USING TIMESTAMP ? INSERT INTO a (k) VALUES (?); UPDATE b SET v = :v WHERE k = :k; APPLY BATCH"

    @Test func `all and nothing need no other request`() {
        let request = Request.query(Self.text)
        #expect(ShadowPart(of: request, nil, share: .whole) == .whole)
        #expect(ShadowPart(of: request, nil, share: .nothing) == .nothing)
    }

    @Test func `a protocol batch keeps the wanted children and everything else`() {
        let children =
            (1...4).map { Batch.Child.prepared($0, [.int(Int32($0)), .null, .unset]) } + [Batch.Child(.text(Self.text))]
        let part = ShadowPart(of: .batch(children), nil, share: .children([1, 4]))
        #expect(part == .part(RewrittenRequest(.batch([children[1], children[4]])), children: [1, 4]))
        #expect(ShadowPart(of: .batch(children), nil, share: .children([5])) == .unclear)
    }

    @Test func `a text batch keeps its timestamp and the values of what is left`() throws {
        let statement = WriteStatement(Self.text)
        let values = [BoundValue.int(9), .int(1), .int(2), .int(3)]
        let expected = "BEGIN BATCH USING TIMESTAMP ? UPDATE b SET v = :v WHERE k = :k; APPLY BATCH"
        let query = ShadowPart(of: .query(Self.text, .positional(values)), statement, share: .children([1]))
        #expect(
            query == .part(RewrittenRequest(.query(expected, .positional([.int(9), .int(2), .int(3)]))), children: [1])
        )
        let execute = ShadowPart(of: .execute(.positional(values)), statement, share: .children([1]))
        #expect(
            execute
                == .part(
                    RewrittenRequest(.execute(.positional([.int(9), .int(2), .int(3)])), texts: [0: expected]),
                    children: [1]
                )
        )
    }

    @Test func `named values go with their markers`() {
        let text = "BEGIN BATCH INSERT INTO a (k) VALUES (:x); INSERT INTO b (k, v, w) VALUES (:x, :y, :x); APPLY BATCH"
        let named = ["y", "x"].map { QueryValues.Named(name: $0, value: .text($0)) }
        func values(_ child: Int, _ values: QueryValues) -> QueryValues? {
            guard
                case .part(let rewritten, _) = ShadowPart(
                    of: .query(text, values),
                    WriteStatement(text),
                    share: .children([child])
                ), case .query(let query) = rewritten.request
            else { return nil }
            return query.parameters.values
        }
        #expect(values(0, .named(named)) == .named([named[1]]))
        #expect(values(1, .named(named)) == .named(named))
        // ScyllaDB: a value for each name.
        #expect(values(1, .positional([.text("x"), .text("y")])) == .positional([.text("x"), .text("y")]))
        #expect(values(0, .positional([.text("x"), .text("y")])) == .positional([.text("x")]))
    }

    @Test func `a part without markers has no values`() {
        let text = "BEGIN BATCH INSERT INTO a (k) VALUES (?); INSERT INTO b (k) VALUES (1); APPLY BATCH"
        let part = ShadowPart(of: .query(text, .positional([.int(1)])), WriteStatement(text), share: .children([1]))
        #expect(
            part
                == .part(
                    RewrittenRequest(.query("BEGIN BATCH INSERT INTO b (k) VALUES (1); APPLY BATCH")),
                    children: [1]
                )
        )
    }

    @Test func `what the grammar does not know is not cut`() {
        let text = "BEGIN BATCH INSERT INTO a (k) VALUES (1) FROB; INSERT INTO b (k) VALUES (1); APPLY BATCH"
        let statement = WriteStatement(text)
        #expect(statement.analysis.children.count == 2)
        #expect(ShadowPart(of: .query(text), statement, share: .children([1])) == .unclear)
        #expect(ShadowPart(of: .query(text), nil, share: .children([1])) == .unclear)
        let known = "BEGIN BATCH INSERT INTO a (k) VALUES (1); INSERT INTO b (k) VALUES (1); APPLY BATCH"
        #expect(ShadowPart(of: .query(known), WriteStatement(known), share: .children([2])) == .unclear)
        #expect(ShadowPart(of: .options, statement, share: .children([1])) == .unclear)
    }
}
