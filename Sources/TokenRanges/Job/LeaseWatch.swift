/// What is left of a lease at one moment.
public struct LeaseLeft: Sendable, Hashable {
    /// Who has it.
    public let worker: String
    /// How long it lasts where it is not renewed, by its store's clock, in whole seconds or finer.
    public let left: Duration

    init(worker: String, left: Duration) {
        self.worker = worker
        self.left = left
    }
}

/// Tells whether somebody is at work on a job by looking at its leases again and again.
///
/// A worker that has died holds its leases until they run out, and for so long they look like those of one that works. But a live
/// worker renews them, or takes others. A value: the time is passed in.
public struct LeaseWatch: Sendable {
    /// What is known.
    public enum Finding: Sendable, Hashable {
        /// Nobody has a part.
        case nobody
        /// A live worker has one.
        case somebody
        /// They may all be of dead workers. It is known after so long at the latest, from the first look on.
        case unclear(atMost: Duration)
    }

    /// Stores tell whole seconds, and their clocks are not the watcher's.
    private static var slack: Duration { .seconds(2) }

    /// The least that was seen of each lease.
    private var least: [JobPart.ID: Duration] = [:]
    /// When all that was there at the first look has run out, from then on.
    private var end: Duration?

    /// A watch that has not looked yet.
    public init() {}

    /// What the leases of a job were at one moment.
    ///
    /// - Parameter passed: the time since the first look.
    public mutating func saw(_ leases: [JobPart.ID: LeaseLeft], after passed: Duration) -> Finding {
        guard !leases.isEmpty else { return .nobody }
        guard let end else {
            let end = (leases.values.map(\.left).max() ?? .zero) + Self.slack
            self.end = end
            self.least = leases.mapValues(\.left)
            return .unclear(atMost: end)
        }
        for (part, lease) in leases {
            guard let least = self.least[part], lease.left <= least else { return .somebody }
            self.least[part] = lease.left
        }
        return passed > end ? .somebody : .unclear(atMost: end)
    }
}
