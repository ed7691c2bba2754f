import TestSupport

/// Bytes at the end of what a log holds that are not what was written.
struct JournalDamage: Sendable {
    /// How many at least.
    var bytes: Int
    /// What they are changed by; nil: zeros take their place.
    var mask: UInt8?

    /// The header of a segment's file; where nothing is behind it, nothing can be damaged.
    private static var headerBytes: Int { 64 }
    /// Where the header tells the end of the last record, in eight little-endian bytes.
    private static var endOffset: Int { 56 }
    private static var paddingBytes: Int { 8 }

    /// Changes the last bytes of what the last file of a log holds.
    ///
    /// - Returns: whether there were any.
    @discardableResult
    func inflict(on folder: TemporaryFolder, log: String) throws -> Bool {
        guard let name = folder.names(in: log).filter({ $0.hasPrefix("segment-") }).max() else { return false }
        var bytes = try Fixtures.bytes("\(folder.path)/\(log)/\(name)")
        // Behind the end that the header tells stand the remains of what was finished before.
        let end = bytes[Self.endOffset..<Self.headerBytes].reversed().reduce(0) { $0 << 8 | Int($1) }
        guard end > Self.headerBytes, end <= bytes.count else { return false }
        // The last bytes may be padding, which means nothing.
        for index in max(Self.headerBytes, end - Self.paddingBytes - self.bytes)..<end {
            bytes[index] = self.mask.map { bytes[index] ^ $0 } ?? 0
        }
        try folder.overwrite("\(log)/\(name)", with: bytes)
        return true
    }
}
