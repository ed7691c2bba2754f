/// Why a job cannot be begun or joined. What is wrong with single tables or parts is told by ``LoadStatus``.
public struct LoadError: Error, Sendable, CustomStringConvertible {
    /// The kinds.
    public struct Code: Sendable, Hashable {
        private enum Value { case nothingToLoad, otherJob, folder }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// No table of the source is wanted.
        public static var nothingToLoad: Self { .init(.nothingToLoad) }
        /// There is a job of this name that does something else.
        public static var otherJob: Self { .init(.otherJob) }
        /// The folder of the dead letters cannot be used.
        public static var folder: Self { .init(.folder) }
    }

    /// The kind.
    public let code: Code
    /// What happened, and what to do.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
