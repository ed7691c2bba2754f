public import NIOCore

extension ByteBuffer {
    /// Takes what was gathered, and leaves an empty buffer in its place.
    @inlinable
    public mutating func takeAll() -> ByteBuffer {
        var all = ByteBuffer()
        swap(&all, &self)
        return all
    }

    /// Takes over the memory of a buffer that was handed to a channel, for what is gathered next: unless the channel still holds
    /// it, it is larger than `limit` bytes, or something was gathered meanwhile.
    @inlinable
    public mutating func reuse(_ written: consuming ByteBuffer, upTo limit: Int) {
        guard self.capacity == 0, written.capacity <= limit else { return }
        // Makes new memory where the old one is shared.
        written.clear(minimumCapacity: 0)
        self = written
    }
}
