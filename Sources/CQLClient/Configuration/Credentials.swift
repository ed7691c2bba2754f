public import NIOCore

/// A user name and a password. Never printed: every description hides both.
public struct Credentials: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    /// The user name. Not for logs.
    public let username: String
    let password: String

    /// Credentials of known parts.
    public init(username: String, password: String) {
        self.username = username
        self.password = password
    }

    /// Reads the token of SASL PLAIN (RFC 4616): an authorization identity, which is not supported and must be empty or the
    /// user name, the user name and the password, parted by NUL.
    public init?(saslPlain token: ByteBuffer) {
        let parts = token.readableBytesView.split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count == 3, let name = String(validating: parts[1], as: UTF8.self),
            let password = String(validating: parts[2], as: UTF8.self), !name.isEmpty,
            parts[0].isEmpty || parts[0].elementsEqual(parts[1])
        else { return nil }
        self.init(username: name, password: password)
    }

    /// Whether both are the same, in a time that does not tell how much of them is.
    public func matches(_ other: Credentials) -> Bool {
        let (mine, others) = (Array(self.saslPlain.readableBytesView), Array(other.saslPlain.readableBytesView))
        guard mine.count == others.count else { return false }
        return zip(mine, others).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// The token of SASL PLAIN.
    var saslPlain: ByteBuffer {
        var token = ByteBuffer()
        token.writeInteger(UInt8(0))
        token.writeString(self.username)
        token.writeInteger(UInt8(0))
        token.writeString(self.password)
        return token
    }

    /// Hides everything.
    public var description: String { "Credentials(hidden)" }
    /// Hides everything.
    public var debugDescription: String { self.description }
    /// Hides everything.
    public var customMirror: Mirror { Mirror(self, children: []) }
}
