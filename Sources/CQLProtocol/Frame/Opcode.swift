/// What a frame is (native protocol v4 §2.4). Unknown opcodes survive a round trip.
public struct Opcode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    /// The byte on the wire.
    public let rawValue: UInt8

    /// Any byte.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// ERROR (response).
    public static var error: Self { .init(rawValue: 0x00) }
    /// STARTUP (request).
    public static var startup: Self { .init(rawValue: 0x01) }
    /// READY (response).
    public static var ready: Self { .init(rawValue: 0x02) }
    /// AUTHENTICATE (response).
    public static var authenticate: Self { .init(rawValue: 0x03) }
    /// OPTIONS (request).
    public static var options: Self { .init(rawValue: 0x05) }
    /// SUPPORTED (response).
    public static var supported: Self { .init(rawValue: 0x06) }
    /// QUERY (request).
    public static var query: Self { .init(rawValue: 0x07) }
    /// RESULT (response).
    public static var result: Self { .init(rawValue: 0x08) }
    /// PREPARE (request).
    public static var prepare: Self { .init(rawValue: 0x09) }
    /// EXECUTE (request).
    public static var execute: Self { .init(rawValue: 0x0a) }
    /// REGISTER (request).
    public static var register: Self { .init(rawValue: 0x0b) }
    /// EVENT (response, stream -1).
    public static var event: Self { .init(rawValue: 0x0c) }
    /// BATCH (request).
    public static var batch: Self { .init(rawValue: 0x0d) }
    /// AUTH_CHALLENGE (response).
    public static var authChallenge: Self { .init(rawValue: 0x0e) }
    /// AUTH_RESPONSE (request).
    public static var authResponse: Self { .init(rawValue: 0x0f) }
    /// AUTH_SUCCESS (response).
    public static var authSuccess: Self { .init(rawValue: 0x10) }

    /// Whether it is a request of versions 3 and 4.
    public var isRequest: Bool {
        switch rawValue {
        case 0x01, 0x05, 0x07, 0x09, 0x0a, 0x0b, 0x0d, 0x0f: true
        default: false
        }
    }

    /// Whether it is a response of versions 3 and 4.
    public var isResponse: Bool {
        switch rawValue {
        case 0x00, 0x02, 0x03, 0x06, 0x08, 0x0c, 0x0e, 0x10: true
        default: false
        }
    }

    /// The name where there is one, else the number.
    public var description: String {
        let names = [
            "ERROR", "STARTUP", "READY", "AUTHENTICATE", "0x04", "OPTIONS", "SUPPORTED", "QUERY", "RESULT", "PREPARE",
            "EXECUTE", "REGISTER", "EVENT", "BATCH", "AUTH_CHALLENGE", "AUTH_RESPONSE", "AUTH_SUCCESS",
        ]
        return Int(rawValue) < names.count ? names[Int(rawValue)] : "0x" + String(rawValue, radix: 16)
    }
}
