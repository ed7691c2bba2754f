import CQLProtocol
import NIOCore

/// What an answer to PREPARE says of a statement's markers (native protocol v4 §4.2.5.4), without those that the proxy has put
/// into its text.
enum BindMetadata {
    /// How deeply types may be nested; deeper ones are malformed.
    private static var typeDepthMax: Int { 32 }

    private struct Flags: OptionSet {
        var rawValue: Int32
        static var globalTable: Self { .init(rawValue: 0x01) }
    }

    /// The bytes behind the id without certain markers. All else stays as it is, flags and types that are not known
    /// here included; what describes rows is not looked at.
    ///
    /// Partition-key indices are those of the markers that are left. Where one of them is of a marker that is not, there are
    /// none, as servers say it of a key that is not wholly bound.
    ///
    /// - Parameter removed: which of a number of markers go, in ascending order; nil where there should not be so many.
    /// - Returns: nil where the bytes are malformed or not of these markers.
    static func removing(
        _ removed: (_ count: Int) -> [Int]?,
        from bytes: UnsafeRawBufferPointer,
        version: ProtocolVersion
    ) -> ByteBuffer? {
        var cursor = ByteCursor(bytes)
        guard let rawFlags = cursor.int32(), let count = cursor.int32(), count >= 0, let gone = removed(Int(count))
        else {
            return nil
        }
        var flags = Flags(rawValue: rawFlags)
        var keys: [Int] = []
        if version >= .v4 {
            guard let keyCount = cursor.int32(), keyCount >= 0 else { return nil }
            for _ in 0..<keyCount {
                guard let key = cursor.uint16() else { return nil }
                keys.append(Int(key))
            }
        }
        var table = cursor.offset..<cursor.offset
        if flags.contains(.globalTable) {
            guard cursor.takeString() != nil, cursor.takeString() != nil else { return nil }
            table = table.lowerBound..<cursor.offset
        }
        let isGlobal = flags.contains(.globalTable)
        var kept: [Range<Int>] = []
        /// For each marker its new index, or nil.
        var indices: [UInt16?] = []
        for index in 0..<Int(count) {
            let start = cursor.offset
            if !isGlobal { guard cursor.takeString() != nil, cursor.takeString() != nil else { return nil } }
            guard cursor.takeString() != nil, Self.takeType(&cursor, depth: 0) else { return nil }
            if indices.count - kept.count < gone.count, gone[indices.count - kept.count] == index {
                indices.append(nil)
            } else {
                indices.append(UInt16(truncatingIfNeeded: kept.count))
                kept.append(start..<cursor.offset)
            }
        }
        guard indices.count - kept.count == gone.count else { return nil }
        if kept.isEmpty {
            flags.remove(.globalTable)
            table = table.lowerBound..<table.lowerBound
        }
        var result = ByteBuffer()
        result.reserveCapacity(bytes.count)
        result.writeInteger(flags.rawValue)
        result.writeInteger(Int32(kept.count))
        if version >= .v4 {
            let left = keys.compactMap { $0 < indices.count ? indices[$0] : nil }
            let isWhole = left.count == keys.count
            result.writeInteger(Int32(isWhole ? left.count : 0))
            if isWhole { for key in left { result.writeInteger(key) } }
        }
        result.writeBytes(bytes[table])
        for marker in kept { result.writeBytes(bytes[marker]) }
        result.writeBytes(bytes[cursor.offset...])
        return result
    }

    /// The markers of the partition key, in its order; nil where the bytes are malformed. Of version 4, which alone tells them.
    static func partitionKey(_ bytes: UnsafeRawBufferPointer) -> [UInt16]? {
        var cursor = ByteCursor(bytes)
        guard cursor.int32() != nil, cursor.int32() != nil, let count = cursor.int32(), count >= 0 else { return nil }
        var markers: [UInt16] = []
        for _ in 0..<count {
            guard let marker = cursor.uint16() else { return nil }
            markers.append(marker)
        }
        return markers
    }

    /// Walks over an [option] that tells a type (native protocol v4 §4.2.5.2).
    private static func takeType(_ cursor: inout ByteCursor, depth: Int) -> Bool {
        guard depth < Self.typeDepthMax, let id = cursor.uint16() else { return false }
        switch id {
        case 0x0000: return cursor.takeString() != nil
        case 0x0020, 0x0022: return Self.takeType(&cursor, depth: depth + 1)
        case 0x0021:
            return Self.takeType(&cursor, depth: depth + 1) && Self.takeType(&cursor, depth: depth + 1)
        case 0x0030:
            guard cursor.takeString() != nil, cursor.takeString() != nil, let count = cursor.uint16() else {
                return false
            }
            for _ in 0..<count {
                guard cursor.takeString() != nil, Self.takeType(&cursor, depth: depth + 1) else { return false }
            }
            return true
        case 0x0031:
            guard let count = cursor.uint16() else { return false }
            for _ in 0..<count { guard Self.takeType(&cursor, depth: depth + 1) else { return false } }
            return true
        default: return true
        }
    }
}
