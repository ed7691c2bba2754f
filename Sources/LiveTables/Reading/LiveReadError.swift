/// Why a range of a live source is not read. Shows neither values nor credentials.
public struct LiveReadError: Error, Sendable, CustomStringConvertible {
    /// The kinds.
    public struct Code: Sendable, Hashable {
        private enum Value { case needsSplit, refused, noTable, counters, malformed }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// Even the smallest pages time out or fail: ``LiveReadError/remaining`` is to be read in parts. A range of one
        /// token cannot be parted; then its partition is what the source cannot read.
        public static var needsSplit: Self { .init(.needsSplit) }
        /// The source cannot be asked, or says no; ``LiveReadError/underlying`` tells why.
        public static var refused: Self { .init(.refused) }
        /// There is no such table.
        public static var noTable: Self { .init(.noTable) }
        /// Counters were not asked for.
        public static var counters: Self { .init(.counters) }
        /// What came is not what was asked for.
        public static var malformed: Self { .init(.malformed) }
    }

    /// The kind.
    public let code: Code
    /// What happened, and what to do.
    public let description: String
    /// What of the range has not been delivered: tokens above `start`, up to `end`.
    public let remaining: (start: Int64, end: Int64)?
    /// What the session said.
    public let underlying: (any Error)?

    init(
        _ code: Code,
        _ description: String,
        remaining: (start: Int64, end: Int64)? = nil,
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.description = description
        self.remaining = remaining
        self.underlying = underlying
    }
}
