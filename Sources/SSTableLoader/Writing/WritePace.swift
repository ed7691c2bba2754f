/// How one request to the target ended.
public struct WriteAttempt: Sendable, Hashable {
    /// The ends.
    public enum Result: Sendable, Hashable {
        /// The target has it.
        case acknowledged
        /// No answer, or WRITE_TIMEOUT.
        case timedOut
        /// OVERLOADED, UNAVAILABLE or IS_BOOTSTRAPPING: it has too much to do, or too few nodes.
        case overloaded
        /// The connection was lost.
        case connectionLost
        /// Any other error.
        case refused
        /// Nobody waited for its end.
        case abandoned
    }

    /// How it ended.
    public var result: Result
    /// How long it took.
    public var latency: Duration
    /// Statements in it.
    public var statements: Int
    /// Bytes of their values.
    public var bytes: Int
}

/// What a writer asks before it sends, and tells afterwards: limits of rate, and a pace that gives way to the target.
///
/// Several writers may share one; it is asked from any task.
public protocol WritePace: Sendable {
    /// Requests of one writer on the way at once at most, at this moment. Below one is taken for one.
    var inFlightMax: Int { get }
    /// Returns when a request may be sent; throws where the task is cancelled.
    func admit(statements: Int, bytes: Int) async throws
    /// A request is sent, perhaps not for the first time. Each has one end.
    func began()
    /// A request has ended.
    func ended(_ attempt: WriteAttempt)
}

extension WritePace {
    /// Nothing comes of it.
    public func began() {}
}

/// No limits beside the writer's own.
public struct UnlimitedPace: WritePace {
    /// The pace without limits.
    public init() {}
    /// Any number.
    public var inFlightMax: Int { .max }
    /// Returns at once.
    public func admit(statements: Int, bytes: Int) {}
    /// Nothing comes of it.
    public func ended(_ attempt: WriteAttempt) {}
}
