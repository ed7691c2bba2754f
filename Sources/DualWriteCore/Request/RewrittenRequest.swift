public import CQLProtocol

/// A request in another form than the client gave it.
public struct RewrittenRequest: Sendable, Hashable {
    /// The message. Prepared statements whose text is in ``texts`` still have their former ids in it.
    public var request: Request
    /// The texts that an EXECUTE (at 0) or the prepared children of a BATCH (at their places in ``request``) run instead of the
    /// ones they had, for the caller to prepare. What differs from request to request is in the values, so that a text comes
    /// again and again.
    public var texts: [Int: String]

    /// A request of known parts.
    public init(_ request: Request, texts: [Int: String] = [:]) {
        self.request = request
        self.texts = texts
    }
}
