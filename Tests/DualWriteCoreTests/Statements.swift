import CQLProtocol
import CQLSyntax
import DualWriteCore

extension WriteStatement {
    /// A statement of a connection that uses the keyspace `ks`.
    init(_ text: String) {
        self.init(text: text, analysis: StatementAnalysis.analyze(text), keyspace: "ks")
    }
}

extension BoundValue {
    /// An int.
    static func int(_ value: Int32) -> BoundValue {
        BoundValue(bytes: withUnsafeBytes(of: value.bigEndian) { Array($0) })
    }

    /// A text.
    static func text(_ value: String) -> BoundValue { BoundValue(bytes: Array(value.utf8)) }
}

extension Request {
    /// A QUERY.
    static func query(_ text: String, _ values: QueryValues = .none, timestamp: Int64? = 5) -> Request {
        .query(
            Query(
                text,
                parameters: QueryParameters(consistency: .localQuorum, values: values, defaultTimestamp: timestamp)
            )
        )
    }

    /// An EXECUTE of a statement with some id.
    static func execute(_ values: QueryValues = .none, timestamp: Int64? = 5) -> Request {
        guard case .value(let id) = BoundValue(bytes: [UInt8](repeating: 7, count: 16)) else {
            preconditionFailure("bytes are a value")
        }
        let parameters = QueryParameters(consistency: .localQuorum, values: values, defaultTimestamp: timestamp)
        return .execute(Execute(id: id, parameters: parameters))
    }

    /// A BATCH.
    static func batch(_ children: [Batch.Child], timestamp: Int64? = 5) -> Request {
        .batch(Batch(kind: .unlogged, children: children, consistency: .localQuorum, defaultTimestamp: timestamp))
    }
}

extension Batch.Child {
    /// A prepared child with an id of one byte.
    static func prepared(_ id: UInt8, _ values: [BoundValue] = []) -> Batch.Child {
        guard case .value(let id) = BoundValue(bytes: [id]) else { preconditionFailure("bytes are a value") }
        return Batch.Child(.prepared(id: id), values: values)
    }
}
