public import CQLClient
import CQLProtocol

/// The tokens at which a cluster's ranges end.
public struct Ring: Sendable, Hashable {
    /// The tokens of all nodes of all data centres, in order, each once.
    public let tokens: [Int64]
    /// How many nodes there are; at least 1.
    public let nodeCount: Int

    /// A ring of tokens in any order.
    public init(tokens: some Sequence<Int64>, nodeCount: Int = 1) {
        self.tokens = Set(tokens).sorted()
        self.nodeCount = max(1, nodeCount)
    }

    /// The ring that a cluster has told.
    ///
    /// - Throws: ``TokenRangesError`` where the partitioner is not Murmur3, or a token is none of it.
    public init(_ topology: ClusterTopology) throws(TokenRangesError) {
        try Self.check(partitioner: try? topology.local.value("partitioner"))
        self.init(tokens: try Self.tokens(topology.nodes.flatMap(\.tokens)), nodeCount: topology.nodes.count)
    }

    /// Asks a cluster for its ring.
    ///
    /// - Throws: ``TokenRangesError`` where the partitioner is not Murmur3, or a token is none of it; ``CQLSessionError`` where
    ///   the cluster does not answer.
    public static func read(_ session: CQLSession) async throws -> Ring {
        let local = try await session.query(
            "SELECT partitioner, tokens FROM system.local WHERE key = 'local'",
            consistency: .one,
            isIdempotent: true
        )
        guard let row = local.rows?.first else {
            throw TokenRangesError(.unreadableRing, "the cluster does not tell its tokens")
        }
        try Self.check(partitioner: try? row.value("partitioner"))
        // The two answers may be of two nodes, then one node is missing in both of them or told twice: a ring that is short of
        // some tokens still is a ring, only with ranges that are on more than one set of replicas.
        let peers = try await session.query("SELECT tokens FROM system.peers", consistency: .one, isIdempotent: true)
        let rows = [row] + (peers.rows?.rows ?? [])
        return Ring(tokens: try Self.tokens(rows.flatMap { Self.texts($0) }), nodeCount: rows.count)
    }

    static func check(partitioner: CQLValue?) throws(TokenRangesError) {
        let name: String
        if case .text(let text)? = partitioner { name = text } else { name = "unknown" }
        guard name == Murmur3Partitioner.className else {
            let text = "the partitioner is \(name), only \(Murmur3Partitioner.className) is supported"
            throw TokenRangesError(.unsupportedPartitioner, text)
        }
    }

    static func tokens(_ texts: [String]) throws(TokenRangesError) -> [Int64] {
        var tokens: [Int64] = []
        tokens.reserveCapacity(texts.count)
        for text in texts {
            guard let token = Int64(text) else {
                throw TokenRangesError(.unreadableRing, "a node has a token that is none of Murmur3")
            }
            tokens.append(token)
        }
        return tokens
    }

    private static func texts(_ row: Row) -> [String] {
        guard case .set(let values)? = try? row.value("tokens") else { return [] }
        return values.compactMap { if case .text(let text) = $0 { text } else { nil } }
    }
}
