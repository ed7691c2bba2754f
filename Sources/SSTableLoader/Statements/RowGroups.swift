import NIOCore
import SSTable

/// What of a row goes into which statement: one for each timestamp and life.
struct RowGroups {
    /// What an INSERT or UPDATE writes.
    struct Write {
        let timestamp: Int64
        /// Seconds that are left; 0 for ever.
        let timeToLive: Int32
        /// Whether it says that the row exists, too.
        let isInsert: Bool
        var isIdempotent = true
        var targets: [StatementTexts.Target] = []
        var values: [ByteBuffer?] = []
    }

    /// What a DELETE deletes.
    struct Deletion {
        let timestamp: Int64
        var targets: [StatementTexts.Target] = []
        /// The values of markers within what is deleted.
        var values: [ByteBuffer?] = []
    }

    private(set) var writes: [Write] = []
    private(set) var deletions: [Deletion] = []
    private let elementsMax: Int

    init(elementsMax: Int) { self.elementsMax = elementsMax }

    /// Seconds that are left of a life: at least one, so that what has ended still covers what is older.
    static func timeLeft(until end: Int64, now: Int64) -> Int32 {
        Int32(clamping: max(1, min(end - now, Int64(Int32.max))))
    }

    /// The row exists, whatever its cells.
    mutating func begin(_ liveness: Liveness, now: Int64) {
        let timeToLive = liveness.isExpiring ? Self.timeLeft(until: liveness.expiresAt, now: now) : 0
        self.begin(timestamp: liveness.timestamp, timeToLive: timeToLive)
    }

    /// The row exists, whatever its cells.
    mutating func begin(timestamp: Int64, timeToLive: Int32) {
        self.writes.append(Write(timestamp: timestamp, timeToLive: timeToLive, isInsert: true))
    }

    /// Adds an assignment to the statement of its timestamp and life. An INSERT takes whole columns alone.
    mutating func write(
        _ target: StatementTexts.Target,
        _ values: [ByteBuffer?],
        timestamp: Int64,
        timeToLive: Int32,
        isIdempotent: Bool = true
    ) {
        let isWhole = if case .column = target { isIdempotent } else { false }
        let index = self.writes.firstIndex { write in
            write.timestamp == timestamp && write.timeToLive == timeToLive && (isWhole || !write.isInsert)
                && write.isIdempotent == isIdempotent && write.values.count < self.elementsMax
        }
        if let index {
            self.writes[index].targets.append(target)
            self.writes[index].values += values
            return
        }
        var write = Write(timestamp: timestamp, timeToLive: timeToLive, isInsert: false)
        write.isIdempotent = isIdempotent
        write.targets = [target]
        write.values = values
        self.writes.append(write)
    }

    /// Adds something to the deletion of its timestamp.
    mutating func delete(_ target: StatementTexts.Target, _ values: [ByteBuffer?], timestamp: Int64) {
        let index = self.deletions.firstIndex { $0.timestamp == timestamp && $0.targets.count < self.elementsMax }
        if let index {
            self.deletions[index].targets.append(target)
            self.deletions[index].values += values
        } else {
            self.deletions.append(Deletion(timestamp: timestamp, targets: [target], values: values))
        }
    }
}
