import CQLClient
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
        var common: [UInt8]?
        /// Nodes that gave it another id.
        var exceptions: [NodeID: [UInt8]] = [:]
        /// Nodes that have said that they do not know it (any more).
        var lacking: Set<NodeID> = []
        /// Requests that wait for a PREPARE on its way to a node.
        var waiting: [NodeID: [UInt64]] = [:]
        /// The segment of the cluster's journal in which the statement was defined last.
        var definedIn: UInt64?
    }

    let id: StatementID
    let known: KnownStatement
    /// Whether it has calls that the proxy evaluates at each execution, or should and cannot.
    let hasServerValues: Bool
    private(set) var kind: RequestKind
    /// The state of the schema that ``kind`` was judged by.
    private var judgedAt = 0
    private var source = Leg()
    private var target = Leg()
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
    }

    /// Judges the statement by a schema, once for each state of it.
    @inline(__always)
    func judge(by schema: SchemaShapes?, at schemaChanges: Int) {
        guard self.judgedAt != schemaChanges else { return }
        self.judgedAt = schemaChanges
        self.kind = RequestKind(self.analysis, keyspace: self.keyspace, schema: schema)
    }

    /// What journals know of it, by its ``id``.
    var journalDefinition: JournalDefinition { JournalDefinition(qualifier: self.keyspace, text: self.known.text) }

    /// No more bytes than these are needed for it.
    var journalBytes: Int { JournalLog.byteCount(ofDefinition: self.journalDefinition.byteCount) }

    /// What clusters are asked to prepare.
    var text: String { self.known.sentText }
    var keyspace: String? { self.known.keyspace }
    var analysis: StatementAnalysis { self.known.analysis }

    subscript(cluster: Cluster) -> Leg {
        get { cluster == .source ? self.source : self.target }
        _modify {
            if cluster == .source { yield &self.source } else { yield &self.target }
        }
    }

    /// The id to use with a node: its own, else the cluster's common one in the hope that the node has it too (it answers
    /// UNPREPARED otherwise), else nil: PREPARE must come first.
    @inline(__always)
    func id(at node: NodeID, of cluster: Cluster) -> [UInt8]? {
        let leg = cluster == .source ? self.source : self.target
        if leg.exceptions.isEmpty, leg.lacking.isEmpty { return leg.common }
        return leg.lacking.contains(node) ? nil : leg.exceptions[node] ?? leg.common
    }

    /// Whether a node has ever known the statement by this id.
    func isKnown(as id: [UInt8], at node: NodeID, of cluster: Cluster) -> Bool {
        let leg = cluster == .source ? self.source : self.target
        return (leg.exceptions[node] ?? leg.common) == id
    }

    /// Notes the id that a node gave, and what it says of the columns behind it.
    ///
    /// - Parameter body: the answer to a PREPARE, in which the id is at `range`.
    func learned(_ range: Range<Int>, in body: UnsafeRawBufferPointer, at node: NodeID, of cluster: Cluster) {
        self.known.noteMetadata(MetadataPrint(UnsafeRawBufferPointer(rebasing: body[range.upperBound...])))
        let id = Array(body[range])
        self[cluster].lacking.remove(node)
        if self[cluster].common == nil { self[cluster].common = id }
        if self[cluster].common == id {
            self[cluster].exceptions[node] = nil
        } else {
            self[cluster].exceptions[node] = id
        }
    }

    /// Notes that a node does not have the statement any more: the next request there prepares it first.
    func forgotten(at node: NodeID, of cluster: Cluster) {
        self[cluster].lacking.insert(node)
        self[cluster].exceptions[node] = nil
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
