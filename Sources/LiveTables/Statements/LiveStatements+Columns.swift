import CQLProtocol
import NIOCore

extension LiveStatements {
    /// Sorts a column's value into groups.
    func add(
        _ column: LiveTable.Column,
        _ cell: LiveCell,
        of row: Row,
        untold: LiveTime,
        _ groups: inout RowGroups,
        _ result: inout Translation
    ) {
        let elements: [ByteBuffer?]?
        switch column.storage {
        case .counter:
            result.unloadable.append(.init(reason: .counter, column: column.name))
            return
        case .cell:
            var time = untold
            if case .one(let told) = cell.times { time = told } else { result.guessedColumns += 1 }
            guard self.isWanted(time.timestamp, &result) else { return }
            let life = row.timeLeft(time)
            groups.write(.column(column.name), [cell.value], timestamp: time.timestamp, timeToLive: life)
            return
        case .list, .set: elements = Elements.of(collection: cell.value)
        case .map: elements = Elements.of(collection: cell.value, isMap: true)
        case .userType: elements = Elements.of(userType: cell.value)
        }
        guard let elements else {
            result.unloadable.append(.init(reason: .value, column: column.name))
            return
        }
        let count = column.storage == .map ? elements.count / 2 : elements.count
        let times = self.times(cell.times, of: column, count: count, untold: untold, &result)
        switch column.storage {
        case .list where self.target.hasListIndexes:
            self.listElements(column.name, elements, times, of: row, &groups, &result)
        case .list: self.wholeList(column.name, elements, times, of: row, &groups, &result)
        case .userType(let fields):
            for (field, (value, time)) in zip(fields, zip(elements, times)) {
                guard let value, let time, self.isWanted(time.timestamp, &result) else { continue }
                let target = StatementTexts.Target.field(column.name, field)
                groups.write(target, [value], timestamp: time.timestamp, timeToLive: row.timeLeft(time))
            }
        default:
            let width = column.storage == .map ? 2 : 1
            var added = ElementGroups(elementsMax: self.options.elementsPerStatementMax)
            for (index, time) in times.enumerated() {
                guard let time, self.isWanted(time.timestamp, &result) else { continue }
                let parts = elements[(index * width)..<((index + 1) * width)].map { $0 ?? ByteBuffer() }
                added.add(parts, timestamp: time.timestamp, timeToLive: row.timeLeft(time))
            }
            added.write(column.name, into: &groups)
        }
    }

    /// A time for each element: the told ones where there are as many, else all by the rule.
    private func times(
        _ told: LiveCell.Times,
        of column: LiveTable.Column,
        count: Int,
        untold: LiveTime,
        _ result: inout Translation
    ) -> [LiveTime?] {
        if case .each(let times) = told {
            // A type that has got fields since the value was written has more times than the value has fields.
            if case .userType = column.storage, times.count > count { return times }
            if times.count == count { return times }
        }
        result.guessedColumns += 1
        return Array(repeating: untold, count: count)
    }

    /// A list as a whole, with the timestamp and life of its newest element: it replaces what is older.
    private func wholeList(
        _ name: String,
        _ elements: [ByteBuffer?],
        _ times: [LiveTime?],
        of row: Row,
        _ groups: inout RowGroups,
        _ result: inout Translation
    ) {
        var value = ByteBuffer()
        var wanted: [LiveTime] = []
        for case (let element?, let time?) in zip(elements, times) where self.isWanted(time.timestamp, &result) {
            value.writeElement(element)
            wanted.append(time)
        }
        guard let newest = wanted.max(by: { $0.timestamp < $1.timestamp }) else { return }
        if wanted.contains(where: { $0 != newest }) { result.flattenedLists += 1 }
        var whole = ByteBuffer(integer: Int32(wanted.count))
        whole.writeImmutableBuffer(value)
        let time = WholeList.timestamp(
            newest: newest.timestamp,
            attempt: self.options.attempt,
            ceiling: self.options.ceiling
        )
        groups.write(
            .column(name),
            [whole],
            timestamp: time,
            timeToLive: row.timeLeft(newest),
            isIdempotent: false
        )
    }

    /// The elements of a list each at a place of its own, the same one every time.
    private func listElements(
        _ name: String,
        _ elements: [ByteBuffer?],
        _ times: [LiveTime?],
        of row: Row,
        _ groups: inout RowGroups,
        _ result: inout Translation
    ) {
        for (index, (element, time)) in zip(elements, times).enumerated() {
            guard let element, let time, self.isWanted(time.timestamp, &result) else { continue }
            groups.write(
                .listElement(name),
                [ListPlace.uuid(Int64(index)), element],
                timestamp: time.timestamp,
                timeToLive: row.timeLeft(time)
            )
        }
    }
}

/// Places of a list's elements: time UUIDs. What a server prepends has places before the year 2010 and what it appends has
/// those of the time at which it does; what is loaded lies between.
enum ListPlace {
    /// 2010-01-01T00:00:00Z in units of 100 ns since 1582-10-15 (RFC 4122 §4.1.4).
    private static var first: Int64 { (1_262_304_000 + 12_219_292_800) * 10_000_000 }

    static func uuid(_ index: Int64) -> ByteBuffer {
        let time = UInt64(self.first + index)
        var bytes = ByteBuffer()
        bytes.writeInteger(UInt32(truncatingIfNeeded: time))
        bytes.writeInteger(UInt16(truncatingIfNeeded: time >> 32))
        bytes.writeInteger(UInt16(truncatingIfNeeded: time >> 48) & 0x0fff | 0x1000)
        // The variant, and a node with the bit of those that are no address (§4.5).
        bytes.writeInteger(UInt64(0x8000_0100_0000_0000))
        return bytes
    }
}
