import CQLProtocol
public import DualWriteCore
import NIOCore
public import ShadowJournal

/// A record of one of the sidecar's logs in words, for an operator's eyes.
///
/// Its texts and values are customers' data: who shows them decides how much of them (`MaskedText` hides values in texts).
public struct RecordDescription: Sendable {
    /// A statement that a record runs.
    public struct Statement: Sendable {
        /// Its text; nil where it is lost.
        public let text: String?
        /// Its values, in the order in which they were bound.
        public let values: [Value]
    }

    /// A bound value.
    public struct Value: Sendable {
        /// Its name, where it was bound by name.
        public let name: String?
        /// Its bytes; nil for null and for what is not set.
        public let bytes: [UInt8]?
        /// Whether it was left as it is.
        public let isUnset: Bool
    }

    /// When it was written, in milliseconds since 1970.
    public let writtenAt: Int64
    /// Its number in the log.
    public let sequence: UInt64
    /// How far it has come: `intent`, `owed`, `held`, `sent_once`, `finished`, `damaged`, or a number that is not known.
    public let state: String
    /// What it is: a kind of request, `partition in doubt`, or `unreadable`.
    public let kind: String
    /// The cluster that it is about, where the record says so itself.
    public let cluster: Cluster?
    /// The keyspace of its statements, or of the client.
    public let keyspace: String?
    /// The user under whose name it was written.
    public let user: String?
    /// Whether it may be sent twice.
    public let isRepeatable: Bool
    /// What it runs.
    public let statements: [Statement]
    /// What a cluster said against it, or why its partition is in doubt.
    public let reason: String?
    /// Its length in bytes.
    public let byteCount: Int
    /// The partition that is in doubt.
    public let partition: DirtyPartition?

    /// Reads a record.
    ///
    /// - Parameters:
    ///   - log: the name of its log, which says what its records are.
    ///   - definition: what the record's segment defines for a key.
    public init(
        _ record: JournalRecordView,
        ofLog log: String,
        _ definition: (JournalKey) -> UnsafeRawBufferPointer?
    ) {
        self.writtenAt = record.time
        self.sequence = record.sequence
        self.state = Self.name(record.state)
        self.byteCount = record.payload.count
        var payload = record.payload
        var head: DeadLetters.Head?
        if log == ShadowStore.deadLettersName {
            head = DeadLetters.Head(payload)
            payload = UnsafeRawBufferPointer(rebasing: payload.dropFirst(head?.byteCount ?? 0))
        }
        let isDirty = log == ShadowStore.dirtyName || log == ShadowStore.dirtyTablesName
        let partition = isDirty ? DirtyPartition(payload, since: record.time) : nil
        self.partition = partition
        self.cluster = partition?.cluster ?? head?.cluster
        self.reason = partition?.reason.name ?? head?.words
        guard !isDirty, let entry = JournalEntry(payload) else {
            self.kind = partition == nil ? "unreadable" : "partition in doubt"
            self.keyspace = partition?.place.keyspace
            self.user = nil
            self.isRepeatable = false
            self.statements = []
            return
        }
        func defined(_ id: StatementID) -> JournalDefinition? {
            definition(JournalKey(id)).flatMap { JournalDefinition($0) }
        }
        let identity = entry.identity.flatMap(defined)
        self.kind = entry.kind.name
        self.keyspace = entry.statements.first.flatMap(defined)?.qualifier ?? identity?.text
        self.user = identity?.qualifier
        self.isRepeatable = entry.isRepeatable
        self.statements = entry.ran { defined($0)?.text }
    }

    private static func name(_ state: JournalState) -> String {
        switch state {
        case .finished: return "finished"
        case .damaged: return "damaged"
        default:
            switch RecordState(rawValue: state.rawValue) {
            case .intent: return "intent"
            case .owed: return "owed"
            case .held: return "held"
            case .sentOnce: return "sent_once"
            case nil: return "\(state.rawValue)"
            }
        }
    }
}

extension JournalEntry {
    /// What it runs, with the texts that `text` knows of prepared statements.
    func ran(_ text: (StatementID) -> String?) -> [RecordDescription.Statement] {
        func prepared(_ id: ByteBuffer) -> String? { id.withUnsafeReadableBytes { StatementID($0) }.flatMap(text) }
        switch try? RequestRewriter.decode(self.body, opcode: self.opcode, version: self.version) {
        case .query(let query):
            return [.init(text: query.text, values: query.parameters.values.described)]
        case .execute(let execute):
            return [.init(text: prepared(execute.id), values: execute.parameters.values.described)]
        case .batch(let batch):
            return batch.children.map { child in
                let values = QueryValues.positional(child.values).described
                switch child.statement {
                case .text(let text): return .init(text: text, values: values)
                case .prepared(let id): return .init(text: prepared(id), values: values)
                }
            }
        case .startup, .authResponse, .options, .prepare, .register, nil:
            return []
        }
    }
}

extension QueryValues {
    fileprivate var described: [RecordDescription.Value] {
        func described(_ value: BoundValue, _ name: String? = nil) -> RecordDescription.Value {
            .init(name: name, bytes: value.bytes, isUnset: value == .unset)
        }
        return switch self {
        case .none: []
        case .positional(let values): values.map { described($0) }
        case .named(let values): values.map { described($0.value, $0.name) }
        }
    }
}

extension DeadLetters.Head {
    fileprivate var words: String {
        self.errorCode.map { "\(ErrorCode(rawValue: $0)): \(self.reason)" } ?? self.reason
    }
}
