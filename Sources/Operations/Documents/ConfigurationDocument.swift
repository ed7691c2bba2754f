/// The six-field document of `GET /config`.
public struct ConfigurationDocument: Codable, Sendable, Equatable {
    /// The source cluster's contact points.
    public var cassandraHosts: [String]
    /// The target cluster's contact points.
    public var scyllaHosts: [String]
    /// The write mode in force.
    public var writeMode: String
    /// The share of reads that should be compared, in per cent.
    public var validationPercentage: Double
    /// How long one attempt on the shadow may take, in milliseconds.
    public var shadowWriteTimeoutMs: Int
    /// How long the primary may take for a write, in milliseconds.
    public var primaryWriteTimeoutMs: Int

    /// Creates a document.
    public init(
        cassandraHosts: [String],
        scyllaHosts: [String],
        writeMode: String,
        validationPercentage: Double,
        shadowWriteTimeoutMs: Int,
        primaryWriteTimeoutMs: Int
    ) {
        self.cassandraHosts = cassandraHosts
        self.scyllaHosts = scyllaHosts
        self.writeMode = writeMode
        self.validationPercentage = validationPercentage
        self.shadowWriteTimeoutMs = shadowWriteTimeoutMs
        self.primaryWriteTimeoutMs = primaryWriteTimeoutMs
    }
}

/// What somebody asks for with `POST /config`: the fields that were given. A field that is absent stays as it is.
public struct ConfigurationChange: Sendable, Equatable {
    /// The limits of the values.
    public enum Limit {
        /// A timeout of a write, in milliseconds.
        public static var timeoutMilliseconds: ClosedRange<Int> { 1...600_000 }
        /// Contact points of one cluster.
        public static var hostsMax: Int { 64 }
    }

    /// New contact points of the source cluster; empty takes the cluster away.
    public var cassandraHosts: [String]?
    /// New contact points of the target cluster; empty takes the cluster away.
    public var scyllaHosts: [String]?
    /// A new write mode.
    public var writeMode: String?
    /// A new share of reads to compare, in per cent.
    public var validationPercentage: Double?
    /// A new time limit of one attempt on the shadow, in milliseconds.
    public var shadowWriteTimeoutMs: Int?
    /// A new time limit of a write on the primary, in milliseconds.
    public var primaryWriteTimeoutMs: Int?
    /// Who asks: the interface and the peer's address.
    public var by: String

    /// Creates a change that changes nothing.
    public init(by: String) { self.by = by }

    static var keys: [String] {
        [
            "cassandra_hosts", "scylla_hosts", "write_mode", "validation_percentage", "shadow_write_timeout_ms",
            "primary_write_timeout_ms",
        ]
    }

    /// Reads the document; every wrong key is named, not only the first.
    init(_ object: [String: JSONValue], by: String) throws(AdminError) {
        self.by = by
        var faults: [String] = []
        for (key, value) in object.sorted(by: { $0.key < $1.key }) {
            switch key {
            case "cassandra_hosts": self.cassandraHosts = Self.hosts(key, value, &faults)
            case "scylla_hosts": self.scyllaHosts = Self.hosts(key, value, &faults)
            case "write_mode": self.writeMode = Self.mode(key, value, &faults)
            case "validation_percentage": self.validationPercentage = Self.percentage(key, value, &faults)
            case "shadow_write_timeout_ms": self.shadowWriteTimeoutMs = Self.milliseconds(key, value, &faults)
            case "primary_write_timeout_ms": self.primaryWriteTimeoutMs = Self.milliseconds(key, value, &faults)
            default: faults.append(Nearest.unknown("key", key, among: Self.keys))
            }
        }
        if object.isEmpty { faults.append("the document holds no key") }
        guard faults.isEmpty else {
            throw AdminError(
                .invalidConfiguration,
                faults.joined(separator: "; "),
                hint: "Nothing was changed. Known keys: \(Self.keys.joined(separator: ", "))."
            )
        }
    }

    /// A list of texts, or one text with commas.
    private static func hosts(_ key: String, _ value: JSONValue, _ faults: inout [String]) -> [String]? {
        let texts: [String]
        switch value {
        case .string(let text):
            texts = text.split(separator: ",").map { Nearest.trimmed($0) }.filter { !$0.isEmpty }
        case .array(let values):
            texts = values.compactMap { if case .string(let text) = $0 { Nearest.trimmed(text[...]) } else { nil } }
            guard texts.count == values.count, texts.allSatisfy({ !$0.isEmpty }) else {
                faults.append("\(key): every host must be a text that is not empty")
                return nil
            }
        case .null, .bool, .integer, .double, .object:
            faults.append("\(key): must be a list of hosts, or one text with commas between them")
            return nil
        }
        guard texts.count <= Limit.hostsMax else {
            faults.append("\(key): at most \(Limit.hostsMax) hosts, there are \(texts.count)")
            return nil
        }
        return texts
    }

    private static func mode(_ key: String, _ value: JSONValue, _ faults: inout [String]) -> String? {
        switch value {
        case .string(let text): return text
        case .integer(let number): return String(number)
        case .null, .bool, .double, .array, .object:
            faults.append("\(key): must be the name of a write mode or its number")
            return nil
        }
    }

    private static func percentage(_ key: String, _ value: JSONValue, _ faults: inout [String]) -> Double? {
        let number: Double
        switch value {
        case .integer(let integer): number = Double(integer)
        case .double(let double): number = double
        case .null, .bool, .string, .array, .object:
            faults.append("\(key): must be a number from 0 to 100")
            return nil
        }
        guard (0...100).contains(number) else {
            faults.append("\(key): must be from 0 to 100, not \(number)")
            return nil
        }
        return number
    }

    private static func milliseconds(_ key: String, _ value: JSONValue, _ faults: inout [String]) -> Int? {
        let range = Limit.timeoutMilliseconds
        guard case .integer(let number) = value else {
            faults.append("\(key): must be a whole number of milliseconds")
            return nil
        }
        guard range.contains(number) else {
            faults.append("\(key): must be from \(range.lowerBound) to \(range.upperBound), not \(number)")
            return nil
        }
        return number
    }
}
