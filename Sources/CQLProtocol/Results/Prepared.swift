public import NIOCore

/// The result of a PREPARE (native protocol v4 §4.2.5.4).
public struct Prepared: Hashable, Sendable {
    /// The id for EXECUTE.
    public var id: ByteBuffer
    /// The bind markers.
    public var variables: PreparedMetadata
    /// The columns of the rows that an execution returns.
    public var result: ResultMetadata

    /// A prepared statement.
    public init(id: ByteBuffer, variables: PreparedMetadata, result: ResultMetadata = .none) {
        self.id = id
        self.variables = variables
        self.result = result
    }

    init(from reader: inout WireReader) throws(CQLProtocolError) {
        id = try reader.shortBytes("prepared id")
        variables = try PreparedMetadata(from: &reader)
        result = try ResultMetadata(from: &reader)
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        try writer.shortBytes(id)
        try variables.write(to: &writer)
        try result.write(to: &writer)
    }
}
