/// A node, by the address and port on which it speaks CQL.
public struct NodeID: Hashable, Sendable, CustomStringConvertible {
    /// The address or name.
    public let host: String
    /// The port.
    public let port: Int

    /// A node of known address.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// `host:port`.
    public var description: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }
}
