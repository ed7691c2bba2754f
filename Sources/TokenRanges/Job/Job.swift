public import CQLProtocol

/// What a job is.
public struct JobDefinition: Sendable, Hashable {
    /// Its name, by which workers find each other.
    public let name: String
    /// What it does, as text that is equal for all who mean the same: tables, source, options that change the result.
    public let subject: String

    /// A job.
    public init(name: String, subject: String) {
        self.name = name
        self.subject = subject
    }
}

/// What an operator wants of all workers of a job.
public enum JobCommand: String, Sendable, Hashable, CaseIterable {
    /// Work.
    case run
    /// Give parts back, and wait.
    case pause
    /// Give parts back, and end.
    case stop
}

/// A worker's right to a part, until it runs out or is given back.
public struct JobLease: Sendable, Hashable, Identifiable {
    /// Nobody ever has the same: what a former holder still wants to say of the part is told by it from what the holder says.
    public let id: CQLUUID
    /// The job's name.
    public let job: String
    /// The holder's name.
    public let worker: String
    /// The part, as it was when the lease was taken or the part was split.
    public internal(set) var part: JobPart
    /// Where its store keeps the part.
    let place: Place

    /// Where a ``ClusterJobStore`` keeps a part.
    struct Place: Sendable, Hashable {
        var plan = CQLUUID(high: 0, low: 0)
        var bucket: Int32 = 0
    }
}

/// What comes of asking for a part.
public enum LeaseAnswer: Sendable, Hashable {
    /// Here it is.
    case leased(JobLease)
    /// Others have all that is left, or it rests after a failure: it may come back.
    case nothingNow
    /// All parts are done or failed.
    case allEnded
}
