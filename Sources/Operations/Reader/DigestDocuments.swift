public import FoundationEssentials

/// `GET /v1/digests?cluster=…`: what a reader that answers with digests says of itself.
public struct DigestGreetingDocument: Codable, Sendable, Equatable {
    /// The version of the digests.
    public var version: Int
    /// Ids of the nodes of the cluster.
    public var hosts: [String]
    /// The time there, in milliseconds since 1970.
    public var clockMs: Int64

    /// Creates a document.
    public init(version: Int, hosts: [String], clockMs: Int64) {
        (self.version, self.hosts, self.clockMs) = (version, hosts, clockMs)
    }
}

/// The body of `POST /v1/digests`.
public struct DigestRequestDocument: Codable, Sendable, Equatable {
    /// The version of the digests that the answer must have.
    public var version: Int
    /// The cluster whose rows are meant: `source` or `target`.
    public var cluster: String
    /// The name of the table's keyspace, as in the schema.
    public var keyspace: String
    /// The name of the table.
    public var table: String
    /// The words of the configuration that change digests.
    public var settings: [String]
    /// The columns that are compared.
    public var columns: [String]
    /// Those of them of which times are left out.
    public var untold: [String]
    /// The token before the first one of the root's range.
    public var start: Int64
    /// Its last token.
    public var end: Int64
    /// Levels below the root.
    public var levels: Int
    /// The seed of the hash.
    public var seed: UInt64
    /// `digests` or `lives`.
    public var kind: String
    /// The depth of the nodes.
    public var depth: Int
    /// Their places at that depth, each group of neighbours as its first and its last one.
    public var nodes: [[Int]]
    /// Bytes of each end of a life.
    public var width: Int

    /// Creates a document without nodes.
    public init(version: Int, cluster: String, keyspace: String, table: String, start: Int64, end: Int64) {
        (self.version, self.cluster, self.keyspace, self.table) = (version, cluster, keyspace, table)
        (self.start, self.end) = (start, end)
        (self.settings, self.columns, self.untold, self.nodes) = ([], [], [], [])
        (self.levels, self.seed, self.kind, self.depth, self.width) = (0, 0, "digests", 0, 1)
    }
}

/// What `POST /v1/digests` answers.
public struct DigestAnswerDocument: Codable, Sendable, Equatable {
    /// The ends of the lives in one node.
    public struct Lives: Codable, Sendable, Equatable {
        /// The digest of them, in Base64.
        public var digest: String
        /// Their last bytes, in Base64.
        public var digits: String

        /// Creates a document.
        public init(digest: String, digits: String) { (self.digest, self.digits) = (digest, digits) }
    }

    /// Rows that were read so far, where the range is still being read: ask again.
    public var readingRows: Int?
    /// The digests of the nodes, 16 bytes each, in Base64; absent where they are being read or lives were asked for.
    public var digests: String?
    /// Bytes of the values that were read for the tree.
    public var bytes: Int?
    /// The lives of the nodes; null for those that have too many.
    public var lives: [Lives?]?

    /// An empty answer.
    public init() {}
}

/// What answers with digests. Asked from any task.
public protocol DigestSource: Sendable {
    /// What it says of itself.
    func greeting(of cluster: String) async throws -> DigestGreetingDocument
    /// What it says to a request, which it checks.
    func answer(_ request: DigestRequestDocument) async throws -> DigestAnswerDocument
}

/// The one way in which these documents become JSON: as short as it gets, as their bytes are counted.
public enum DigestCoding {
    /// `document` as JSON text.
    public static func encode(_ document: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return try encoder.encode(document)
    }

    /// Bytes as text, in Base64.
    public static func text(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    /// The bytes of a text; nil where it is no Base64.
    public static func bytes(_ text: String) -> [UInt8]? { Data(base64Encoded: text).map { [UInt8]($0) } }
}
