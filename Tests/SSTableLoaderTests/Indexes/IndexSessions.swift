@testable import CQLClient
import CQLProtocol
import EmbeddedNode
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import SSTableLoader

struct Broken: Error {}

/// A session that breaks at its n-th statement.
final class BreakingSession: IndexSession, IndexRecordSession {
    enum Break: Sendable, CaseIterable {
        /// The n-th statement and all later ones fail without being executed, as after a kill before it was sent.
        case killedBefore
        /// The n-th statement is executed and fails, and all later ones fail, as after a kill before its answer came.
        case killedAfter
        /// Only the n-th statement fails, without being executed.
        case refused
        /// Only the n-th statement fails, though it is executed.
        case answerLost
        /// Only the n-th statement is not answered in time, and not executed.
        case lateBefore
        /// Only the n-th statement is not answered in time, though it is executed.
        case lateAfter
    }

    private let session: any IndexSession & IndexRecordSession
    private let number: Int
    private let how: Break
    private let state = Mutex((count: 0, changes: [String](), writes: [String]()))

    /// - Parameter number: from 1 on; `Int.max` for a session that never breaks.
    init(_ session: any IndexSession & IndexRecordSession, at number: Int = .max, _ how: Break = .refused) {
        self.session = session
        self.number = number
        self.how = how
    }

    /// How many statements there were.
    var count: Int { self.state.withLock { $0.count } }
    /// The changes that were executed.
    var changes: [String] { self.state.withLock { $0.changes } }
    /// The writes on condition that were executed.
    var writes: [String] { self.state.withLock { $0.writes } }

    func read(_ text: String, _ values: [String]) async throws -> Rows {
        try await self.run { try await self.session.read(text, values) }
    }

    func change(_ text: String) async throws {
        try await self.run {
            self.state.withLock { $0.changes.append(text) }
            try await self.session.change(text)
        }
    }

    func apply(_ text: String, _ values: [CQLValue]) async throws -> Bool {
        try await self.run {
            self.state.withLock { $0.writes.append(text) }
            return try await self.session.apply(text, values)
        }
    }

    func rows(_ text: String, _ values: [CQLValue], consistency: Consistency) async throws -> Rows {
        try await self.run { try await self.session.rows(text, values, consistency: consistency) }
    }

    func makeTable(_ text: String, replication: String?) async throws {
        try await self.run { try await self.session.makeTable(text, replication: replication) }
    }

    private func run<Value>(_ statement: () async throws -> Value) async throws -> Value {
        let count = self.state.withLock { state in
            state.count += 1
            return state.count
        }
        switch self.how {
        case .killedBefore where count >= self.number, .killedAfter where count > self.number,
            .refused where count == self.number:
            throw Broken()
        case .lateBefore where count == self.number: throw Self.late
        case .killedBefore, .killedAfter, .refused, .answerLost, .lateBefore, .lateAfter: break
        }
        let value = try await statement()
        guard count == self.number else { return value }
        throw self.how == .lateAfter ? Self.late : Broken()
    }
}

extension BreakingSession {
    private static var late: any Error { CQLSessionError(.timeout, "no answer", isSafeToRetry: false) }
}

/// A clock on which every pause is over at once.
final class ImpatientClock: Clock {
    typealias Instant = ContinuousClock.Instant

    private let passed = Mutex(Duration.zero)
    private let start = ContinuousClock.now

    var now: Instant { self.start + self.passed.withLock { $0 } }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        self.passed.withLock { $0 = max($0, deadline - self.start) }
    }
}

/// A cluster of canned answers.
struct CannedSession: IndexSession {
    /// The rows of reads that contain a text; all other reads have none.
    var answers: [(text: String, columns: [String], rows: [[String]])]

    func read(_ text: String, _ values: [String]) async throws -> Rows {
        guard let answer = self.answers.first(where: { text.contains($0.text) || values.contains($0.text) }) else {
            return try Rows(metadata: ResultMetadata(columns: []))
        }
        let columns = answer.columns.map { ColumnSpec(keyspace: "k", table: "t", name: $0, type: .varchar) }
        return try Rows(
            metadata: ResultMetadata(columns: columns),
            rows: answer.rows.map { $0.map { ByteBuffer(string: $0) } }
        )
    }

    func change(_ text: String) async throws {}
}

/// A node with a keyspace `k` and a session.
struct IndexedNode: Sendable {
    let node: EmbeddedNode
    let session: CQLSession

    static func with<Output: Sendable>(
        release: String = "4.1.6",
        _ statements: [String] = [],
        _ body: @Sendable @escaping (IndexedNode) async throws -> Output
    ) async throws -> Output {
        let group = MultiThreadedEventLoopGroup.singleton
        var configuration = EmbeddedNodeConfiguration()
        configuration.releaseVersion = release
        let node = try await EmbeddedNode.start(on: group, configuration: configuration)
        let cluster = ClusterConfiguration(
            name: "target",
            contactPoints: [ContactPoint(host: "127.0.0.1", port: node.port)]
        )
        let output = try await CQLSession.withSession(cluster, on: group.next(), logger: Self.silent) { session in
            try await session.change(
                "CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}"
            )
            for statement in statements { try await session.change(statement) }
            return try await body(IndexedNode(node: node, session: session))
        }
        await node.stop()
        return output
    }

    static let silent = Logger(label: "indexes") { _ in SwiftLogNoOpLogHandler() }

    /// A keeper as a new process would have it.
    func keeper(_ folder: String, _ session: (any IndexSession)? = nil) -> IndexKeeper {
        IndexKeeper(folder: folder, session: session ?? self.session, clock: ImpatientClock(), logger: Self.silent)
    }

    /// A keeper of a worker whose records are in the cluster.
    func shared(
        _ worker: String,
        job: String = "load",
        lease: Duration = .seconds(60),
        _ session: BreakingSession? = nil
    ) -> IndexKeeper {
        var limits = IndexKeeper.Limits()
        (limits.pause, limits.handover) = (.milliseconds(5), .seconds(30))
        let session = session ?? BreakingSession(self.session)
        let store = ClusterIndexStore(
            session: session,
            job: job,
            worker: worker,
            lease: lease,
            replication: nil,
            wallClock: { 1_700_000_000_000 }
        )
        return IndexKeeper(
            store: store,
            session: session,
            limits: limits,
            clock: ContinuousClock(),
            logger: Self.silent
        )
    }

    /// Lets all leases run out.
    func endLeases() async throws {
        let tables = "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?"
        guard try await !self.session.read(tables, ["cluster_sync", "indexes"]).isEmpty else { return }
        for row in try await self.session.read("SELECT * FROM cluster_sync.indexes", []) {
            let name = (try row.text("keyspace_name"), try row.text("index_name"))
            try await self.session.change(
                "UPDATE cluster_sync.indexes SET lease = null, lease_job = null, worker = null "
                    + "WHERE keyspace_name = '\(name.0)' AND index_name = '\(name.1)'"
            )
        }
    }

    /// What `system_schema.indexes` says of the keyspace: `table index kind option=value …`.
    func rows() async throws -> Set<String> {
        let text = "SELECT table_name, index_name, kind, options FROM system_schema.indexes WHERE keyspace_name = ?"
        return Set(
            try await self.session.read(text, ["k"]).map { row in
                let options = try row.texts("options").sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
                let names = [try row.text("table_name"), try row.text("index_name"), try row.text("kind")]
                return (names + options).joined(separator: " ")
            }
        )
    }
}

/// Asks until the answer is yes.
func eventually(_ question: () async throws -> Bool) async throws {
    let end = ContinuousClock.now + .seconds(30)
    while try await !question() {
        try #require(ContinuousClock.now < end, "not within 30 seconds")
        try await Task.sleep(for: .milliseconds(20))
    }
}
