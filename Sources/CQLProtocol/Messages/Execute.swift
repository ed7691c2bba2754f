public import NIOCore

/// EXECUTE (native protocol v4 §4.1.6).
public struct Execute: Hashable, Sendable {
    /// The id of the prepared statement.
    public var id: ByteBuffer
    /// The parameters.
    public var parameters: QueryParameters

    /// An execution of the prepared statement `id`.
    public init(id: ByteBuffer, parameters: QueryParameters = QueryParameters()) {
        self.id = id
        self.parameters = parameters
    }
}
