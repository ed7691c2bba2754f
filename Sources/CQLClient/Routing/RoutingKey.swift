public import CQLProtocol
import NIOCore

/// Which of a statement's values make up the partition key, in the order of the key.
///
/// A value of 24 bytes without a reference, because each request looks at one.
public struct RoutingKey: Sendable, Hashable {
    /// Keys of more columns are not looked for.
    public static var componentsMax: Int { 8 }

    private let count: Int
    private let markers: SIMD8<UInt16>

    /// The key that a PREPARE has told; nil where it tells none: not all of it is bound, or the protocol is v3.
    public init?(_ metadata: PreparedMetadata) {
        self.init(markers: metadata.partitionKeyIndices)
    }

    /// The key of these markers.
    public init?(markers: [UInt16]) {
        guard (1...Self.componentsMax).contains(markers.count) else { return nil }
        self.count = markers.count
        self.markers = SIMD8(markers + repeatElement(.max, count: Self.componentsMax - markers.count))
    }

    /// The token of values by position, as they stand in an EXECUTE or in a child of a BATCH: their number, then each with its
    /// length (native protocol v4 §4.1.4). Nothing is allocated, but for a key of several columns above a kilobyte.
    ///
    /// - Returns: nil where a component is null, unset, too long or not there, and for the empty key, which no server takes.
    public func token(ofValuesIn bytes: UnsafeRawBufferPointer) -> Int64? {
        guard bytes.count >= 2 else { return nil }
        let values = Int(UInt16(bigEndian: bytes.loadUnaligned(as: UInt16.self)))
        var starts = SIMD8<Int32>(repeating: -1)
        var lengths = SIMD8<Int32>(repeating: 0)
        var (found, offset) = (0, 2)
        for value in 0..<values {
            guard bytes.count - offset >= 4 else { return nil }
            let length = Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self)))
            offset += 4
            guard length <= bytes.count - offset else { return nil }
            for component in 0..<self.count where self.markers[component] == UInt16(truncatingIfNeeded: value) {
                guard length >= 0, length <= Int(UInt16.max) else { return nil }
                starts[component] = Int32(truncatingIfNeeded: offset)
                lengths[component] = Int32(truncatingIfNeeded: length)
                found += 1
            }
            if found == self.count { break }
            offset += max(0, length)
        }
        guard found == self.count else { return nil }
        if self.count == 1 {
            guard lengths[0] > 0 else { return nil }
            let start = Int(starts[0])
            return Murmur3Partitioner.token(
                of: UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(lengths[0])])
            )
        }
        return self.token(of: bytes, starts, lengths)
    }

    /// Each component with its length before it and a zero behind it, as Cassandra's `CompositeType` puts them together.
    private func token(of bytes: UnsafeRawBufferPointer, _ starts: SIMD8<Int32>, _ lengths: SIMD8<Int32>) -> Int64 {
        var size = 0
        for component in 0..<self.count { size += 3 + Int(lengths[component]) }
        return withUnsafeTemporaryAllocation(byteCount: size, alignment: 8) { key in
            var offset = 0
            for component in 0..<self.count {
                let (start, length) = (Int(starts[component]), Int(lengths[component]))
                key.storeBytes(of: UInt16(length).bigEndian, toByteOffset: offset, as: UInt16.self)
                UnsafeMutableRawBufferPointer(rebasing: key[(offset + 2)...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + length]))
                key[offset + 2 + length] = 0
                offset += 3 + length
            }
            return Murmur3Partitioner.token(of: UnsafeRawBufferPointer(key))
        }
    }

    /// The token of values that are not bytes of a message yet.
    func token(of values: [BoundValue]) -> Int64? {
        var bytes = ByteBuffer()
        bytes.writeInteger(UInt16(truncatingIfNeeded: values.count))
        for value in values {
            guard case .value(let buffer) = value else {
                bytes.writeInteger(Int32(-1))
                continue
            }
            bytes.writeInteger(Int32(buffer.readableBytes))
            bytes.writeImmutableBuffer(buffer)
        }
        return bytes.withUnsafeReadableBytes { self.token(ofValuesIn: $0) }
    }
}
