import CQLClient
import CQLProtocol
import CQLSyntax
import DualWriteCore
import ShadowJournal

/// A prepared statement as one loop knows it: the proxy's own id, the text, and the ids that the nodes gave it.
///
/// Bound to its loop. The text and its analysis are shared by all loops through ``PreparedRegistry``.
final class PreparedStatement {
    /// The ids of one cluster.
    struct Leg {
        /// The id that the nodes of the cluster agree on, as they nearly always do.
        private(set) var common: [UInt8]?
        /// Nodes that gave it another id.
        private(set) var exceptions: [NodeID: [UInt8]] = [:]
        /// Nodes that have said that they do not know it (any more).
        private(set) var lacking: Set<NodeID> = []
        /// Requests that wait for a PREPARE on its way to a node.
        var waiting: [NodeID: [UInt64]] = [:]

        /// The id to use with a node.
        func id(at node: NodeID) -> [UInt8]? {
            self.lacking.contains(node) ? nil : self.exceptions[node] ?? self.common
        }

        mutating func learned(_ id: [UInt8], at node: NodeID) {
            self.lacking.remove(node)
            if self.common == nil { self.common = id }
            self.exceptions[node] = self.common == id ? nil : id
        }

        mutating func forgotten(at node: NodeID) {
            self.lacking.insert(node)
            self.exceptions[node] = nil
        }

        /// ``common``, where it is as long as all clusters make it and every node is known to have it.
        fileprivate var uniform: StatementID? {
            guard self.exceptions.isEmpty, self.lacking.isEmpty else { return nil }
            return self.common?.withUnsafeBytes { StatementID($0) }
        }
    }

    let id: StatementID
    let known: KnownStatement
    /// Whether it has calls that the proxy evaluates at each execution, or should and cannot.
    let hasServerValues: Bool
    /// No more bytes than these are needed for it in a journal.
    let journalBytes: Int
    private(set) var kind: RequestKind
    /// The state of the schema, of the filter and of the modes that it was judged by.
    private var judgedAt = 0
    /// How the filter decides about executions; nil where it has to look at the whole request.
    private(set) var filtering: StatementFiltering? = .wanted
    /// The mode of its tables, where tables have modes of their own.
    private(set) var mode = RequestMode.one(.primaryOnly)
    /// Which of its executions are of tenants that go ahead of its table; nil where none is.
    private(set) var canary: CanaryPlan?
    /// Which of its values are the partition key; nil where they do not make up all of it, or nobody has told yet.
    private(set) var routingKey: RoutingKey?
    /// Where the rows of its keyspace are in each cluster.
    var routes = PerCluster(both: KeyspaceRoutes())
    /// Whether all nodes of a cluster know it by one id, which is then in ``uniformIDs``.
    private var isUniform = PerCluster(both: false)
    /// Room for an id as short bytes for each cluster, by ``Cluster/rawValue``.
    private let uniformIDs: UnsafeMutableRawPointer
    /// The segment of each cluster's journal in which it was defined last.
    var definedIn = PerCluster<UInt64?>(both: nil)
    /// By ``Cluster/rawValue``.
    private let legs: UnsafeMutablePointer<Leg>
    /// The mutation without its condition, for conditional statements; made when it is first needed.
    private(set) lazy var unconditional: Unconditional? = self.makeUnconditional()

    /// A conditional statement's outcome as a statement of its own.
    struct Unconditional {
        let statement: PreparedStatement
        /// The markers of the original that are still there.
        let keptMarkers: [Int]
    }

    init(id: StatementID, known: KnownStatement) {
        self.id = id
        self.known = known
        self.hasServerValues = known.evaluation != nil || known.analysis.hidesServerValues
        self.kind = RequestKind(known.analysis, keyspace: known.keyspace)
        self.legs = .allocate(capacity: 2)
        self.legs.initialize(repeating: Leg(), count: 2)
        self.uniformIDs = .allocate(byteCount: 2 * StatementID.shortByteCount, alignment: 1)
        let definition = JournalDefinition(qualifier: known.keyspace, text: known.text)
        self.journalBytes = JournalLog.byteCount(ofDefinition: definition.byteCount)
    }

    deinit {
        self.legs.deinitialize(count: 2)
        self.legs.deallocate()
        self.uniformIDs.deallocate()
    }

    /// Whether ``kind``, ``mode`` and ``filtering`` go by this state of schema, filter and modes.
    func isJudged(at changes: Int) -> Bool { self.judgedAt == changes }

    /// Judges the statement by a state of schema, filter and modes.
    func judge(
        by schema: SchemaShapes?,
        _ filter: ShadowFilter,
        _ modes: TableModes,
        _ canaries: CanaryRules? = nil,
        at changes: Int
    ) {
        self.judgedAt = changes
        self.kind = RequestKind(self.analysis, keyspace: self.keyspace, schema: schema)
        self.mode = modes.mode(of: self.analysis, self.kind, keyspace: self.keyspace)
        self.canary = canaries?.plan(self.analysis, keyspace: self.keyspace, schema: schema)
        let isMixed = if case .several = self.mode { true } else { false }
        self.filtering =
            filter.isOpen && !isMixed ? .wanted : StatementFiltering(self.writeStatement, filter, schema: schema)
    }

    private var writeStatement: WriteStatement {
        WriteStatement(text: self.text, analysis: self.analysis, keyspace: self.keyspace)
    }

    /// What journals know of it, by its ``id``.
    var journalDefinition: JournalDefinition { JournalDefinition(qualifier: self.keyspace, text: self.known.text) }

    /// What clusters are asked to prepare.
    var text: String { self.known.sentText }
    var keyspace: String? { self.known.keyspace }
    var analysis: StatementAnalysis { self.known.analysis }

    /// What is known of a cluster, in its place: nothing of it is copied, nothing is allocated.
    subscript(cluster: Cluster) -> Leg {
        @inline(__always) unsafeAddress { UnsafePointer(self.legs + Int(cluster.rawValue)) }
        @inline(__always) unsafeMutableAddress { self.legs + Int(cluster.rawValue) }
    }

    /// The id by which all nodes of a cluster know it, as short bytes that last as long as the statement: what nearly every
    /// EXECUTE goes by.
    @inline(__always)
    func uniformID(of cluster: Cluster) -> UnsafeRawBufferPointer? {
        guard self.isUniform[cluster] else { return nil }
        let id = self.uniformIDs + Int(cluster.rawValue) * StatementID.shortByteCount
        return UnsafeRawBufferPointer(start: id, count: StatementID.shortByteCount)
    }

    private func noteUniform(_ cluster: Cluster) {
        let id = self[cluster].uniform
        self.isUniform[cluster] = id != nil
        id?.writeShortBytes(to: self.uniformIDs + Int(cluster.rawValue) * StatementID.shortByteCount)
    }

    /// The id to use with a node: its own, else the cluster's common one in the hope that the node has it too (it answers
    /// UNPREPARED otherwise), else nil: PREPARE must come first.
    func id(at node: NodeID, of cluster: Cluster) -> [UInt8]? {
        self[cluster].id(at: node)
    }

    /// Whether a node has ever known the statement by this id.
    func isKnown(as id: [UInt8], at node: NodeID, of cluster: Cluster) -> Bool {
        (self[cluster].exceptions[node] ?? self[cluster].common) == id
    }

    /// Notes the id that a node gave, and what it says of the columns behind it.
    ///
    /// - Parameters:
    ///   - body: the answer to a PREPARE, in which the id is at `range`.
    ///   - version: of the answer.
    func learned(
        _ range: Range<Int>,
        in body: UnsafeRawBufferPointer,
        at node: NodeID,
        of cluster: Cluster,
        version: ProtocolVersion
    ) {
        let metadata = UnsafeRawBufferPointer(rebasing: body[range.upperBound...])
        self.known.noteMetadata(MetadataPrint(metadata))
        // Tables have the same key in both clusters; where not, a request takes one more hop in one of them and is as good.
        if version >= .v4 { self.routingKey = BindMetadata.partitionKey(metadata).flatMap { RoutingKey(markers: $0) } }
        self[cluster].learned(Array(body[range]), at: node)
        self.noteUniform(cluster)
    }

    /// Notes that a node does not have the statement any more: the next request there prepares it first.
    func forgotten(at node: NodeID, of cluster: Cluster) {
        self[cluster].forgotten(at: node)
        self.noteUniform(cluster)
    }

    private func makeUnconditional() -> Unconditional? {
        guard self.kind == .conditional, let rewritten = StatementRewriter.unconditional(self.text) else { return nil }
        let statement = PreparedStatement(
            id: StatementID(keyspace: self.keyspace, text: rewritten.text),
            known: KnownStatement(
                text: rewritten.text,
                keyspace: self.keyspace,
                analysis: StatementAnalysis.analyze(rewritten.text)
            )
        )
        return Unconditional(statement: statement, keptMarkers: rewritten.keptMarkers)
    }
}
