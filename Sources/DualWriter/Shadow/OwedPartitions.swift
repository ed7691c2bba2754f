import DualWriteCore
import CQLProtocol
import NIOCore
import ShadowJournal
import Synchronization

/// Which of some partitions of a table the journals still hold writes of, as far as one question tells.
public struct OwedPartitions: Sendable, Hashable {
    /// Partitions that one question may name.
    public static var keysMax: Int { 1_000 }
    /// How much of a loop's time one turn takes; the next one comes behind what clients wait for.
    static var nanosecondsPerTurnMax: Int64 { 1_000_000 }
    /// Turns for one journal at most: a longer backlog is not looked through to its end.
    static var turnsMax: Int { 50 }
    /// Records between two looks at the clock.
    static var recordsPerReading: Int { 16 }

    /// The keyspace, as in the schema.
    public let keyspace: String
    /// The table, as in the schema.
    public let table: String
    /// The partition keys that are asked for, as Cassandra routes by them.
    public let keys: Set<[UInt8]>
    /// Of these the ones that a cluster is still owed a write of.
    public internal(set) var owed: Set<[UInt8]> = []
    /// Whether all that is owed was looked at; if not, any of the others may be owed, too.
    public internal(set) var isComplete = true

    /// A question, before it is asked.
    public init(keyspace: String, table: String, keys: Set<[UInt8]>) {
        self.keyspace = keyspace
        self.table = table
        self.keys = keys
    }

    /// Whether there is nothing more to be found.
    var isSettled: Bool { self.owed.count == self.keys.count }

    /// Something is owed of these partitions.
    mutating func add(_ partitions: [WrittenPartition]) {
        for partition in partitions {
            // What cannot be told may be anywhere.
            guard partition.keyspace == nil || partition.keyspace == self.keyspace,
                partition.table == nil || partition.table == self.table
            else { continue }
            guard partition.keyspace != nil, partition.table != nil, let key = partition.key else {
                return self.addAll()
            }
            if self.keys.contains(key) { self.owed.insert(key) }
        }
    }

    /// Something is owed of which nobody can tell where it is.
    mutating func addAll() { self.owed = self.keys }

    mutating func add(_ other: Self) {
        self.owed.formUnion(other.owed)
        self.isComplete = self.isComplete && other.isComplete
    }
}

extension ShadowLane {
    /// Looks at the writes that are owed behind a position, for one turn of the loop.
    ///
    /// - Parameter began: when the question was asked, in milliseconds since 1970; what is written later is another question's.
    /// - Returns: where the next turn goes on; nil where all was looked at.
    func look(for partitions: inout OwedPartitions, after position: JournalPosition?, began: Int64) -> JournalPosition?
    {
        guard let log = self.log else {
            // In memory requests are not kept for being looked at, and what the primary has not answered is nowhere.
            let isSomethingOnItsWay = self.loop.requests.count(where: { $0.isWrite && $0.stage == .client }) > 0
            if self.count > 0 || isSomethingOnItsWay { partitions.isComplete = false }
            return nil
        }
        let end = LoopClock.nanoseconds + OwedPartitions.nanosecondsPerTurnMax
        var reader = TableReader(loop: self.loop, log: log)
        var (looked, last) = (0, position)
        while let record = log.next(after: last), record.time <= began, !partitions.isSettled {
            last = record.position
            if self.mayBe(of: partitions, reader.tables(of: record)) {
                let portable = PortableEntry(record.payload, of: record, in: log)
                if let written = DualWriterLoop.written(portable) {
                    partitions.add(
                        PartitionPlan.partitions(of: written.message, written.statements, schema: self.loop.schema)
                    )
                } else {
                    partitions.addAll()
                }
            }
            looked += 1
            if looked.isMultiple(of: OwedPartitions.recordsPerReading), LoopClock.nanoseconds >= end { return last }
        }
        return nil
    }

    private func mayBe(of partitions: OwedPartitions, _ tables: [TableName?]) -> Bool {
        tables.contains { $0 == nil || $0 == TableName(keyspace: partitions.keyspace, table: partitions.table) }
    }
}

extension DualWriterService {
    /// Which of some partitions either cluster is still owed writes of. What is written after the call is not looked for.
    ///
    /// It takes some of each loop's time, in short turns: not to be asked by many at once.
    public func owed(_ partitions: OwedPartitions) async -> OwedPartitions {
        var answer = partitions
        let began = LoopClock.wallMicroseconds / 1_000
        for loop in self.state.withLock({ $0.loops }) {
            for cluster in Cluster.allCases {
                var position: JournalPosition?
                var turns = 0
                repeat {
                    let question = answer
                    let start = position
                    let look = loop.eventLoop.submit {
                        var part = question
                        let next = loop.value.lane(cluster).look(for: &part, after: start, began: began)
                        return (part, next)
                    }
                    guard let (part, next) = try? await look.get() else {
                        answer.isComplete = false
                        break
                    }
                    answer.add(part)
                    position = next
                    turns += 1
                    if position != nil, turns >= OwedPartitions.turnsMax {
                        answer.isComplete = false
                        break
                    }
                } while position != nil
            }
        }
        return answer
    }
}
