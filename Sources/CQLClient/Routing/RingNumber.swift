import Synchronization

/// Numbers for all rings of the process, so that what was remembered of one is not taken for another one's. Thread-safe.
enum RingNumber {
    private static let last = Atomic<UInt64>(0)

    /// A number that nobody has had; never 0.
    static func next() -> UInt64 { self.last.wrappingAdd(1, ordering: .relaxed).newValue }
}
