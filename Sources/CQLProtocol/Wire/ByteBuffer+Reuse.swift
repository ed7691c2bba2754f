public import NIOCore

extension ByteBuffer {
    /// Empties the buffer and keeps its memory for what is written next, unless somebody else still refers to it or it is larger
    /// than `limit` bytes.
    @inlinable
    public mutating func clear(keeping limit: Int) {
        if self.capacity > limit {
            self = ByteBuffer()
        } else {
            // Makes new memory where the old one is shared.
            self.clear(minimumCapacity: 0)
        }
    }
}
