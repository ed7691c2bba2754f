/// Why something about ranges or jobs cannot be done. Shows neither keys nor credentials.
public struct TokenRangesError: Error, Sendable, CustomStringConvertible {
    /// The kinds.
    public struct Code: Sendable, Hashable {
        private enum Value { case unsupportedPartitioner, unreadableRing, otherJob, noSuchJob, leaseLost, storage }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// The cluster's partitioner is not Murmur3.
        public static var unsupportedPartitioner: Self { .init(.unsupportedPartitioner) }
        /// The cluster does not tell its tokens, or they are none of Murmur3.
        public static var unreadableRing: Self { .init(.unreadableRing) }
        /// There is a job of that name that does something else.
        public static var otherJob: Self { .init(.otherJob) }
        /// There is no job of that name.
        public static var noSuchJob: Self { .init(.noSuchJob) }
        /// The lease ran out, or its part was ended: whoever held it has no say in the part any more.
        public static var leaseLost: Self { .init(.leaseLost) }
        /// The store could not be read or written; ``TokenRangesError/underlying`` is why.
        public static var storage: Self { .init(.storage) }
    }

    /// The kind.
    public let code: Code
    /// What happened.
    public let description: String
    /// Whether the same call may well succeed later. Calls of a ``JobStore`` may always be repeated without harm.
    public let isSafeToRetry: Bool
    /// What the store's own library said.
    public let underlying: (any Error)?

    init(_ code: Code, _ description: String, isSafeToRetry: Bool = false, underlying: (any Error)? = nil) {
        self.code = code
        self.description = description
        self.isSafeToRetry = isSafeToRetry
        self.underlying = underlying
    }

    static func leaseLost(_ lease: JobLease) -> Self {
        Self(.leaseLost, "the lease on \(lease.part.table) \(lease.part.range) is lost")
    }

    static func noSuchJob(_ name: String) -> Self { Self(.noSuchJob, "there is no job \(name)") }

    static func otherJob(_ name: String) -> Self {
        Self(.otherJob, "there is a job \(name) already that does something else")
    }
}
