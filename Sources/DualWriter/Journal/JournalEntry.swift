import CQLClient
import CQLProtocol
import DualWriteCore
import NIOCore

/// One request as it stands in a journal: what sending it takes, without what is the same for many, its statement's text and its
/// user's name and keyspace, to which it refers.
///
/// Big-endian: layout version, opcode, frame flags, request kind, bits, protocol version (one byte each), two spare bytes, the
/// identity's key (16), the length of the custom payload (4), four spare bytes; the payload; the body.
struct JournalEntry {
    /// A record of another version is kept for the process that can read it.
    static var layoutVersion: UInt8 { 1 }
    static var headerBytes: Int { 32 }

    struct Bits: OptionSet {
        var rawValue: UInt8
        static var isRepeatable: Self { .init(rawValue: 0x01) }
        static var hasIdentity: Self { .init(rawValue: 0x02) }
    }

    let opcode: Opcode
    let flags: FrameFlags
    let kind: RequestKind
    let bits: Bits
    let version: ProtocolVersion
    /// Nil for a client without name and keyspace.
    let identity: StatementID?
    let payload: UnsafeRawBufferPointer
    let body: UnsafeRawBufferPointer

    var isRepeatable: Bool { self.bits.contains(.isRepeatable) }

    /// Reads an entry, whose bytes must outlive it; nil where they make no sense.
    init?(_ bytes: UnsafeRawBufferPointer) {
        let version = ProtocolVersion(rawValue: bytes.count > 5 ? bytes[5] : 0)
        guard bytes.count >= Self.headerBytes, bytes[0] == Self.layoutVersion, version.isSupported,
            let kind = RequestKind(rawValue: bytes[3])
        else { return nil }
        self.opcode = Opcode(rawValue: bytes[1])
        self.flags = FrameFlags(rawValue: bytes[2])
        self.kind = kind
        self.bits = Bits(rawValue: bytes[4])
        self.version = version
        self.identity =
            self.bits.contains(.hasIdentity) ? StatementID(UnsafeRawBufferPointer(rebasing: bytes[8..<24])) : nil
        let length = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: 24, as: UInt32.self))
        let payloadEnd = Self.headerBytes + Int(length)
        guard payloadEnd <= bytes.count else { return nil }
        self.payload = UnsafeRawBufferPointer(rebasing: bytes[Self.headerBytes..<payloadEnd])
        self.body = UnsafeRawBufferPointer(rebasing: bytes[payloadEnd...])
    }

    /// The header's bytes.
    typealias Header = (UInt64, UInt64, UInt64, UInt64)

    /// The header of a request that runs under an identity with this key and version.
    @inline(__always)
    static func header(of request: ProxiedRequest, by key: StatementID?, _ version: ProtocolVersion) -> Header {
        var bits: Bits = request.isIdempotent ? .isRepeatable : []
        if key != nil { bits.insert(.hasIdentity) }
        let flags = request.flags.subtracting([.compression, .tracing])
        var first = UInt64(Self.layoutVersion) << 56 | UInt64(request.opcode.rawValue) << 48
        first |= UInt64(flags.rawValue) << 40 | UInt64(request.kind.rawValue) << 32 | UInt64(bits.rawValue) << 24
        first |= UInt64(version.rawValue) << 16
        let length = UInt32(truncatingIfNeeded: request.payload?.readableBytes ?? 0)
        return (
            first.bigEndian, (key?.high ?? 0).bigEndian, (key?.low ?? 0).bigEndian, (UInt64(length) << 32).bigEndian
        )
    }
}
