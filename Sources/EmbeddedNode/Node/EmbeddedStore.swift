import CQLProtocol
import Synchronization

/// The data of an embedded cluster: its nodes share one, so that each sees at once what the others wrote.
///
/// `lock` guards the schema with all its tables, the members and the listeners; that makes it safe to send.
public final class EmbeddedStore: @unchecked Sendable {
    private let lock = Mutex(())
    private let schema = Schema()
    private var members: [NodeIdentity] = []
    private var listeners: [Int: @Sendable (SchemaChange) -> Void] = [:]
    private var lastListener = 0

    /// A store without keyspaces.
    public init() {}

    /// Runs `body` with the engine of a node, alone.
    func withEngine<Result>(of identity: NodeIdentity, _ body: (Engine) throws -> Result) rethrows -> Result {
        try self.lock.withLock { _ in
            let peers = self.members.filter { $0.endpoint != identity.endpoint }
            return try body(Engine(schema: self.schema, identity: identity, peers: peers))
        }
    }

    /// Adds a node to the cluster; `onChange` hears of changes of the schema until the node leaves.
    func join(_ identity: NodeIdentity, onChange: @escaping @Sendable (SchemaChange) -> Void) -> Int {
        self.lock.withLock { _ in
            self.members.append(identity)
            self.lastListener += 1
            self.listeners[self.lastListener] = onChange
            return self.lastListener
        }
    }

    /// Takes a node out of the cluster.
    func leave(_ identity: NodeIdentity, listener: Int) {
        self.lock.withLock { _ in
            self.members.removeAll { $0.endpoint == identity.endpoint }
            self.listeners[listener] = nil
        }
    }

    /// Tells all nodes of a change.
    func announce(_ change: SchemaChange) {
        let listeners = self.lock.withLock { _ in Array(self.listeners.values) }
        for listener in listeners { listener(change) }
    }
}
