import CQLProtocol
public import DualWriteCore
import NIOCore
import ShadowJournal
import Synchronization

/// A write that a cluster has refused for good.
public struct DeadLetter: Sendable {
    /// Its number; it stays the same over restarts.
    public let id: UInt64
    /// Who has refused it.
    public let cluster: Cluster
    /// When it was written, in milliseconds since 1970.
    public let writtenAt: Int64
    /// The cluster's error code; nil where there was none.
    public let errorCode: Int32?
    /// The cluster's words.
    public let reason: String
    /// The keyspace of the statement or of its client.
    public let keyspace: String?
    /// The user under whose name it was written.
    public let user: String?
    /// The texts of its statements.
    public let statements: [String]
}

/// Writes that were refused for good, kept on disk until an operator sends them again or discards them. Thread-safe.
final class DeadLetters: Sendable {
    private struct State {
        var log: JournalLog
        /// By number, in order.
        var records: [(id: UInt64, position: JournalPosition, cluster: Cluster)] = []
    }

    private let state: Mutex<State>

    /// The letters that a log holds.
    init(_ log: sending JournalLog) {
        var state = State(log: log)
        var last: JournalPosition?
        while let record = state.log.next(after: last) {
            last = record.position
            guard let head = Head(record.payload) else { continue }
            state.records.append((record.sequence, record.position, head.cluster))
        }
        self.state = Mutex(state)
    }

    /// Keeps a write.
    ///
    /// - Returns: false where there is no room.
    func bury(_ entry: PortableEntry, refusedBy cluster: Cluster, errorCode: Int32?, reason: String, now: Int64) -> Bool
    {
        let head = Head(
            cluster: cluster,
            errorCode: errorCode,
            reason: String(decoding: reason.utf8.prefix(Head.reasonBytesMax), as: UTF8.self)
        )
        return self.state.withLock { state in
            guard
                let position = entry.append(to: state.log, state: JournalState(.owed), prefix: head.encoded, now: now)
            else { return false }
            state.records.append((state.log.lastSequence, position, cluster))
            return true
        }
    }

    /// How many writes a cluster has refused.
    func count(of cluster: Cluster) -> Int {
        self.state.withLock { state in state.records.count { $0.cluster == cluster } }
    }

    /// The numbers of what a cluster has refused.
    func ids(of cluster: Cluster) -> Set<UInt64> {
        self.state.withLock { state in Set(state.records.lazy.filter { $0.cluster == cluster }.map(\.id)) }
    }

    /// The letters of a cluster, or of both, the oldest first, up to a number of them.
    func letters(max: Int, of cluster: Cluster? = nil) -> [DeadLetter] {
        self.state.withLock { state in
            state.records.lazy.filter { cluster == nil || $0.cluster == cluster }.prefix(max).compactMap { letter in
                guard let record = state.log.record(at: letter.position) else { return nil }
                return Self.letter(record, id: letter.id, in: state.log)
            }
        }
    }

    private static func letter(_ record: JournalRecordView, id: UInt64, in log: JournalLog) -> DeadLetter? {
        guard let head = Head(record.payload) else { return nil }
        let payload = UnsafeRawBufferPointer(rebasing: record.payload[head.byteCount...])
        let portable = PortableEntry(payload, of: record, in: log)
        let entry = JournalEntry(payload)
        let identity = entry?.identity.flatMap { portable.definitions[JournalKey($0)] }
        let prepared = (entry?.statements ?? []).compactMap { portable.definitions[JournalKey($0)] }
        let texts = entry?.ran { portable.definitions[JournalKey($0)]?.text }.compactMap(\.text) ?? []
        return DeadLetter(
            id: id,
            cluster: head.cluster,
            writtenAt: record.time,
            errorCode: head.errorCode,
            reason: head.reason,
            keyspace: prepared.first.flatMap(\.qualifier) ?? identity?.text,
            user: identity?.qualifier,
            statements: texts
        )
    }

    /// The writes with these numbers, or all of a cluster, to be sent again; ``remove(_:)`` them when a journal has them.
    func entries(of cluster: Cluster, ids: Set<UInt64>?) -> [(id: UInt64, entry: PortableEntry)] {
        self.state.withLock { state in
            state.records.compactMap { letter in
                guard letter.cluster == cluster, ids?.contains(letter.id) ?? true,
                    let record = state.log.record(at: letter.position), let head = Head(record.payload)
                else { return nil }
                let payload = UnsafeRawBufferPointer(rebasing: record.payload[head.byteCount...])
                return (letter.id, PortableEntry(payload, of: record, in: state.log))
            }
        }
    }

    /// Forgets letters.
    func remove(_ ids: Set<UInt64>) {
        self.state.withLock { state in
            for letter in state.records where ids.contains(letter.id) {
                state.log.setState(.finished, at: letter.position)
            }
            state.records.removeAll { ids.contains($0.id) }
        }
    }

    /// Writes the clean end.
    func close() { self.state.withLock { _ = $0.log.close() } }

    /// What stands in front of a buried entry.
    struct Head {
        static var reasonBytesMax: Int { 1_000 }

        let cluster: Cluster
        let errorCode: Int32?
        let reason: String
        let byteCount: Int

        init(cluster: Cluster, errorCode: Int32?, reason: String) {
            self.cluster = cluster
            self.errorCode = errorCode
            self.reason = reason
            self.byteCount = 10 + reason.utf8.count
        }

        init?(_ bytes: UnsafeRawBufferPointer) {
            var buffer = ByteBuffer(bytes: bytes.prefix(16_384))
            guard let cluster = buffer.readInteger(as: UInt8.self).flatMap(Cluster.init(rawValue:)),
                let hasCode = buffer.readInteger(as: UInt8.self), let code = buffer.readInteger(as: Int32.self),
                let reason = buffer.readLengthPrefixedString()
            else { return nil }
            self.init(cluster: cluster, errorCode: hasCode == 1 ? code : nil, reason: reason)
        }

        var encoded: [UInt8] {
            var buffer = ByteBuffer()
            buffer.writeInteger(self.cluster.rawValue)
            buffer.writeInteger(UInt8(self.errorCode == nil ? 0 : 1))
            buffer.writeInteger(self.errorCode ?? 0)
            buffer.writeLengthPrefixedString(self.reason)
            return Array(buffer.readableBytesView)
        }
    }
}
