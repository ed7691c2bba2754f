import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore
import Testing

@testable import DualWriter

struct ValueBindingTests {
    private static func evaluation(_ text: String) throws -> StatementEvaluation {
        let known = KnownStatement(text: text, keyspace: nil, analysis: StatementAnalysis.analyze(text))
        return try #require(known.evaluation)
    }

    private static func text(_ value: String) -> BoundValue { .value(ByteBuffer(string: value)) }

    /// An EXECUTE after values were added to it: `0`, `1` … for the calls.
    private static func adding(_ parameters: QueryParameters, _ text: String) throws -> QueryParameters? {
        let evaluation = try Self.evaluation(text)
        let values = evaluation.values.calls.indices.map { Array("\($0)".utf8) }
        let body = try RequestRewriter.encode(.execute(Execute(id: ByteBuffer(string: "id"), parameters: parameters)))
        let added = try body.withUnsafeReadableBytes { bytes in
            let layout = try #require(RequestLayout(execute: bytes))
            return try ValueBinding.adding(values, for: evaluation, to: bytes, layout)
        }
        return try added.withUnsafeReadableBytes { bytes in
            #expect(RequestLayout(execute: bytes) != nil)
            guard case .execute(let execute) = try RequestRewriter.decode(bytes, opcode: .execute) else { return nil }
            #expect(execute.id == ByteBuffer(string: "id"))
            return execute.parameters
        }
    }

    @Test(arguments: [
        ("INSERT INTO t (a, b) VALUES (?, now())", ["x"], ["x", "0"]),
        ("INSERT INTO t (a, b) VALUES (now(), ?)", ["x"], ["0", "x"]),
        ("INSERT INTO t (a, b, c, d) VALUES (now(), uuid(), ?, now())", ["x"], ["0", "1", "x", "2"]),
        (
            "UPDATE t USING TTL ? SET a = now(), b = ? WHERE k = uuid() AND c = ?", ["x", "y", "z"],
            ["x", "0", "y", "1", "z"]
        ),
        ("INSERT INTO t (a, b) VALUES (:v, now()) USING TTL :v", ["x", "y"], ["x", "0", "y"]),
        // ScyllaDB: one marker for all of one name.
        ("INSERT INTO t (a, b, c) VALUES (:v, now(), :w) USING TTL :v", ["x", "y"], ["x", "0", "y"]),
        ("INSERT INTO t (a, b, c) VALUES (:v, :v, now())", ["x"], ["x", "0"]),
    ])
    func `values by position are put where their markers are`(text: String, given: [String], expected: [String]) throws
    {
        var parameters = QueryParameters(consistency: .localQuorum, values: .positional(given.map { Self.text($0) }))
        parameters.pageSize = 7
        parameters.serialConsistency = .localSerial
        parameters.defaultTimestamp = 17
        let added = try Self.adding(parameters, text)
        parameters.values = .positional(expected.map { Self.text($0) })
        #expect(added == parameters)
    }

    @Test func `nulls, unset values and empty ones stay what they are`() throws {
        let given: [BoundValue] = [.null, .unset, .value(ByteBuffer())]
        let added = try Self.adding(
            QueryParameters(values: .positional(given)),
            "INSERT INTO t (a, b, c, d) VALUES (?, ?, now(), ?)"
        )
        #expect(added?.values == .positional([.null, .unset, Self.text("0"), .value(ByteBuffer())]))
    }

    @Test(arguments: [QueryValues.none, .positional([])])
    func `a statement without markers of its own gets values all the same`(values: QueryValues) throws {
        let added = try Self.adding(QueryParameters(values: values), "INSERT INTO t (a) VALUES (now())")
        #expect(added?.values == .positional([Self.text("0")]))
    }

    @Test func `values with names get company with names`() throws {
        let given = [QueryValues.Named(name: "b", value: Self.text("x")), QueryValues.Named(name: "a", value: .null)]
        let added = try Self.adding(
            QueryParameters(values: .named(given)),
            "UPDATE t SET a = :a, c = uuid() WHERE b = :b AND d = now()"
        )
        #expect(
            added?.values
                == .named(
                    given + [
                        .init(name: "cluster_sync_0", value: Self.text("0")),
                        .init(name: "cluster_sync_1", value: Self.text("1")),
                    ]
                )
        )
    }

    @Test(arguments: [0, 1, 3, 4]) func `another number of values than markers is the client's mistake`(count: Int)
        throws
    {
        let values = Array(repeating: Self.text("x"), count: count)
        #expect(throws: ValueBinding.Fault.wrongCount(markers: 2, values: count)) {
            _ = try Self.adding(
                QueryParameters(values: values.isEmpty ? .none : .positional(values)),
                "UPDATE t SET a = now(), b = ? WHERE k = ?"
            )
        }
    }

    @Test func `there are never more values than can be numbered`() throws {
        let values = (0..<StatementRewriter.markersMax).map { QueryValues.Named(name: "\($0)", value: .null) }
        #expect(throws: ValueBinding.Fault.tooMany) {
            _ = try Self.adding(QueryParameters(values: .named(values)), "INSERT INTO t (a, b) VALUES (now(), :b)")
        }
    }

    @Test func `what is prepared has the kind of what is executed`() throws {
        func statement(_ text: String) -> PreparedStatement {
            let known = KnownStatement(text: text, keyspace: "ks", analysis: StatementAnalysis.analyze(text))
            return PreparedStatement(id: StatementID(keyspace: "ks", text: text), known: known)
        }
        let insert = statement("INSERT INTO t (k, a) VALUES (?, now())")
        #expect(insert.kind == .plainWrite)
        #expect(insert.text == "INSERT INTO t (k, a) VALUES (?, blobAsTimeuuid(?))")
        #expect(insert.known.text == "INSERT INTO t (k, a) VALUES (?, now())")
        #expect(statement("INSERT INTO t (k, a) VALUES (?, {now()})").kind == .plainWrite)
        #expect(statement("UPDATE t SET l = l + [now()] WHERE k = ?").kind == .nonIdempotentWrite)
        let conditional = statement("UPDATE t SET a = now() WHERE k = ? IF b = ? AND c = now()")
        #expect(conditional.kind == .conditional)
        let outcome = try #require(conditional.unconditional)
        #expect(outcome.statement.text == "UPDATE t SET a = blobAsTimeuuid(?) WHERE k = ?")
        #expect(outcome.keptMarkers == [0, 1])
        let plain = statement("INSERT INTO t (k) VALUES (?)")
        #expect(plain.known.analysis === plain.analysis && !plain.hasServerValues)
    }
}
