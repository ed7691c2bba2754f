import CQLProtocol
import Synchronization

/// The data of an embedded cluster: its nodes share one, so that each sees at once what the others wrote.
///
/// `lock` guards the schema with all its tables, the members and the listeners; that makes it safe to send.
public final class EmbeddedStore: @unchecked Sendable {
    private let lock = Mutex(())
    private let schema = Schema()
    private var members: [Member] = []
    private var lastMember = 0

    private struct Member {
        let number: Int
        let identity: NodeIdentity
        /// Nil while the node is down: the others go on calling it a peer, as Cassandra's do.
        var onChange: (@Sendable (SchemaChange) -> Void)?
    }

    /// A store without keyspaces.
    public init() {}

    /// Moves the clock by which timestamps are made and TTLs run out, for tests that cannot wait; it never goes back.
    public func moveClock(by duration: Duration) {
        let (seconds, attoseconds) = duration.components
        precondition(seconds >= 0 && attoseconds >= 0, "time does not run backward")
        self.lock.withLock { _ in self.schema.clockOffset += seconds * 1_000_000 + attoseconds / 1_000_000_000_000 }
    }

    /// Runs `body` with the engine of a node, alone.
    func withEngine<Result>(of identity: NodeIdentity, _ body: (Engine) throws -> Result) rethrows -> Result {
        try self.lock.withLock { _ in
            let others = self.members.filter { $0.identity.endpoint != identity.endpoint }
            let engine = Engine(
                schema: self.schema,
                identity: identity,
                peers: others.map(\.identity),
                peersAlive: others.count { $0.onChange != nil }
            )
            return try body(engine)
        }
    }

    /// Runs `body` with the schema and its tables, alone.
    func withSchema<Result>(_ body: (Schema) throws -> Result) rethrows -> Result {
        try self.lock.withLock { _ in try body(self.schema) }
    }

    /// Adds a node to the cluster, or one that was down again; `onChange` hears of changes of the schema until it goes.
    ///
    /// - Returns: the number of this membership.
    func join(_ identity: NodeIdentity, onChange: @escaping @Sendable (SchemaChange) -> Void) -> Int {
        self.lock.withLock { _ in
            self.members.removeAll { $0.identity.endpoint == identity.endpoint }
            self.lastMember += 1
            self.members.append(Member(number: self.lastMember, identity: identity, onChange: onChange))
            return self.lastMember
        }
    }

    /// Takes a node out of the cluster.
    func leave(_ member: Int) { self.lock.withLock { _ in self.members.removeAll { $0.number == member } } }

    /// Notes that a node is down. It stays a member.
    func wentDown(_ member: Int) {
        self.lock.withLock { _ in
            guard let index = self.members.firstIndex(where: { $0.number == member }) else { return }
            self.members[index].onChange = nil
        }
    }

    /// Tells all nodes of a change.
    func announce(_ change: SchemaChange) {
        let listeners = self.lock.withLock { _ in self.members.compactMap(\.onChange) }
        for listener in listeners { listener(change) }
    }
}
