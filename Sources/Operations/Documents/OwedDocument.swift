/// What somebody asks for with `POST /v1/journal/owed`: whether the journal still holds writes of some partitions.
public struct OwedQuestion: Sendable, Equatable {
    /// The keyspace, as in the schema, without quotes.
    public var keyspace: String
    /// The table, as in the schema, without quotes.
    public var table: String
    /// The partition keys as Cassandra routes by them: of one column its bytes, of several each with its length in two bytes
    /// before it and a zero byte behind it.
    public var keys: [[UInt8]]

    /// Keys that one request names. Long ones are bounded by ``AdminServer/bodyBytesMax``.
    public static var keysMax: Int { 1_000 }
    static var nameBytesMax: Int { 256 }

    /// A question.
    public init(keyspace: String, table: String, keys: [[UInt8]]) {
        self.keyspace = keyspace
        self.table = table
        self.keys = keys
    }

    /// Reads the document of `POST /v1/journal/owed`; keys are in hexadecimal digits.
    init(_ object: [String: JSONValue]) throws(AdminError) {
        var reader = DocumentReader(object, keys: ["keyspace", "table", "keys"])
        let keyspace = reader.text("keyspace", bytesMax: Self.nameBytesMax)
        let table = reader.text("table", bytesMax: Self.nameBytesMax)
        if keyspace == nil { reader.fault("the key 'keyspace' is missing") }
        if table == nil { reader.fault("the key 'table' is missing") }
        let texts = reader.texts("keys", max: Self.keysMax, bytesMax: AdminServer.bodyBytesMax) ?? []
        let keys = texts.compactMap { Self.bytes($0) }
        if keys.count != texts.count { reader.fault("keys: must be in hexadecimal digits") }
        if keys.isEmpty { reader.fault("keys: names no partition") }
        try reader.finish()
        self.init(keyspace: keyspace ?? "", table: table ?? "", keys: keys)
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.digit(digits[index]), let low = Self.digit(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// What a successful `POST /v1/journal/owed` answers.
public struct OwedDocument: Codable, Sendable, Equatable {
    /// Of the keys those that a cluster is still owed a write of, by their places in the question.
    public var owed: [Int]
    /// Whether all that is owed was looked at; if not, any of the others may be owed, too.
    public var complete: Bool

    /// Creates a document.
    public init(owed: [Int], complete: Bool) {
        self.owed = owed
        self.complete = complete
    }
}
