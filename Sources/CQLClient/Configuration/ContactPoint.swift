import NIOCore

/// A place to look for a cluster: a host name, an IPv4 or an IPv6 address, with a port where it is not the default one.
public struct ContactPoint: Hashable, Sendable, CustomStringConvertible {
    /// The name or address, without brackets.
    public let host: String
    /// The port, where the text had one.
    public let port: Int?

    /// The longest name of DNS, with brackets and a port (RFC 1035 §2.3.4).
    private static var bytesMax: Int { 253 + 8 }

    /// A contact point of known parts.
    public init(host: String, port: Int? = nil) {
        self.host = host
        self.port = port
    }

    /// Reads `host`, `host:port`, `address`, `address:port`, `ipv6` or `[ipv6]:port`.
    ///
    /// - Throws: ``ContactPointError`` that says what is wrong with the text.
    public init(parsing text: String) throws(ContactPointError) {
        let trimmed = text.filter { !$0.isWhitespace }
        guard trimmed.count == text.count else { throw ContactPointError(text: text, reason: "it holds white space") }
        guard text.utf8.count <= Self.bytesMax else { throw ContactPointError(text: text, reason: "it is too long") }
        guard !text.contains(where: { "/@?#'\"".contains($0) }) else {
            throw ContactPointError(text: text, reason: "it holds a character that no host has")
        }
        guard !text.isEmpty else { throw ContactPointError(text: text, reason: "it is empty") }
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else {
                throw ContactPointError(text: text, reason: "']' is missing")
            }
            let host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            guard Self.isIPv6(host) else { throw ContactPointError(text: text, reason: "no IPv6 address in brackets") }
            guard rest.isEmpty || rest.hasPrefix(":") else {
                throw ContactPointError(text: text, reason: "only ':port' may follow ']'")
            }
            self.init(host: host, port: rest.isEmpty ? nil : try Self.port(rest.dropFirst(), in: text))
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: self.init(host: text)
        case 2:
            guard !parts[0].isEmpty else { throw ContactPointError(text: text, reason: "the host is missing") }
            self.init(host: String(parts[0]), port: try Self.port(parts[1], in: text))
        default:
            guard Self.isIPv6(text) else {
                throw ContactPointError(text: text, reason: "it has more than one ':' and is no IPv6 address")
            }
            self.init(host: text)
        }
    }

    private static func isIPv6(_ text: String) -> Bool {
        guard case .v6? = try? SocketAddress(ipAddress: text, port: 0) else { return false }
        return true
    }

    private static func port(_ text: Substring, in whole: String) throws(ContactPointError) -> Int {
        guard let port = Int(text), (1...65_535).contains(port), text.allSatisfy(\.isNumber) else {
            throw ContactPointError(text: whole, reason: "the port is not a number from 1 to 65535")
        }
        return port
    }

    /// The text that ``init(parsing:)`` reads.
    public var description: String {
        guard let port else { return self.host }
        return self.host.contains(":") ? "[\(self.host)]:\(port)" : "\(self.host):\(port)"
    }
}

/// A text that is no contact point.
public struct ContactPointError: Error, Hashable, CustomStringConvertible {
    /// The text.
    public let text: String
    /// What is wrong with it.
    public let reason: String

    /// What was found and what is valid.
    public var description: String {
        "'\(self.text.prefix(128))' is no contact point: \(self.reason); write host, host:port, address:port or [ipv6]:port"
    }
}
