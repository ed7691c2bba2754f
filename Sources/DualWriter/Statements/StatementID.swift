import Crypto

/// The proxy's own id of a prepared statement: 16 bytes made of keyspace and text, the same on every sidecar and after every
/// restart, so that a driver's ids stay good wherever its next connection ends (DESIGN §7).
///
/// The first half of a SHA-256. It must be hard to find two texts with one id: whoever could, would have another client's
/// EXECUTE run his own text under that client's name.
struct StatementID: Hashable, Sendable {
    static var byteCount: Int { 16 }

    let high: UInt64
    let low: UInt64

    init(keyspace: String?, text: String) {
        var hash = SHA256()
        Self.add(keyspace, to: &hash)
        var text = text
        text.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
        self.init(hash)
    }

    /// The key of a user's name and keyspace in journals, which no statement has.
    init(user: String?, keyspace: String?) {
        var hash = SHA256()
        withUnsafeBytes(of: Int64(-2).bigEndian) { hash.update(bufferPointer: $0) }
        Self.add(user, to: &hash)
        Self.add(keyspace, to: &hash)
        self.init(hash)
    }

    /// The length parts a text from the next one; no text is another thing than any, the empty one included.
    private static func add(_ text: String?, to hash: inout SHA256) {
        withUnsafeBytes(of: Int64(text?.utf8.count ?? -1).bigEndian) { hash.update(bufferPointer: $0) }
        guard var text else { return }
        text.withUTF8 { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
    }

    private init(_ hash: SHA256) {
        (self.high, self.low) = hash.finalize().withUnsafeBytes {
            (
                UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
                UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            )
        }
    }

    /// Reads an id; nil unless there are exactly 16 bytes.
    @inline(__always)
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.byteCount else { return nil }
        self.high = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self))
        self.low = UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// The length of an id as the protocol's *short bytes*.
    static var shortByteCount: Int { 2 + Self.byteCount }

    /// Writes the id as the protocol's *short bytes*: its length, then its 16 bytes.
    func writeShortBytes(to bytes: UnsafeMutableRawPointer) {
        bytes.storeBytes(of: UInt16(Self.byteCount).bigEndian, as: UInt16.self)
        bytes.storeBytes(of: self.high.bigEndian, toByteOffset: 2, as: UInt64.self)
        bytes.storeBytes(of: self.low.bigEndian, toByteOffset: 10, as: UInt64.self)
    }

    /// The id as the protocol's *short bytes*.
    func withShortBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeTemporaryAllocation(byteCount: Self.shortByteCount, alignment: 1) { bytes in
            if let start = bytes.baseAddress { self.writeShortBytes(to: start) }
            return body(UnsafeRawBufferPointer(bytes))
        }
    }
}
