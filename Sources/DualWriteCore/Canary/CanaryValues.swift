/// Values of a column by their bytes, in an order in which one is found without a copy of it.
struct CanaryValues: Sendable {
    private let values: [[UInt8]]

    init(_ values: some Sequence<[UInt8]>) {
        self.values = Set(values).sorted { left, right in
            left.withUnsafeBytes { left in right.withUnsafeBytes { Self.isBefore(left, $0) } }
        }
    }

    var isEmpty: Bool { self.values.isEmpty }

    func contains(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var (low, high) = (0, self.values.count)
        while low < high {
            let middle = (low + high) / 2
            if self.values[middle].withUnsafeBytes({ Self.isBefore($0, bytes) }) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < self.values.count && self.values[low].withUnsafeBytes { !Self.isBefore(bytes, $0) }
    }

    func contains(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { self.contains($0) } }

    /// Whether a list has elements, and all of them are among the values (native protocol v4 §6.12).
    func containsAll(ofList bytes: UnsafeRawBufferPointer) -> Bool {
        guard bytes.count >= 4 else { return false }
        let count = Int32(bigEndian: bytes.loadUnaligned(as: Int32.self))
        guard count > 0 else { return false }
        var offset = 4
        for _ in 0..<count {
            guard bytes.count - offset >= 4 else { return false }
            let length = Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
            offset += 4
            guard length >= 0, length <= bytes.count - offset,
                self.contains(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length]))
            else { return false }
            offset += length
        }
        return offset == bytes.count
    }

    /// Shorter ones come first.
    private static func isBefore(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        left.count == right.count ? left.lexicographicallyPrecedes(right) : left.count < right.count
    }
}
