/// The code of an ERROR (native protocol v4 §9). Unknown codes survive a round trip.
public struct ErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The int on the wire.
    public let rawValue: Int32

    /// Any code.
    public init(rawValue: Int32) { self.rawValue = rawValue }

    /// Something unexpected happened in the server.
    public static var serverError: Self { .init(rawValue: 0x0000) }
    /// The client broke the protocol.
    public static var protocolError: Self { .init(rawValue: 0x000a) }
    /// Wrong credentials.
    public static var badCredentials: Self { .init(rawValue: 0x0100) }
    /// Not enough replicas are up.
    public static var unavailable: Self { .init(rawValue: 0x1000) }
    /// The coordinator has no capacity.
    public static var overloaded: Self { .init(rawValue: 0x1001) }
    /// The coordinator is bootstrapping.
    public static var isBootstrapping: Self { .init(rawValue: 0x1002) }
    /// TRUNCATE failed.
    public static var truncateError: Self { .init(rawValue: 0x1003) }
    /// Replicas did not confirm a write in time.
    public static var writeTimeout: Self { .init(rawValue: 0x1100) }
    /// Replicas did not answer a read in time.
    public static var readTimeout: Self { .init(rawValue: 0x1200) }
    /// Replicas failed to read (v4).
    public static var readFailure: Self { .init(rawValue: 0x1300) }
    /// A user function failed (v4).
    public static var functionFailure: Self { .init(rawValue: 0x1400) }
    /// Replicas failed to write (v4).
    public static var writeFailure: Self { .init(rawValue: 0x1500) }
    /// The CDC space is full (v5).
    public static var cdcWriteFailure: Self { .init(rawValue: 0x1600) }
    /// The outcome of a conditional write is not known (v5).
    public static var casWriteUnknown: Self { .init(rawValue: 0x1700) }
    /// The query has a syntax error.
    public static var syntaxError: Self { .init(rawValue: 0x2000) }
    /// The user may not do this.
    public static var unauthorized: Self { .init(rawValue: 0x2100) }
    /// The query is not valid.
    public static var invalid: Self { .init(rawValue: 0x2200) }
    /// The query is not valid because of the configuration.
    public static var configError: Self { .init(rawValue: 0x2300) }
    /// The keyspace or table exists already.
    public static var alreadyExists: Self { .init(rawValue: 0x2400) }
    /// The prepared statement is not known.
    public static var unprepared: Self { .init(rawValue: 0x2500) }

    private static var names: [Int32: String] {
        [
            0x0000: "SERVER_ERROR", 0x000a: "PROTOCOL_ERROR", 0x0100: "BAD_CREDENTIALS", 0x1000: "UNAVAILABLE",
            0x1001: "OVERLOADED", 0x1002: "IS_BOOTSTRAPPING", 0x1003: "TRUNCATE_ERROR", 0x1100: "WRITE_TIMEOUT",
            0x1200: "READ_TIMEOUT", 0x1300: "READ_FAILURE", 0x1400: "FUNCTION_FAILURE", 0x1500: "WRITE_FAILURE",
            0x1600: "CDC_WRITE_FAILURE", 0x1700: "CAS_WRITE_UNKNOWN", 0x2000: "SYNTAX_ERROR", 0x2100: "UNAUTHORIZED",
            0x2200: "INVALID", 0x2300: "CONFIG_ERROR", 0x2400: "ALREADY_EXISTS", 0x2500: "UNPREPARED",
        ]
    }

    /// The name where there is one, else the number.
    public var description: String { Self.names[rawValue] ?? "0x" + String(rawValue, radix: 16) }
}
