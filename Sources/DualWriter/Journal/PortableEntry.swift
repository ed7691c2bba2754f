import CQLProtocol
import DualWriteCore
import NIOCore
import ShadowJournal

/// An entry with all that it refers to: on its way from one log to another, or to an operator's eyes.
struct PortableEntry: Sendable {
    /// When it was written, in milliseconds since 1970.
    var writtenAt: Int64
    /// A ``JournalEntry``.
    var bytes: [UInt8]
    var definitions: [JournalKey: JournalDefinition]

    /// Whether what it leads to depends on what came before it and what came after it, whatever the timestamps.
    var isBoundToItsPlace: Bool {
        self.bytes.withUnsafeBytes { JournalEntry($0).map { $0.kind.isOrdered || $0.kind.isFence } ?? true }
    }

    /// What a request would be in a journal.
    init(_ request: ProxiedRequest) {
        self.writtenAt = request.writtenAt
        let header = JournalEntry.header(of: request, by: request.identity?.journalKey, request.version)
        self.bytes = withUnsafeBytes(of: header) { Array($0) }
        if let payload = request.payload { self.bytes += payload.readableBytesView }
        self.bytes += request.body.bytes
        self.definitions = [:]
        if let identity = request.identity, let key = identity.journalKey {
            self.definitions[JournalKey(key)] = identity.journalDefinition
        }
        for statement in [request.statement].compactMap({ $0 }) + request.children {
            self.definitions[JournalKey(statement.id)] = statement.journalDefinition
        }
    }

    /// A record of a log, or a part of one; what its segment does not define (any more) is left out.
    init(_ payload: UnsafeRawBufferPointer, of record: JournalRecordView, in log: JournalLog) {
        self.writtenAt = record.time
        self.bytes = Array(payload)
        self.definitions = [:]
        for key in JournalEntry(payload)?.references ?? [] {
            if let bytes = log.definition(key, in: record.position.segment) {
                self.definitions[key] = JournalDefinition(bytes)
            }
        }
    }

    /// Appends it to a log, behind `prefix`.
    ///
    /// - Parameter now: milliseconds since 1970.
    /// - Returns: nil where there is no room.
    func append(
        to log: JournalLog,
        state: JournalState,
        prefix: [UInt8] = [],
        now: Int64
    ) -> JournalPosition? {
        let encoded = self.definitions.map { (key: $0.key, bytes: $0.value.encoded) }
        let size = encoded.reduce(JournalLog.byteCount(ofRecord: prefix.count + self.bytes.count)) {
            $0 + JournalLog.byteCount(ofDefinition: $1.bytes.readableBytes)
        }
        guard case .success = log.reserve(size, now: now) else { return nil }
        for (key, bytes) in encoded {
            bytes.withUnsafeReadableBytes { log.define(key, $0, time: self.writtenAt) }
        }
        return prefix.withUnsafeBytes { prefix in
            self.bytes.withUnsafeBytes { log.append(kind: 0, state: state, time: self.writtenAt, prefix, $0) }
        }
    }
}

extension JournalKey {
    init(_ id: StatementID) { self.init(high: id.high, low: id.low) }
}

extension JournalState {
    init(_ state: RecordState) { self.init(rawValue: state.rawValue) }
}

extension JournalEntry {
    /// The ids of the statements that it runs.
    var statements: [StatementID] {
        switch self.opcode {
        case .execute:
            guard self.body.count >= 2 + StatementID.byteCount else { return [] }
            return StatementID(UnsafeRawBufferPointer(rebasing: self.body[2..<2 + StatementID.byteCount])).map { [$0] }
                ?? []
        case .batch:
            guard case .batch(let batch)? = try? RequestRewriter.decode(self.body, opcode: .batch) else { return [] }
            return batch.children.compactMap { child in
                guard case .prepared(let id) = child.statement else { return nil }
                return id.withUnsafeReadableBytes { StatementID($0) }
            }
        default:
            return []
        }
    }

    /// The keys of all that it refers to.
    var references: [JournalKey] {
        (self.identity.map { [$0] } ?? []).map { JournalKey($0) } + self.statements.map { JournalKey($0) }
    }
}
