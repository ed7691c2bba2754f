/// One of the values that an EXECUTE gives by position, found where it lies: nothing is copied or kept.
enum PositionalValue {
    /// The bytes end before it does, or it lies behind the last one.
    case cutOff
    /// Null or unset.
    case absent
    case bytes(UnsafeRawBufferPointer)

    /// Looks for a value.
    ///
    /// - Parameters:
    ///   - place: which one, from 0 on.
    ///   - bytes: the number of values in two bytes, then each with its length (native protocol v4 §4.1.4). They may be
    ///     anybody's; the number is the caller's to judge.
    init(at place: Int, in bytes: UnsafeRawBufferPointer) {
        var offset = 2
        for position in 0...place {
            guard bytes.count - offset >= 4 else { break }
            let length = Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
            offset += 4
            guard length <= bytes.count - offset else { break }
            if position == place {
                self = length < 0 ? .absent : .bytes(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length]))
                return
            }
            offset += max(0, length)
        }
        self = .cutOff
    }
}
