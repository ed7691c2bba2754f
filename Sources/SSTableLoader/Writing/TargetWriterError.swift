/// Why a writer has stopped. What was written before a ``TargetWriter/drain()`` that returned is written; of the rest nothing is
/// said, so that whoever goes on begins behind that.
public struct TargetWriterError: Error, Sendable, CustomStringConvertible {
    /// The kinds.
    public struct Code: Sendable, Hashable {
        private enum Value { case unavailable, tooManyLetters, lettersUnwritable }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// The target did not take a statement however often it was sent, or takes none from this user.
        public static var unavailable: Self { .init(.unavailable) }
        /// More was refused than ``TargetWriter/Limits/deadLettersMax`` allows: something is wrong with more than single rows.
        public static var tooManyLetters: Self { .init(.tooManyLetters) }
        /// The dead letters cannot be written, so that what is refused would be lost.
        public static var lettersUnwritable: Self { .init(.lettersUnwritable) }
    }

    /// The kind.
    public let code: Code
    /// What happened.
    public let description: String
}
