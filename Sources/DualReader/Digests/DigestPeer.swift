public import TokenRanges

/// What one reader asks the other one.
public struct DigestRequest: Sendable, Hashable {
    /// What of the nodes is asked for.
    public enum Kind: String, Sendable, Hashable {
        /// Their digests.
        case digests
        /// When the lives in them end (``LivesSketch``).
        case lives
    }

    /// Nodes of one request at most.
    public static var nodesMax: Int { 4_096 }

    /// The cluster whose rows are meant.
    public var cluster: Side
    /// The table.
    public var table: TableName
    /// What both must mean alike.
    public var terms: DigestTerms
    /// The tree: its root's range and how far it is cut.
    public var shape: DigestShape
    /// The seed of the digests.
    public var seed: UInt64
    /// What is asked for.
    public var kind: Kind
    /// The depth of the nodes; the root's is 0.
    public var depth: Int
    /// Their places, in order.
    public var nodes: [Int]
    /// Bytes of each end of a life in a sketch.
    public var width: Int

    /// A request.
    public init(
        cluster: Side,
        table: TableName,
        terms: DigestTerms,
        shape: DigestShape,
        seed: UInt64,
        kind: Kind,
        depth: Int,
        nodes: [Int],
        width: Int
    ) {
        (self.cluster, self.table, self.terms) = (cluster, table, terms)
        (self.shape, self.seed, self.kind) = (shape, seed, kind)
        (self.depth, self.nodes, self.width) = (depth, nodes, width)
    }

    /// The first thing that is wrong with it; nil where all is well.
    public var fault: String? {
        guard (0...self.shape.levels).contains(self.depth) else { return "there is no depth \(self.depth)" }
        guard (1...Self.nodesMax).contains(self.nodes.count) else {
            return "1 to \(Self.nodesMax) nodes can be asked for, not \(self.nodes.count)"
        }
        let nodes = 0..<DigestShape.nodes(at: self.depth)
        if let odd = self.nodes.first(where: { !nodes.contains($0) }) { return "there is no node \(odd)" }
        return (1...8).contains(self.width) ? nil : "an end of a life has 1 to 8 bytes"
    }
}

/// What the other reader says.
public enum DigestAnswer: Sendable, Hashable {
    /// It is still reading; whoever asks again will know. So many rows it has so far.
    case reading(rows: Int)
    /// The digests of the nodes in the order of the request, and the bytes of the values that were read for the tree.
    case digests([RowDigest], bytes: Int)
    /// The lives in the nodes; nil where there are too many.
    case lives([LivesSketch?])
}

/// What the other reader says of itself.
public struct DigestGreeting: Sendable, Hashable {
    /// ``DigestTerms/version`` there.
    public var version: Int
    /// Ids of the nodes of the cluster that is asked about, as texts.
    public var hosts: Set<String>
    /// The time there, in milliseconds since 1970.
    public var clock: Int64

    /// A greeting.
    public init(version: Int, hosts: Set<String>, clock: Int64) {
        (self.version, self.hosts, self.clock) = (version, hosts, clock)
    }
}

/// The reader near the other cluster, wherever it is. Asked from any task.
public protocol DigestPeer: Sendable {
    /// What it says of itself and of its cluster. Bytes of both directions are counted.
    ///
    /// - Throws: ``DigestError``.
    func greeting(of cluster: Side) async throws -> (DigestGreeting, bytes: Int)
    /// What it says to a request.
    ///
    /// - Throws: ``DigestError``.
    func answer(_ request: DigestRequest) async throws -> (DigestAnswer, bytes: Int)
}

/// The other reader, and what it is there for.
public struct DigestPeering: Sendable {
    /// The reader.
    public var peer: any DigestPeer
    /// The cluster that it stands near.
    public var cluster: Side
    /// Whether a range is given up where it fails; else both clusters are read from here.
    public var isRequired = true
    /// How long it may make no progress.
    public var patience = Duration.seconds(60)
    /// Rows of a leaf, about: a leaf that differs is read in full from both clusters.
    public var rowsPerLeaf = 256

    /// A peer that must answer.
    public init(_ peer: any DigestPeer, near cluster: Side) {
        self.peer = peer
        self.cluster = cluster
    }
}
