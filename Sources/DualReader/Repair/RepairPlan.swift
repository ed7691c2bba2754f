import LiveTables
import NIOCore

/// What a repair of one row writes, and why it does not write the rest.
struct RepairPlan: Sendable {
    /// A statement and where it goes.
    struct Step: Sendable, Hashable {
        let side: Side
        let statement: TargetStatement
    }

    var steps: [Step] = []
    /// What an operator should know of what is written.
    var notes: [String] = []
    /// What is not repaired, and why.
    var unrepaired: [String] = []
    /// Columns whose writetimes will differ, because the target's had to be raised.
    var raised: Set<String> = []
    /// Whether the time of something that is there had to be guessed, as no cluster tells it: perhaps it is newer.
    var guessesTimes = false
}

/// What is to be written to one side of a row: cells with their times, and deletions.
struct RepairDraft {
    /// In the order of the columns of the place.
    var cells: [LiveCell?]
    /// Whether the row as a whole is written, its marker too.
    var isWholeRow = false
    var deletions: [(target: StatementTexts.Target, values: [ByteBuffer?], timestamp: Int64)] = []
    var rowDeletion: Int64?
    /// Elements by the places of their columns.
    var elements: [Int: [RowComparison.Part]] = [:]

    init(count: Int) { self.cells = [LiveCell?](repeating: nil, count: count) }

    /// Whether anything is written besides deletions.
    var writes: Bool { self.isWholeRow || self.cells.contains { $0 != nil } }

    /// Makes cells of the elements.
    mutating func finish(_ columns: [ComparedTable.Column]) {
        for (index, parts) in self.elements {
            var value = ByteBuffer()
            var times: [LiveTime?] = []
            if case .userType(let names) = columns[index].storage {
                for name in names {
                    let part = parts.first { $0.element == .field(name) }
                    times.append(part?.time)
                    if let part { value.writeElement(part.value) } else { value.writeInteger(Int32(-1)) }
                }
            } else {
                value.writeInteger(Int32(parts.count))
                for part in parts {
                    if case .key(let key) = part.element { value.writeElement(key) }
                    if columns[index].storage == .map { value.writeElement(part.value) }
                    times.append(part.time)
                }
            }
            self.cells[index] = LiveCell(value, .each(times))
        }
    }
}
