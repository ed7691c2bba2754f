public import NIOCore

/// A row with its cells. All values lie in `bytes`; what has been taken out of it stays valid when the row is used for
/// the next one.
public struct TableRow: Sendable {
    /// The deletion of all elements of one collection, as an assignment leaves it before its own elements.
    public struct ComplexDeletion: Hashable, Sendable {
        /// The place of its column among the statics or regulars.
        public let column: Int32
        /// When.
        public let time: DeletionTime
    }

    /// Whether it is the static row of its partition.
    public internal(set) var isStatic = false
    /// The values of the clustering columns.
    public internal(set) var clustering: [ByteRange] = []
    /// Since when and until when the row exists besides its cells.
    public internal(set) var liveness: Liveness = .none
    /// The deletion of the row.
    public internal(set) var deletion: DeletionTime = .live
    /// Whether a newer INSERT undoes the deletion, as in old views (CASSANDRA-11500).
    public internal(set) var isDeletionShadowable = false
    /// Deletions of whole collections, by column.
    public internal(set) var complexDeletions: [ComplexDeletion] = []
    /// The cells by column, and within one by path.
    public internal(set) var cells: [Cell] = []
    /// The bytes in which values lie.
    public internal(set) var bytes = ByteBuffer()
    /// Where the row begins in the plain data; below zero for a merged one.
    public internal(set) var position: Int64 = -1

    init() {}

    /// Whether it says nothing at all.
    public var isEmpty: Bool {
        self.liveness.isNone && self.deletion.isLive && self.complexDeletions.isEmpty && self.cells.isEmpty
    }

    /// A value or path; nil for null. Shares the row's storage.
    public func slice(_ range: ByteRange) -> ByteBuffer? { self.bytes.slice(range) }

    mutating func clear() {
        self.isStatic = false
        self.clustering.removeAll(keepingCapacity: true)
        self.liveness = .none
        self.deletion = .live
        self.isDeletionShadowable = false
        self.complexDeletions.removeAll(keepingCapacity: true)
        self.cells.removeAll(keepingCapacity: true)
        self.position = -1
    }
}
