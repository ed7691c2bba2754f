import DualReader
import Operations
import TokenRanges

extension DigestRequestDocument {
    /// A request as it goes over the wire.
    init(_ request: DigestRequest) {
        self.init(
            version: DigestTerms.version,
            cluster: request.cluster.rawValue,
            keyspace: request.table.keyspace,
            table: request.table.table,
            start: request.shape.range.start,
            end: request.shape.range.end
        )
        (self.settings, self.columns) = (request.terms.settings, request.terms.columns)
        (self.untold, self.levels, self.seed) = (request.terms.untold, request.shape.levels, request.seed)
        (self.kind, self.depth, self.width) = (request.kind.rawValue, request.depth, request.width)
        // Children come by sixteens: neighbours are told as one.
        for node in request.nodes {
            if let last = self.nodes.last, last[1] == node - 1 {
                self.nodes[self.nodes.count - 1][1] = node
            } else {
                self.nodes.append([node, node])
            }
        }
    }

    /// The request.
    ///
    /// - Throws: ``DigestError`` where it is of another version, or is none.
    func request() throws(DigestError) -> DigestRequest {
        guard self.version == DigestTerms.version else {
            throw DigestError(
                .version,
                "version \(self.version) of digests is asked for, and this reader speaks \(DigestTerms.version): "
                    + "let both have the same version of cluster-sync"
            )
        }
        guard let cluster = Side(rawValue: self.cluster), let kind = DigestRequest.Kind(rawValue: self.kind),
            let range = TokenRange(after: self.start, through: self.end),
            (0...DigestShape.levelsMax).contains(self.levels)
        else { throw DigestError(.malformed, "the question names no range, cluster or kind that there is") }
        let request = DigestRequest(
            cluster: cluster,
            table: TableName(keyspace: self.keyspace, table: self.table),
            terms: DigestTerms(settings: self.settings, columns: self.columns, untold: self.untold),
            shape: DigestShape(range: range, levels: self.levels),
            seed: self.seed,
            kind: kind,
            depth: self.depth,
            nodes: try self.places(),
            width: self.width
        )
        if let fault = request.fault { throw DigestError(.malformed, fault) }
        return request
    }

    private func places() throws(DigestError) -> [Int] {
        var places: [Int] = []
        for group in self.nodes {
            guard group.count == 2, group[0] >= 0, group[0] <= group[1],
                group[1] - group[0] < DigestRequest.nodesMax - places.count
            else { throw DigestError(.malformed, "at most \(DigestRequest.nodesMax) nodes can be asked for") }
            places += group[0]...group[1]
        }
        return places
    }
}

extension DigestGreetingDocument {
    /// The greeting; nil where its time is none.
    var greeting: DigestGreeting? {
        // Until the end of the year 9999.
        guard (0...253_402_300_799_999).contains(self.clockMs) else { return nil }
        return DigestGreeting(version: self.version, hosts: Set(self.hosts), clock: self.clockMs)
    }
}

extension DigestAnswerDocument {
    /// An answer as it goes over the wire.
    init(_ answer: DigestAnswer) {
        self.init()
        switch answer {
        case .reading(let rows): self.readingRows = rows
        case .digests(let digests, let bytes):
            self.digests = DigestCoding.text(digests.flatMap(Self.bytes))
            self.bytes = bytes
        case .lives(let lives):
            self.lives = lives.map { lives in
                lives.map {
                    Lives(digest: DigestCoding.text(Self.bytes($0.digest)), digits: DigestCoding.text($0.digits))
                }
            }
        }
    }

    /// The answer; nil where it is none.
    var answer: DigestAnswer? {
        if let rows = self.readingRows { return .reading(rows: rows) }
        if let digests {
            guard let bytes = DigestCoding.bytes(digests), bytes.count.isMultiple(of: 16) else { return nil }
            let read = self.bytes ?? 0
            guard (0...Self.bytesReadMax).contains(read) else { return nil }
            let all = stride(from: 0, to: bytes.count, by: 16).map { Self.digest(bytes[$0..<($0 + 16)]) }
            return .digests(all, bytes: read)
        }
        guard let lives else { return nil }
        var all: [LivesSketch?] = []
        for lives in lives {
            guard let lives else {
                all.append(nil)
                continue
            }
            guard let digest = DigestCoding.bytes(lives.digest), digest.count == 16,
                let digits = DigestCoding.bytes(lives.digits)
            else { return nil }
            all.append(LivesSketch(digest: Self.digest(digest[...]), digits: digits))
        }
        return .lives(all)
    }

    /// The most bytes that a range can have: what is added up of many ranges stays a number.
    private static var bytesReadMax: Int { 1 << 50 }

    private static func bytes(_ digest: RowDigest) -> [UInt8] {
        [digest.high, digest.low].flatMap { half in
            (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) }
        }
    }

    private static func digest(_ bytes: ArraySlice<UInt8>) -> RowDigest {
        func half(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        return RowDigest(high: half(bytes.prefix(8)), low: half(bytes.suffix(8)))
    }
}
