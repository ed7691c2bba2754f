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

    /// Writes a request's header.
    static func withHeader<Result>(
        of request: ProxiedRequest,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: Self.headerBytes, alignment: 8) { bytes in
            var bits: Bits = request.isIdempotent ? .isRepeatable : []
            let identity = request.identity?.journalKey
            if identity != nil { bits.insert(.hasIdentity) }
            bytes[0] = Self.layoutVersion
            bytes[1] = request.opcode.rawValue
            bytes[2] = request.flags.subtracting([.compression, .tracing]).rawValue
            bytes[3] = request.kind.rawValue
            bytes[4] = bits.rawValue
            bytes[5] = (request.identity?.key.version ?? .v4).rawValue
            bytes.storeBytes(of: 0, toByteOffset: 6, as: UInt16.self)
            bytes.storeBytes(of: (identity?.high ?? 0).bigEndian, toByteOffset: 8, as: UInt64.self)
            bytes.storeBytes(of: (identity?.low ?? 0).bigEndian, toByteOffset: 16, as: UInt64.self)
            let length = UInt32(truncatingIfNeeded: request.payload?.readableBytes ?? 0)
            bytes.storeBytes(of: length.bigEndian, toByteOffset: 24, as: UInt32.self)
            bytes.storeBytes(of: 0, toByteOffset: 28, as: UInt32.self)
            return body(UnsafeRawBufferPointer(bytes))
        }
    }
}
