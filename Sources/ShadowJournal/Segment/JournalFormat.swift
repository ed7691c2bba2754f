/// The format of segment files, for tests that need a file of another one.
package enum JournalFormat {
    /// The version that this program writes.
    package static var version: UInt32 { SegmentHeader.version }

    /// The bytes of a segment file with another version in an intact header.
    package static func withVersion(_ version: UInt32, _ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        bytes.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress, var header = SegmentHeader(UnsafeRawBufferPointer(bytes)) else {
                return
            }
            header.version = version
            header.write(to: base)
        }
        return bytes
    }

    /// The last field of a segment's header: the end of its records.
    package static func bytes(ofEnd end: Int) -> [UInt8] { withUnsafeBytes(of: UInt64(end).littleEndian) { Array($0) } }
}
