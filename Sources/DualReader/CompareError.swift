/// Why a comparison cannot be made. Shows neither values nor credentials.
public struct CompareError: Error, Sendable, CustomStringConvertible {
    /// The kinds.
    public struct Code: Sendable, Hashable {
        private enum Value { case nothingToCompare, otherJob, folder, partitioner, table, malformed, refused }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// No table is wanted.
        public static var nothingToCompare: Self { .init(.nothingToCompare) }
        /// There is a job of this name that does something else.
        public static var otherJob: Self { .init(.otherJob) }
        /// A file of ours cannot be used.
        public static var folder: Self { .init(.folder) }
        /// A cluster has a partitioner other than Murmur3, so that its tokens cannot be compared.
        public static var partitioner: Self { .init(.partitioner) }
        /// A table is missing or another one on one of the clusters.
        public static var table: Self { .init(.table) }
        /// What came is not what was asked for.
        public static var malformed: Self { .init(.malformed) }
        /// A cluster does not take a statement of a repair.
        public static var refused: Self { .init(.refused) }
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
