/// QUERY (native protocol v4 §4.1.4).
public struct Query: Hashable, Sendable {
    /// The CQL text.
    public var text: String
    /// The parameters.
    public var parameters: QueryParameters

    /// A query.
    public init(_ text: String, parameters: QueryParameters = QueryParameters()) {
        self.text = text
        self.parameters = parameters
    }
}
