import CQLProtocol
import NIOCore
import Testing

@testable import EmbeddedNode

/// An engine with one keyspace, and its answers as values.
struct Database {
    let engine: Engine

    init(release: String = "4.1.6", _ statements: String...) throws {
        let address = try #require(InetAddress(ByteBuffer(bytes: [127, 0, 0, 1])))
        let identity = NodeIdentity(
            clusterName: "test",
            endpoint: InetEndpoint(address: address, port: 9042),
            hostID: CQLUUID(high: 1, low: 2),
            dataCenter: "dc1",
            rack: "rack1",
            releaseVersion: release,
            tokens: [0]
        )
        self.engine = Engine(schema: Schema(), identity: identity, peers: [], peersAlive: 0)
        try self.run("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
        for statement in statements { try self.run(statement) }
    }

    @discardableResult
    func run(_ text: String, _ values: [BoundValue] = [], at timestamp: Int64? = nil) throws -> Outcome {
        let parameters = QueryParameters(
            values: values.isEmpty ? .none : .positional(values),
            defaultTimestamp: timestamp
        )
        return try self.engine.query(text, parameters, keyspace: "k")
    }

    /// The rows of a statement, decoded.
    func rows(_ text: String, _ values: [BoundValue] = []) throws -> [[CQLValue]] {
        guard case .rows(let rows) = try self.run(text, values).message else { return [] }
        return try rows.map { row in try row.cells.indices.map { try row.value(at: $0) } }
    }

    /// The names of the columns of a statement's rows.
    func columns(_ text: String) throws -> [String] {
        guard case .rows(let rows) = try self.run(text).message else { return [] }
        return rows.metadata.columns.map(\.name)
    }

    /// The message that a statement is refused with.
    func refusal(_ text: String, _ values: [BoundValue] = []) -> String? {
        do {
            try self.run(text, values)
            return nil
        } catch {
            return (error as? NodeError)?.message.message
        }
    }
}

extension BoundValue {
    static func int(_ value: Int32) -> BoundValue { .value(ByteBuffer(integer: value)) }
    static func bigint(_ value: Int64) -> BoundValue { .value(ByteBuffer(integer: value)) }
    static func text(_ value: String) -> BoundValue { .value(ByteBuffer(string: value)) }
}
