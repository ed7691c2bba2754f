import Synchronization

/// Configured credentials whose password may change while connections are made with them. Thread-safe.
public final class RotatingCredentials: Sendable, Hashable {
    /// The user name.
    public let username: String
    private let password: Mutex<String>

    /// Credentials of known parts.
    public init(username: String, password: String) {
        self.username = username
        self.password = Mutex(password)
    }

    /// What the next connection uses.
    public var current: Credentials {
        Credentials(username: self.username, password: self.password.withLock { $0 })
    }

    /// Replaces the password for connections to come; those that stand go on.
    public func replace(password: String) { self.password.withLock { $0 = password } }

    /// The same object.
    public static func == (left: RotatingCredentials, right: RotatingCredentials) -> Bool { left === right }
    /// The object's identity.
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}
