/// Why the proxy did not do what an operator asked for.
public struct DualWriterError: Error, Sendable, CustomStringConvertible {
    /// The kinds of refusal.
    public struct Code: Sendable, Hashable {
        private enum Value {
            case clusterMissing, clusterUnreachable, anotherCluster, writesOwed, writesLost, notRunning, transition,
                cannotListen
        }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// The wanted mode needs a cluster that is not configured.
        public static var clusterMissing: Self { .init(.clusterMissing) }
        /// The wanted mode needs a cluster that cannot be reached.
        public static var clusterUnreachable: Self { .init(.clusterUnreachable) }
        /// The new hosts belong to another cluster than the one that the write mode uses.
        public static var anotherCluster: Self { .init(.anotherCluster) }
        /// The cluster that would answer reads has not received all writes yet.
        public static var writesOwed: Self { .init(.writesOwed) }
        /// The cluster that would answer reads is known to lack writes.
        public static var writesLost: Self { .init(.writesLost) }
        /// The service does not run (yet, or any more).
        public static var notRunning: Self { .init(.notRunning) }
        /// The listen address cannot be bound.
        public static var cannotListen: Self { .init(.cannotListen) }
        /// The step is not one of the allowed ones.
        public static var transition: Self { .init(.transition) }
    }

    /// The kind of refusal.
    public let code: Code
    /// What was wrong and what to do.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
