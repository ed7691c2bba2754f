/// Why two readers cannot compare by digests. Shows neither values nor credentials.
public struct DigestError: Error, Sendable, CustomStringConvertible {
    /// The kinds.
    public enum Code: String, Sendable, Hashable {
        /// Nobody answers.
        case away
        /// It answers, but makes no progress.
        case slow
        /// It has as much to read as it may at a time.
        case busy
        /// The bearer token is missing or wrong.
        case unauthorized
        /// It speaks another version of the protocol, or is no reader at all.
        case version
        /// It stands near another cluster than it is asked about.
        case cluster
        /// It compares otherwise: its configuration is another one.
        case settings
        /// Its cluster has the table with other columns, or not at all.
        case columns
        /// Its cluster cannot be read.
        case unreadable
        /// What came is not what was asked for.
        case malformed
    }

    /// The kind.
    public let code: Code
    /// What happened, and what to do.
    public let description: String

    /// An error.
    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Whether it may pass by itself.
    public var isTransient: Bool {
        switch self.code {
        case .away, .slow, .busy, .unreadable: true
        case .unauthorized, .version, .cluster, .settings, .columns, .malformed: false
        }
    }
}
