import CQLClient
import CQLProtocol
import DualWriteCore
import ShadowJournal

/// Under whose name and in which keyspace a client's requests run; shared by all clients of a loop with the same ones.
///
/// It remembers the pool of each leg, so that a request finds its connections without a look-up.
final class ClientIdentity {
    /// What makes two identities the same.
    struct Key: Hashable {
        /// The client's own credentials, nil where the configured ones of each cluster are used.
        var credentials: Credentials?
        var keyspace: String?
        var version: ProtocolVersion

        /// The same name in another keyspace.
        func moved(to keyspace: String?) -> Key {
            var key = self
            key.keyspace = keyspace
            return key
        }
    }

    let key: Key
    /// What journals know of it: the name and the keyspace, nil where there is neither.
    let journalDefinition: JournalDefinition?
    /// By what key.
    let journalKey: StatementID?
    /// No more bytes than these are needed for it in a journal.
    let journalBytes: Int
    /// The segment of each cluster's journal in which it was defined last.
    var definedIn = PerCluster<UInt64?>(both: nil)
    /// When a client was last seen under it.
    var usedAt: Int64 = 0
    private unowned let loop: DualWriterLoop
    private var source: UpstreamPool?
    private var target: UpstreamPool?

    init(key: Key, loop: DualWriterLoop) {
        self.key = key
        self.loop = loop
        let isNobody = key.credentials == nil && key.keyspace == nil
        self.journalDefinition =
            isNobody ? nil : JournalDefinition(qualifier: key.credentials?.username, text: key.keyspace)
        self.journalBytes = self.journalDefinition.map { JournalLog.byteCount(ofDefinition: $0.byteCount) } ?? 0
        self.journalKey = isNobody ? nil : StatementID(user: key.credentials?.username, keyspace: key.keyspace)
    }

    /// Whether a segment of a cluster's journal needs no definition of it (any more).
    @inline(__always)
    func isDefined(in segment: UInt64, of cluster: Cluster) -> Bool {
        self.journalBytes == 0 || self.definedIn[cluster] == segment
    }

    /// The pool of a leg; nil where the cluster is not configured or its pools are at their limit.
    func pool(_ cluster: Cluster) -> UpstreamPool? {
        if let pool = cluster == .source ? self.source : self.target, !pool.isClosed { return pool }
        let pool = self.loop.makePool(for: self.key, cluster)
        if cluster == .source { self.source = pool } else { self.target = pool }
        return pool
    }

    /// The pool of a leg that has one, for the path that every request takes.
    @inline(__always)
    func openPool(_ cluster: Cluster) -> Uncounted<UpstreamPool>? {
        guard let pool = Uncounted(cluster == .source ? self.source : self.target), pool({ !$0.isClosed }) else {
            return nil
        }
        return pool
    }

    /// Forgets the pools of a leg whose hosts have changed.
    func forget(_ cluster: Cluster) {
        if cluster == .source { self.source = nil } else { self.target = nil }
    }
}
