package import NIOCore

/// What of a row goes into which statement: one for each timestamp and life.
package struct RowGroups {
    /// What an INSERT or UPDATE writes.
    package struct Write {
        package let timestamp: Int64
        /// Seconds that are left; 0 for ever.
        package let timeToLive: Int32
        /// Whether it says that the row exists, too.
        package let isInsert: Bool
        package var isIdempotent = true
        package var targets: [StatementTexts.Target] = []
        package var values: [ByteBuffer?] = []
    }

    /// What a DELETE deletes.
    package struct Deletion {
        package let timestamp: Int64
        package var targets: [StatementTexts.Target] = []
        /// The values of markers within what is deleted.
        package var values: [ByteBuffer?] = []
    }

    package private(set) var writes: [Write] = []
    package private(set) var deletions: [Deletion] = []
    private let elementsMax: Int

    package init(elementsMax: Int) { self.elementsMax = elementsMax }

    /// Seconds that are left of a life: at least one, so that what has ended still covers what is older.
    package static func timeLeft(until end: Int64, now: Int64) -> Int32 {
        Int32(clamping: max(1, min(end - now, Int64(Int32.max))))
    }

    /// The row exists, whatever its cells.
    package mutating func begin(timestamp: Int64, timeToLive: Int32) {
        self.writes.append(Write(timestamp: timestamp, timeToLive: timeToLive, isInsert: true))
    }

    /// Adds an assignment to the statement of its timestamp and life. An INSERT takes whole columns alone.
    package mutating func write(
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
    package mutating func delete(_ target: StatementTexts.Target, _ values: [ByteBuffer?], timestamp: Int64) {
        let index = self.deletions.firstIndex { $0.timestamp == timestamp && $0.targets.count < self.elementsMax }
        if let index {
            self.deletions[index].targets.append(target)
            self.deletions[index].values += values
        } else {
            self.deletions.append(Deletion(timestamp: timestamp, targets: [target], values: values))
        }
    }
}
