import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore
import Testing

@testable import DualWriter

struct RewrittenTextsTests {
    private static func statement(_ text: String) -> PreparedStatement {
        PreparedStatement(
            id: StatementID(keyspace: "ks", text: text),
            known: KnownStatement(text: text, keyspace: "ks", analysis: StatementAnalysis.analyze(text))
        )
    }

    private static let schema = SchemaShapes(
        tables: ["ks": ["t": TableShape(columns: [:], defaultTimeToLive: 100)]]
    )

    private static func statement(_ text: String) -> WriteStatement {
        WriteStatement(text: text, analysis: StatementAnalysis.analyze(text), keyspace: "ks")
    }

    private static func id(_ text: String) -> ByteBuffer {
        StatementID(keyspace: "ks", text: text).withShortBytes { ByteBuffer(bytes: $0.dropFirst(2)) }
    }

    private static func late(_ request: Request, _ texts: [String]) throws -> RewrittenRequest {
        let life = RemainingLife(ageSeconds: 40, schema: Self.schema)
        guard case .changed(let rewritten) = life.rewriting(request, texts.map(Self.statement)) else {
            throw CQLProtocolError(.malformed, "nothing was rewritten")
        }
        return rewritten
    }

    private static func decode(_ body: ByteBuffer, _ opcode: Opcode) throws -> Request {
        try body.withUnsafeReadableBytes { try RequestRewriter.decode($0, opcode: opcode) }
    }

    @Test func `an EXECUTE gets the id of its new text`() throws {
        let text = "INSERT INTO t (k) VALUES (?)"
        let changed = "INSERT INTO t (k) VALUES (?) USING TTL ?"
        let values = QueryValues.positional([.value(ByteBuffer(integer: Int32(7)))])
        let parameters = QueryParameters(consistency: .quorum, values: values, defaultTimestamp: 9)
        let request = Request.execute(Execute(id: Self.id(text), parameters: parameters))
        let (body, statements) = try RequestRewriter.encode(try Self.late(request, [text])) { Self.statement($1) }
        #expect(statements.mapValues(\.text) == [0: changed])
        #expect(statements[0]?.kind == .plainWrite && statements[0]?.keyspace == "ks")
        var late = parameters
        late.values = .positional([.value(ByteBuffer(integer: Int32(7))), .value(ByteBuffer(integer: Int32(60)))])
        #expect(try Self.decode(body, .execute) == .execute(Execute(id: Self.id(changed), parameters: late)))
    }

    @Test func `the prepared children of a BATCH get theirs`() throws {
        let texts = ["DELETE FROM t WHERE k = 1", "UPDATE t SET v = 1 WHERE k = 1", "UPDATE t SET v = 2 WHERE k = 2"]
        let children = [
            Batch.Child(.prepared(id: Self.id(texts[0]))), Batch.Child(.prepared(id: Self.id(texts[1]))),
            Batch.Child(.text(texts[2])),
        ]
        let batch = Batch(children: children, consistency: .one, defaultTimestamp: 9)
        let (body, statements) = try RequestRewriter.encode(try Self.late(.batch(batch), texts)) { Self.statement($1) }
        let changed = "UPDATE t USING TTL ? SET v = 1 WHERE k = 1"
        #expect(statements.mapValues(\.text) == [1: changed])
        var late = batch
        late.children[1] = Batch.Child(
            .prepared(id: Self.id(changed)),
            values: [.value(ByteBuffer(integer: Int32(60)))]
        )
        late.children[2].statement = .text("UPDATE t USING TTL 60 SET v = 2 WHERE k = 2")
        #expect(try Self.decode(body, .batch) == .batch(late))
    }

    @Test func `a QUERY has nothing to prepare`() throws {
        let text = "INSERT INTO t (k) VALUES (1)"
        let (body, statements) = try RequestRewriter.encode(try Self.late(.query(Query(text)), [text])) {
            Self.statement($1)
        }
        #expect(statements.isEmpty)
        #expect(try Self.decode(body, .query) == .query(Query("INSERT INTO t (k) VALUES (1) USING TTL 60")))
    }
}
