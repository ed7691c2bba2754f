import TokenRanges

/// Compares a range by digests: the near cluster is read from here, the far one by the reader that stands near it. What differs
/// is for a ``RangeComparison`` to look at.
struct DigestComparison: Sendable {
    /// Neighbouring leaves that agree, or that have to be compared row by row.
    struct Span: Sendable, Hashable {
        let range: TokenRange
        let agrees: Bool
        /// What the near cluster has in it.
        var rows = 0
        var partitions = 0
        var rowsLeftOut = 0
    }

    /// What came of a range.
    struct Outcome: Sendable {
        /// In order; together they are the range.
        var spans: [Span] = []
        /// Bytes that went between the readers.
        var peerBytes = 0
        /// Bytes of the values that both have read near their clusters.
        var bytes = 0
    }

    let peering: DigestPeering
    let table: TableName
    let terms: DigestTerms
    /// How the near cluster is read.
    let near: DigestReading
    /// Ids of the nodes of the far cluster, as it is seen from here.
    let farHosts: Set<String>
    let toleranceSeconds: Int64
    let comparesLives: Bool
    /// Milliseconds since 1970.
    let now: @Sendable () -> Int64

    /// The levels of a tree in which leaves have about as many rows as they should.
    ///
    /// - Parameter rows: that are expected; nil where nobody knows.
    func levels(rows: Int64?) -> Int {
        guard let rows else { return 3 }
        var levels = 0
        while levels < DigestShape.levelsMax,
            rows > Int64(self.peering.rowsPerLeaf) * Int64(DigestShape.nodes(at: levels))
        {
            levels += 1
        }
        return levels
    }

    /// Compares a range.
    ///
    /// - Throws: ``DigestError`` where the peer cannot be asked; what reading the near cluster throws.
    func run(_ range: TokenRange, expectedRows: Int64?, seed: UInt64) async throws -> Outcome {
        let shape = DigestShape(range: range, levels: self.levels(rows: expectedRows))
        var outcome = Outcome()
        let tolerance = try await self.tolerance(&outcome)
        // Both read at the same time, and each row once.
        async let own = self.near.tree(shape, seed: seed)
        async let root = self.ask(shape, seed, .digests, depth: 0, [0])
        let tree = try await own
        let first = try await root
        outcome.peerBytes += first.wire
        outcome.bytes += tree.bytes + first.read
        var asked: (nodes: [Int], digests: [RowDigest]) = ([0], first.digests)
        var differing: [Int] = []
        for depth in 0...shape.levels {
            differing = try await self.differing(asked, tree, depth: depth, tolerance, &outcome)
            guard !differing.isEmpty, depth < shape.levels else { break }
            let children = differing.flatMap { ($0 * DigestShape.fanOut)..<(($0 + 1) * DigestShape.fanOut) }
            let answer = try await self.ask(shape, seed, .digests, depth: depth + 1, children)
            outcome.peerBytes += answer.wire
            asked = (children, answer.digests)
        }
        outcome.spans = Self.spans(tree, differing: Set(differing))
        return outcome
    }

    /// Seconds by which two lives may differ that end by the clocks of two readers: what the clocks are apart is taken from it,
    /// so that it never hides a difference. Below 0 nothing is near enough.
    private func tolerance(_ outcome: inout Outcome) async throws -> Int64 {
        let before = self.now()
        let (greeting, bytes) = try await self.peering.peer.greeting(of: self.peering.cluster)
        let after = self.now()
        outcome.peerBytes += bytes
        try greeting.check(self.peering.cluster, self.farHosts)
        let apart = max(abs(greeting.clock - before), abs(greeting.clock - after))
        return self.toleranceSeconds - (apart + 500) / 1_000
    }

    // MARK: Nodes

    /// The nodes that do not agree.
    private func differing(
        _ asked: (nodes: [Int], digests: [RowDigest]),
        _ tree: DigestTree,
        depth: Int,
        _ tolerance: Int64,
        _ outcome: inout Outcome
    ) async throws -> [Int] {
        var differing: [Int] = []
        var doubtful: [Int] = []
        for (node, digest) in zip(asked.nodes, asked.digests) {
            if tree.digest(depth: depth, index: node) != digest {
                differing.append(node)
            } else if self.comparesLives, tree.lives(depth: depth, index: node)?.isEmpty != true {
                doubtful.append(node)
            }
        }
        guard !doubtful.isEmpty else { return differing }
        guard tolerance >= 0 else { return (differing + doubtful).sorted() }
        let width = LivesSketch.width(tolerance: self.toleranceSeconds)
        let answer = try await self.ask(tree.shape, tree.seed, .lives, depth: depth, doubtful, width: width)
        outcome.peerBytes += answer.wire
        for (node, sketch) in zip(doubtful, answer.lives) {
            if let sketch, let lives = tree.lives(depth: depth, index: node),
                sketch.agrees(with: lives, within: tolerance, width: width, seed: tree.seed)
            {
                continue
            }
            differing.append(node)
        }
        return differing.sorted()
    }

    private static func spans(_ tree: DigestTree, differing: Set<Int>) -> [Span] {
        var spans: [Span] = []
        var start = 0
        while start < tree.leaves.count {
            var end = start + 1
            let differs = differing.contains(start)
            while end < tree.leaves.count, differing.contains(end) == differs { end += 1 }
            if let range = tree.shape.range(of: start..<end) {
                let leaves = tree.leaves[start..<end]
                spans.append(
                    Span(
                        range: range,
                        agrees: !differs,
                        rows: leaves.reduce(0) { $0 + Int($1.rows) },
                        partitions: leaves.reduce(0) { $0 + Int($1.partitions) },
                        rowsLeftOut: leaves.reduce(0) { $0 + Int($1.rowsLeftOut) }
                    )
                )
            }
            start = end
        }
        return spans
    }

    // MARK: Asking

    private struct Answers {
        var digests: [RowDigest] = []
        var lives: [LivesSketch?] = []
        /// Bytes of values that were read for them.
        var read = 0
        /// Bytes on the way.
        var wire = 0
    }

    private func ask(
        _ shape: DigestShape,
        _ seed: UInt64,
        _ kind: DigestRequest.Kind,
        depth: Int,
        _ nodes: [Int],
        width: Int = 1
    ) async throws -> Answers {
        var answers = Answers()
        for start in stride(from: 0, to: nodes.count, by: DigestRequest.nodesMax) {
            let slice = Array(nodes[start..<min(start + DigestRequest.nodesMax, nodes.count)])
            let request = DigestRequest(
                cluster: self.peering.cluster,
                table: self.table,
                terms: self.terms,
                shape: shape,
                seed: seed,
                kind: kind,
                depth: depth,
                nodes: slice,
                width: width
            )
            try await self.ask(request, &answers)
        }
        return answers
    }

    /// Asks until it is answered, as long as the peer gets on.
    private func ask(_ request: DigestRequest, _ answers: inout Answers) async throws {
        var known = -1
        var since = ContinuousClock.now
        while true {
            let (answer, wire) = try await self.peering.peer.answer(request)
            answers.wire += wire
            switch answer {
            case .reading(let rows):
                if rows > known { (known, since) = (rows, .now) }
                guard ContinuousClock.now - since < self.peering.patience else {
                    throw DigestError(
                        .slow,
                        "the peer has read no row of \(request.table) for \(self.peering.patience)"
                    )
                }
            case .digests(let digests, let bytes):
                guard request.kind == .digests, digests.count == request.nodes.count else { throw Self.malformed }
                answers.digests += digests
                answers.read += bytes
                return
            case .lives(let lives):
                guard request.kind == .lives, lives.count == request.nodes.count else { throw Self.malformed }
                answers.lives += lives
                return
            }
        }
    }

    private static var malformed: DigestError {
        DigestError(.malformed, "the peer answered something else than it was asked")
    }
}
