import CQLProtocol
import LiveTables
import TokenRanges
import Synchronization

/// What a worker has done for a table since it began, beside what its job's parts tell. What was read twice, because a part began
/// anew, counts twice.
public struct LoadTally: Sendable, Hashable, Codable {
    /// Statements that were made of what was read.
    public internal(set) var statements = 0
    /// Requests that were sent again.
    public internal(set) var retries = 0
    /// Statements, and what no statement says, that went to the dead letters.
    public internal(set) var deadLetters = 0
    /// What is newer than the ceiling, and what dual writing has carried already.
    public internal(set) var aboveCeiling = 0
    /// Lists that were written as a whole although their elements had several timestamps.
    public internal(set) var flattenedLists = 0
    /// Columns whose time the source does not tell, and that have one by the rule.
    public internal(set) var guessedColumns = 0
    /// Rows without anything that tells a time.
    public internal(set) var guessedMarkers = 0

    static func + (left: Self, right: Self) -> Self {
        var sum = left
        sum.statements += right.statements
        sum.retries += right.retries
        sum.deadLetters += right.deadLetters
        sum.aboveCeiling += right.aboveCeiling
        sum.flattenedLists += right.flattenedLists
        sum.guessedColumns += right.guessedColumns
        sum.guessedMarkers += right.guessedMarkers
        return sum
    }

    mutating func add(_ translation: Translation) {
        self.statements += translation.statements.count
        self.aboveCeiling += translation.aboveCeiling
        self.flattenedLists += translation.flattenedLists
        self.guessedColumns += translation.guessedColumns
        self.guessedMarkers += translation.guessedMarkers
    }

    /// What came between two counts of one part.
    mutating func add(_ counts: FilePart.Counts, since before: FilePart.Counts) {
        self.statements += counts.statements - before.statements
        self.aboveCeiling += counts.aboveCeiling - before.aboveCeiling
        self.flattenedLists += counts.flattenedLists - before.flattenedLists
    }
}

/// Why the work on a part ended before its end.
public struct LoadFailure: Sendable, Hashable, Codable {
    /// The keyspace.
    public let keyspace: String
    /// The table.
    public let table: String
    /// The tokens of the part that were not done.
    public let range: LoadRange
    /// What happened.
    public let reason: String
    /// When, in seconds since 1970.
    public let at: Int64
}

/// A range of tokens: above `start`, up to `end`.
public struct LoadRange: Sendable, Hashable, Codable {
    /// The token before the first one.
    public let start: Int64
    /// The last token.
    public let end: Int64

    init(_ range: TokenRange) { (self.start, self.end) = (range.start, range.end) }
}

/// Counts what a worker does. Thread-safe.
final class LoadMeter: Sendable {
    /// Failures that are kept.
    static var failuresMax: Int { 32 }

    private struct State {
        var tallies: [TableName: LoadTally] = [:]
        var failures: [LoadFailure] = []
        var speed = ProgressMeter()
    }

    private let state = Mutex(State())

    var tallies: [TableName: LoadTally] { self.state.withLock { $0.tallies } }
    /// The newest one stands last.
    var failures: [LoadFailure] { self.state.withLock { $0.failures } }

    func add(_ tally: LoadTally, to table: TableName) {
        self.state.withLock { $0.tallies[table] = $0.tallies[table, default: LoadTally()] + tally }
    }

    func note(_ failure: LoadFailure) {
        self.state.withLock { state in
            state.failures.append(failure)
            if state.failures.count > Self.failuresMax { state.failures.removeFirst() }
        }
    }

    func speed(_ progress: JobProgress.Totals, now: Int64) -> ProgressMeter.Speed {
        self.state.withLock { state in
            state.speed.note(progress, now: now)
            return state.speed.speed
        }
    }
}
