public import CQLSyntax

/// A statement of a request as it must be known to rewrite the request: of a QUERY or EXECUTE its own, of a BATCH one for each
/// child.
public struct WriteStatement: Sendable {
    /// Its text.
    public let text: String
    /// The text's analysis.
    public let analysis: StatementAnalysis
    /// The keyspace for names without one: the connection's, or for a prepared statement the one it was prepared in.
    public let keyspace: String?

    /// A statement of known parts.
    public init(text: String, analysis: StatementAnalysis, keyspace: String?) {
        self.text = text
        self.analysis = analysis
        self.keyspace = keyspace
    }

    /// The writes of the text: itself, or the children of a text batch.
    var writes: [StatementAnalysis] {
        self.analysis.kind == .batch ? self.analysis.children : [self.analysis]
    }
}
