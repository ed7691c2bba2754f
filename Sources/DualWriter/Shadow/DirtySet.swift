public import DualWriteCore
import NIOCore
import ShadowJournal
import Synchronization

/// A partition whose state on one cluster is in doubt.
public struct DirtyPartition: Sendable, Hashable {
    /// Where it is.
    public struct Place: Sendable, Hashable {
        /// The keyspace, as in the schema; empty where nobody knows it.
        public let keyspace: String
        /// The table; empty where nobody knows it.
        public let table: String
        /// The partition key as Cassandra routes by it; nil for the whole table.
        public let key: [UInt8]?

        /// A partition, or a whole table.
        public init(keyspace: String, table: String, key: [UInt8]?) {
            self.keyspace = keyspace
            self.table = table
            self.key = key
        }

        var wholeTable: Place { Place(keyspace: self.keyspace, table: self.table, key: nil) }
    }

    /// Where it is.
    public let place: Place
    /// The cluster that may lack something, or have too much.
    public let cluster: Cluster
    /// The first reason that was given.
    public let reason: DoubtReason
    /// Since when, in milliseconds since 1970.
    public let since: Int64
    /// The number of this entry as it is now. A partition that is put into doubt again gets another one, whatever was known of it
    /// before; so do all with the start of a process. 0 before it is in the set.
    public internal(set) var mark: UInt64 = 0
}

/// The partitions in doubt, each once, kept on disk before whoever caused them hears of it (DESIGN §6.8). Thread-safe.
///
/// Bounded by ``partitionsPerTableMax``: beyond it, and when the disk has no room, the whole table is in doubt. Whole tables have
/// a log of their own, whose room on the disk is taken in advance: what is in doubt must be noted when the disk is full.
final class DirtySet: Sendable {
    /// Partitions of one table that are remembered one by one.
    static var partitionsPerTableMax: Int { 100_000 }

    private struct Key: Hashable {
        let cluster: Cluster
        let place: DirtyPartition.Place
    }

    private struct State {
        typealias Entry = (partition: DirtyPartition, record: JournalPosition?)

        private let partitions: JournalLog
        private let tables: JournalLog
        private(set) var known: [Key: Entry] = [:]
        private(set) var marks: [UInt64: Key] = [:]
        private var lastMark: UInt64
        var perTable: [Key: Int] = [:]
        /// How many are known, for whoever asks often.
        private(set) var counts = PerCluster<[DoubtReason: Int]>(both: [:])

        init(partitions: JournalLog, tables: JournalLog, lastMark: UInt64) {
            self.partitions = partitions
            self.tables = tables
            self.lastMark = lastMark
            for log in [partitions, tables] {
                var last: JournalPosition?
                while let record = log.next(after: last) {
                    last = record.position
                    guard let partition = DirtyPartition(record.payload, since: record.time) else { continue }
                    let key = Key(cluster: partition.cluster, place: partition.place)
                    if let former = self.known[key] {
                        // Its process ended between writing the one and giving up the other.
                        self.release(former)
                    } else {
                        let table = Key(cluster: partition.cluster, place: partition.place.wholeTable)
                        self.perTable[table, default: 0] += 1
                    }
                    self.set((partition, record.position), for: key)
                }
            }
            self.bringTablesTogether()
        }

        /// Writes what is known of whole tables into the file that this process has begun. An entry would keep its own file
        /// otherwise, and after a few restarts there were no room for another one.
        private mutating func bringTablesTogether() {
            for (key, entry) in self.known where key.place.key == nil {
                guard let record = self.append(entry.partition) else { return }
                self.set((entry.partition, record), for: key)
                self.release(entry)
            }
        }

        private func log(of place: DirtyPartition.Place) -> JournalLog {
            place.key == nil ? self.tables : self.partitions
        }

        /// Writes an entry down; nil where there is no room.
        func append(_ partition: DirtyPartition) -> JournalPosition? {
            let bytes = partition.encoded
            let size = JournalLog.byteCount(ofRecord: bytes.readableBytes)
            let log = self.log(of: partition.place)
            guard case .success = log.reserve(size, now: partition.since) else { return nil }
            return bytes.withUnsafeReadableBytes {
                log.append(kind: 0, state: JournalState(.owed), time: partition.since, $0)
            }
        }

        /// Gives up the record of an entry that is no longer the one that counts.
        func release(_ entry: Entry) {
            if let record = entry.record {
                self.log(of: entry.partition.place).setState(.finished, at: record)
            }
        }

        func close() {
            self.partitions.close()
            self.tables.close()
        }

        /// Puts an entry in the place of what is known of a partition; nil: nothing is in doubt there any more.
        mutating func set(_ entry: Entry?, for key: Key) {
            if let former = self.known[key]?.partition {
                self.counts[key.cluster][former.reason, default: 0] -= 1
                self.marks[former.mark] = nil
            }
            guard var entry else {
                self.known[key] = nil
                return
            }
            self.lastMark += 1
            entry.partition.mark = self.lastMark
            self.marks[self.lastMark] = key
            self.counts[key.cluster][entry.partition.reason, default: 0] += 1
            self.known[key] = entry
        }

        /// Takes one entry out of doubt.
        mutating func clear(_ key: Key) {
            guard let entry = self.known[key] else { return }
            self.release(entry)
            self.set(nil, for: key)
            let table = Key(cluster: key.cluster, place: key.place.wholeTable)
            let count = self.perTable[table, default: 0]
            // A table that came to be in doubt as a whole counts as many partitions as it may have.
            let isCollapsed = key.place.key == nil && count >= DirtySet.partitionsPerTableMax
            let left =
                isCollapsed
                ? self.known.keys.count { $0.cluster == key.cluster && $0.place.wholeTable == table.place } : count - 1
            self.perTable[table] = left > 0 ? left : nil
        }
    }

    private let state: Mutex<State>

    /// The set that two logs hold.
    ///
    /// - Parameter lastMark: the number before the first mark; those of two processes must not be taken for each other's.
    init(
        partitions: sending JournalLog,
        tables: sending JournalLog,
        lastMark: UInt64 = .random(in: 1...UInt64(1) << 62)
    ) {
        self.state = Mutex(State(partitions: partitions, tables: tables, lastMark: lastMark))
    }

    /// Puts a partition into doubt.
    func mark(_ place: DirtyPartition.Place, on cluster: Cluster, _ reason: DoubtReason, at wall: Int64) {
        self.state.withLock { state in
            let table = Key(cluster: cluster, place: place.wholeTable)
            let isSingle = place.key != nil && state.perTable[table, default: 0] < Self.partitionsPerTableMax
            let key = isSingle ? Key(cluster: cluster, place: place) : table
            let known = state.known[key]
            // What is known already must not hide what is more. Whoever has looked at it before has not seen this, though.
            if let known, known.partition.reason.severity >= reason.severity {
                state.set(known, for: key)
                return
            }
            if known == nil { state.perTable[table, default: 0] += 1 }
            let partition = DirtyPartition(place: key.place, cluster: cluster, reason: reason, since: wall)
            if let record = state.append(partition) {
                state.set((partition, record), for: key)
                // Only now: whatever ends the process in between, one of the two is there.
                if let known { state.release(known) }
            } else if key.place.key != nil {
                // No room for one more: the table as a whole takes the room of its partitions.
                Self.collapse(table, reason, wall, &state)
            } else {
                // What the disk says of the table already, it goes on to say.
                state.set((partition, known?.record), for: key)
            }
        }
    }

    private static func collapse(_ table: Key, _ reason: DoubtReason, _ wall: Int64, _ state: inout State) {
        let parts = state.known.filter { $0.key.cluster == table.cluster && $0.key.place.wholeTable == table.place }
        let gravest = parts.values.map(\.partition.reason).max { $0.severity < $1.severity } ?? reason
        let whole = DirtyPartition(
            place: table.place,
            cluster: table.cluster,
            reason: gravest.severity > reason.severity ? gravest : reason,
            since: wall
        )
        guard let record = state.append(whole) else {
            // Nor is there room for the table: on the disk its partitions stay as they are.
            state.set((whole, state.known[table]?.record), for: table)
            return
        }
        for (key, entry) in parts {
            state.release(entry)
            state.set(nil, for: key)
        }
        state.set((whole, record), for: table)
        state.perTable[table] = Self.partitionsPerTableMax
    }

    /// Partitions of a cluster that are in doubt, by reason.
    func counts(on cluster: Cluster) -> [DoubtReason: Int] { self.state.withLock { $0.counts[cluster] } }

    /// The partitions of a cluster, or of both, the oldest first, up to a number of them.
    func partitions(max: Int, on cluster: Cluster? = nil) -> [DirtyPartition] {
        let all = self.state.withLock { $0.known.values.map(\.partition) }
        return Array(
            all.filter { cluster == nil || $0.cluster == cluster }.sorted { $0.since < $1.since }.prefix(max)
        )
    }

    /// The number of partitions by cluster, table and reason.
    func summary() -> [(cluster: Cluster, table: DirtyPartition.Place, reason: DoubtReason, count: Int)] {
        struct Group: Hashable { let cluster: Cluster, table: DirtyPartition.Place, reason: DoubtReason }
        var counts: [Group: Int] = [:]
        // Loops wait for the lock: nothing is reckoned under it.
        for partition in self.state.withLock({ $0.known.values.map(\.partition) }) {
            let group = Group(
                cluster: partition.cluster,
                table: partition.place.wholeTable,
                reason: partition.reason
            )
            counts[group, default: 0] += 1
        }
        return counts.map { ($0.key.cluster, $0.key.table, $0.key.reason, $0.value) }
    }

    /// Takes partitions out of doubt: all of a cluster, or those of one table.
    ///
    /// - Returns: how many there were.
    func clear(on cluster: Cluster, table: DirtyPartition.Place? = nil) -> Int {
        self.state.withLock { state in
            var cleared = 0
            for (key, entry) in state.known where key.cluster == cluster {
                if let table, key.place.wholeTable != table.wholeTable { continue }
                state.release(entry)
                state.set(nil, for: key)
                state.perTable[Key(cluster: cluster, place: key.place.wholeTable)] = nil
                cleared += 1
            }
            return cleared
        }
    }

    /// The entries of a cluster about one table, in the order in which they were put into doubt last.
    ///
    /// - Parameter mark: only those behind it are told.
    func partitions(
        of table: DirtyPartition.Place,
        on cluster: Cluster,
        after mark: UInt64,
        max: Int
    ) -> [DirtyPartition] {
        let all = self.state.withLock { $0.known.values.map(\.partition) }
        return Array(
            all.filter { $0.cluster == cluster && $0.mark > mark && $0.place.wholeTable == table.wholeTable }
                .sorted { $0.mark < $1.mark }.prefix(max)
        )
    }

    /// Takes entries of a cluster out of doubt that still have these marks: what was put into doubt again since they were told
    /// stays.
    ///
    /// - Returns: how many there were.
    func clear(on cluster: Cluster, marks: Set<UInt64>) -> Int {
        self.state.withLock { state in
            let keys = marks.compactMap { state.marks[$0] }.filter { $0.cluster == cluster }
            for key in keys { state.clear(key) }
            return keys.count
        }
    }

    /// Writes the clean end.
    func close() { self.state.withLock { $0.close() } }
}

extension DirtyPartition {
    /// Reads what ``encoded`` wrote.
    init?(_ bytes: UnsafeRawBufferPointer, since: Int64) {
        var buffer = ByteBuffer(bytes: bytes)
        guard let cluster = buffer.readInteger(as: UInt8.self).flatMap(Cluster.init(rawValue:)),
            let reason = buffer.readInteger(as: UInt8.self).flatMap(DoubtReason.init(rawValue:)),
            let keyspace = buffer.readLengthPrefixedString(), let table = buffer.readLengthPrefixedString(),
            let hasKey = buffer.readInteger(as: UInt8.self)
        else { return nil }
        let key = hasKey == 1 ? Array(buffer.readableBytesView) : nil
        self.init(
            place: Place(keyspace: keyspace, table: table, key: key),
            cluster: cluster,
            reason: reason,
            since: since
        )
    }

    /// Cluster, reason, keyspace, table, and the key behind a byte that says whether there is one.
    var encoded: ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeInteger(self.cluster.rawValue)
        buffer.writeInteger(self.reason.rawValue)
        buffer.writeLengthPrefixedString(self.place.keyspace)
        buffer.writeLengthPrefixedString(self.place.table)
        buffer.writeInteger(UInt8(self.place.key == nil ? 0 : 1))
        buffer.writeBytes(self.place.key ?? [])
        return buffer
    }
}

extension ByteBuffer {
    mutating func writeLengthPrefixedString(_ text: String) {
        self.writeInteger(UInt32(truncatingIfNeeded: text.utf8.count))
        self.writeString(text)
    }

    mutating func readLengthPrefixedString() -> String? {
        guard let length = self.readInteger(as: UInt32.self) else { return nil }
        return self.readString(length: Int(length))
    }
}
