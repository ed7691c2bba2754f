/// What is wrong with bytes of a peer, or with a message that cannot be put into bytes.
///
/// The description names the field and the offset, never the content: a body may hold rows or credentials.
public struct CQLProtocolError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kind of fault. Opaque, so that a new one breaks nobody.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        private enum Value: String {
            case truncated, oversized, malformed, trailingBytes, unsupportedVersion, unknownOpcode, unknownKind
            case nestedTooDeeply, notEncodable, compression
        }

        private let value: Value

        private init(_ value: Value) { self.value = value }

        /// The body ends before the field does.
        public static var truncated: Self { .init(.truncated) }
        /// A length or a count is above its limit, or above what the remaining bytes can hold.
        public static var oversized: Self { .init(.oversized) }
        /// A field holds what the specification does not allow.
        public static var malformed: Self { .init(.malformed) }
        /// Bytes are left after the last field.
        public static var trailingBytes: Self { .init(.trailingBytes) }
        /// Neither version 3 nor version 4, or a feature that the version does not have.
        public static var unsupportedVersion: Self { .init(.unsupportedVersion) }
        /// An opcode that has no message in that direction.
        public static var unknownOpcode: Self { .init(.unknownOpcode) }
        /// A kind (of result, of batch, of flag) that versions 3 and 4 do not have.
        public static var unknownKind: Self { .init(.unknownKind) }
        /// Types within types beyond `DataType.maximumNestingDepth`.
        public static var nestedTooDeeply: Self { .init(.nestedTooDeeply) }
        /// A message or value of ours that the wire cannot carry.
        public static var notEncodable: Self { .init(.notEncodable) }
        /// A compressed body that does not decompress, or one that still is compressed.
        public static var compression: Self { .init(.compression) }

        /// What, and where.
        public var description: String { value.rawValue }
    }

    /// How much the fault spoils.
    public enum BlastRadius: Sendable, Hashable {
        /// This frame alone: its boundaries were clear, so the connection can go on.
        case frame
        /// The connection: where the next frame begins is not known.
        case connection
    }

    /// The kind of fault.
    public var code: Code
    /// The field that was read or written.
    public var what: String
    /// Where in the body (or, for a connection fault, in the stream) it was found.
    public var offset: Int
    /// How much it spoils.
    public var blastRadius: BlastRadius

    /// An error about the field `what` at `offset`.
    public init(_ code: Code, _ what: String, offset: Int = 0, blastRadius: BlastRadius = .frame) {
        self.code = code
        self.what = what
        self.offset = offset
        self.blastRadius = blastRadius
    }

    /// What, and where.
    public var description: String { "\(code): \(what) at byte \(offset)" }
}
