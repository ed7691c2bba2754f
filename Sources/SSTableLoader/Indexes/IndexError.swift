/// Why indexes are not what they should be.
public struct IndexError: Error, Sendable, CustomStringConvertible {
    /// The kinds.
    public struct Code: Sendable, Hashable {
        private enum Value { case file, inUse, noTable, conflict, notRestored, malformed }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// What records them cannot be read or written, or part of it is damaged. Nothing has been dropped.
        public static var file: Self { .init(.file) }
        /// Another process or task drops or restores these indexes, or those of the same folder.
        public static var inUse: Self { .init(.inUse) }
        /// There is no such table.
        public static var noTable: Self { .init(.noTable) }
        /// Another index has the name of one that is recorded as dropped. Nothing has been dropped.
        public static var conflict: Self { .init(.conflict) }
        /// Some of them are not there again; ``IndexError/failures`` tells which. They stay recorded.
        public static var notRestored: Self { .init(.notRestored) }
        /// What the server told is not what was asked for.
        public static var malformed: Self { .init(.malformed) }
    }

    /// One index that is not there again.
    public struct Failure: Sendable, CustomStringConvertible {
        /// The index; nil for a damaged record.
        public let index: TableIndex?
        /// Why.
        public let reason: String

        /// The index and why.
        public var description: String { "\(self.index.map { "\($0): " } ?? "")\(self.reason)" }
    }

    /// The kind.
    public let code: Code
    /// What happened, and what to do.
    public let description: String
    /// The indexes that are not there again.
    public let failures: [Failure]
    /// What was going on when it happened: the error of a load whose indexes could not be restored.
    public let underlying: (any Error)?

    init(_ code: Code, _ description: String, failures: [Failure] = [], underlying: (any Error)? = nil) {
        self.code = code
        self.description = description
        self.failures = failures
        self.underlying = underlying
    }

    static func notRestored(_ failures: [Failure], during underlying: (any Error)? = nil) -> IndexError {
        let list = failures.map(\.description).joined(separator: "; ")
        let cause = underlying.map { " after the load failed: \($0)" } ?? ""
        return IndexError(
            .notRestored,
            "\(failures.count) indexes are not there again\(cause): \(list)",
            failures: failures,
            underlying: underlying
        )
    }
}
