import CQLProtocol
import CQLSyntax
import NIOCore

/// A statement that was parsed, with what a client must know to bind it.
struct PreparedQuery {
    let text: String
    /// The keyspace that was in use when it was prepared.
    let keyspace: String?
    let statement: Statement
    /// The bind markers: names, types and places of the partition key.
    let parameters: PreparedMetadata
    /// The columns of its answer; without columns for all but reads and conditional writes.
    let columns: ResultMetadata
}

/// What a statement led to.
struct Outcome {
    var message: ResultMessage
    var warnings: [String] = []
}

/// Answers requests from the data of a store. Not thread-safe: made and used under the store's lock.
struct Engine {
    let schema: Schema
    /// The node that was asked, and the other ones of its cluster.
    let identity: NodeIdentity
    let peers: [NodeIdentity]

    /// Runs the text of a QUERY.
    func query(_ text: String, _ parameters: QueryParameters, keyspace: String?) throws -> Outcome {
        try self.execute(self.prepare(text, keyspace: keyspace), parameters)
    }

    /// Parses a text and looks up what it names.
    func prepare(_ text: String, keyspace: String?) throws -> PreparedQuery {
        throw NodeError.unsupported("PREPARE")
    }

    /// Runs a prepared statement.
    func execute(_ query: PreparedQuery, _ parameters: QueryParameters) throws -> Outcome {
        throw NodeError.unsupported("EXECUTE")
    }

    /// Runs a BATCH message; `prepared` finds a statement by its id and throws the UNPREPARED error where there is none.
    func batch(_ batch: Batch, keyspace: String?, prepared: (ByteBuffer) throws -> PreparedQuery) throws -> Outcome {
        throw NodeError.unsupported("BATCH")
    }
}
