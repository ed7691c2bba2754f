/// What somebody asks for with `POST /v1/drain`: that the sidecar ends in order.
public struct Drain: Sendable, Equatable {
    /// Why.
    public var reason: String?
    /// How long requests under way and shadow writes are waited for, in milliseconds; nil: `timeouts.drain_ms`.
    public var deadlineMs: Int?
    /// Who asks: the interface and the peer's address.
    public var by: String

    /// The longest time, in milliseconds.
    public static var deadlineMsMax: Int { 3_600_000 }

    /// Creates a drain.
    public init(reason: String? = nil, deadlineMs: Int? = nil, by: String) {
        self.reason = reason
        self.deadlineMs = deadlineMs
        self.by = by
    }

    /// Reads the document of `POST /v1/drain`.
    init(_ object: [String: JSONValue], by: String) throws(AdminError) {
        var reader = DocumentReader(object, keys: ["reason", "deadline_ms"])
        let reason = reader.reason(isNeeded: false)
        var deadline: Int?
        switch reader.value("deadline_ms") {
        case nil, .null: break
        case .integer(let number) where (1...Self.deadlineMsMax).contains(number): deadline = number
        default: reader.fault("deadline_ms: must be a number from 1 to \(Self.deadlineMsMax)")
        }
        try reader.finish()
        self.init(reason: reason, deadlineMs: deadline, by: by)
    }
}

/// What a successful `POST /v1/drain` answers, with 202: the sidecar ends when it is done.
public struct DrainDocument: Codable, Sendable, Equatable {
    /// Whether it was ending already.
    public var wasDraining: Bool
    /// How long it waits at most, in milliseconds.
    public var deadlineMs: Int
    /// Client connections.
    public var clients: Int
    /// Writes that clusters are still owed.
    public var owed: Int
    /// Whether those are in a journal, from which the next start delivers them.
    public var journalled: Bool

    /// Creates a document.
    public init(wasDraining: Bool, deadlineMs: Int, clients: Int, owed: Int, journalled: Bool) {
        self.wasDraining = wasDraining
        self.deadlineMs = deadlineMs
        self.clients = clients
        self.owed = owed
        self.journalled = journalled
    }
}
