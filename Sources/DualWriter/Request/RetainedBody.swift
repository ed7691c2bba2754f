/// The bytes of one request body, kept for as long as the request may have to be sent (again).
///
/// The memory belongs to a pooled ``ProxiedRequest`` and is used again by the next request in it, so that keeping a body
/// costs one copy and no allocation. What a large body needed is given back with ``reset()``.
struct RetainedBody: ~Copyable {
    /// Memory up to this size stays with the pooled request; 4 KiB covers nearly every statement.
    static var keptBytesMax: Int { 4_096 }

    private var storage: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init() {
        self.storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    deinit {
        self.storage.deallocate()
    }

    /// The bytes, valid until the next mutation.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: self.storage.baseAddress, count: self.count)
    }

    /// Replaces the content by a copy of `bytes`, with room for `extra` bytes that are appended later.
    mutating func assign(_ bytes: UnsafeRawBufferPointer, reserving extra: Int = 0) {
        self.reserve(bytes.count + extra)
        if bytes.count > 0 { self.storage.copyMemory(from: bytes) }
        self.count = bytes.count
    }

    /// Changes bytes in place.
    mutating func withMutableBytes<Result>(_ body: (UnsafeMutableRawBufferPointer) -> Result) -> Result {
        body(UnsafeMutableRawBufferPointer(start: self.storage.baseAddress, count: self.count))
    }

    /// Appends a big-endian integer.
    mutating func append(_ value: Int64) {
        self.reserve(self.count + 8, keeping: true)
        withUnsafeBytes(of: value.bigEndian) {
            UnsafeMutableRawBufferPointer(rebasing: self.storage[self.count..<self.count + 8]).copyMemory(from: $0)
        }
        self.count += 8
    }

    /// Forgets the content; memory beyond ``keptBytesMax`` is freed.
    mutating func reset() {
        self.count = 0
        if self.storage.count > Self.keptBytesMax {
            self.storage.deallocate()
            self.storage = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
    }

    /// What is kept is used again by longer bodies; what is given back need not be longer than its body.
    private static func capacity(for bytes: Int) -> Int {
        bytes > Self.keptBytesMax ? bytes : max(256, 1 << (Int.bitWidth - (bytes - 1).leadingZeroBitCount))
    }

    private mutating func reserve(_ bytes: Int, keeping: Bool = false) {
        guard bytes > self.storage.count else { return }
        let grown = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.capacity(for: bytes),
            alignment: MemoryLayout<UInt64>.alignment
        )
        if keeping, self.count > 0 { grown.copyMemory(from: self.bytes) }
        self.storage.deallocate()
        self.storage = grown
    }
}
