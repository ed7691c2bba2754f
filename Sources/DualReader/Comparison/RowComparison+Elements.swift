import CQLProtocol
import LiveTables
import NIOCore

/// Columns that servers keep in several cells: element by element, each with its own time.
extension RowComparison {
    /// One element.
    struct Part {
        let element: Difference.Element
        let value: ByteBuffer
        let time: LiveTime?
    }

    func compareElements(
        _ source: (cell: LiveCell?, readAt: Int64),
        _ target: (cell: LiveCell?, readAt: Int64),
        of column: ComparedTable.Column,
        at place: RowPlace,
        _ found: inout [Difference]
    ) {
        guard let one = Self.parts(source.cell, column), let other = Self.parts(target.cell, column) else {
            // Bytes that are none of the type can only be compared as they are.
            let pair = (
                source.cell.map { Self.content($0.value, nil, source.readAt) },
                target.cell.map { Self.content($0.value, nil, target.readAt) }
            )
            return self.compare(pair, .blob, of: column, nil, at: place, &found)
        }
        var (left, right) = (one[...], other[...])
        while let part = left.first ?? right.first {
            let order: Int
            if let one = left.first, let other = right.first {
                order = Self.order(one.element, other.element, column)
            } else {
                order = left.isEmpty ? 1 : -1
            }
            let (one, other) = (order <= 0 ? left.popFirst() : nil, order >= 0 ? right.popFirst() : nil)
            let pair = (
                one.map { Self.content($0.value, $0.time, source.readAt) },
                other.map { Self.content($0.value, $0.time, target.readAt) }
            )
            let element = one?.element ?? other?.element ?? part.element
            let type = Self.valueType(of: element, column)
            self.compare(pair, type, of: column, element, at: place, &found)
        }
    }

    /// The elements in the order of their type; nil where the bytes are none.
    static func parts(_ cell: LiveCell?, _ column: ComparedTable.Column) -> [Part]? {
        guard let cell else { return [] }
        var times: [LiveTime?] = []
        if case .each(let told) = cell.times { times = told }
        func time(_ index: Int, of count: Int) -> LiveTime? {
            times.count >= count && index < times.count ? times[index] : nil
        }
        switch column.storage {
        case .cell, .counter: return nil
        case .list:
            guard let values = Elements.of(collection: cell.value) else { return nil }
            return values.enumerated().map {
                Part(element: .index($0), value: $1 ?? ByteBuffer(), time: time($0, of: values.count))
            }
        case .set:
            guard let values = Elements.of(collection: cell.value) else { return nil }
            return values.enumerated().map { index, value in
                let value = ByteBuffer(bytes: (value ?? ByteBuffer()).readableBytesView)
                return Part(element: .key(value), value: value, time: time(index, of: values.count))
            }.sorted { Self.order($0.element, $1.element, column) < 0 }
        case .map:
            guard let values = Elements.of(collection: cell.value, isMap: true) else { return nil }
            return (0..<(values.count / 2)).map { index in
                let key = ByteBuffer(bytes: (values[2 * index] ?? ByteBuffer()).readableBytesView)
                return Part(
                    element: .key(key),
                    value: values[2 * index + 1] ?? ByteBuffer(),
                    time: time(index, of: values.count / 2)
                )
            }.sorted { Self.order($0.element, $1.element, column) < 0 }
        case .userType(let names):
            guard let values = Elements.of(userType: cell.value) else { return nil }
            return zip(names, values).enumerated().compactMap { index, field in
                field.1.map { Part(element: .field(field.0), value: $0, time: time(index, of: values.count)) }
            }
        }
    }

    private static func order(
        _ one: Difference.Element,
        _ other: Difference.Element,
        _ column: ComparedTable.Column
    ) -> Int {
        switch (one, other) {
        case (.key(let one), .key(let other)): return ValueOrder.compare(one, other, as: column.keyType)
        case (.index(let one), .index(let other)): return one - other
        case (.field(let one), .field(let other)):
            guard case .userType(let names) = column.storage else { return 0 }
            return (names.firstIndex(of: one) ?? 0) - (names.firstIndex(of: other) ?? 0)
        default: return 0
        }
    }

    static func valueType(of element: Difference.Element, _ column: ComparedTable.Column) -> DataType {
        switch (element, column.plainType) {
        case (.field(let name), .udt(_, _, let fields)): fields.first { $0.name == name }?.type ?? .blob
        case (.key, .map(_, let value)): value
        case (.key, .set(let element)), (.index, .list(let element)): element
        default: .blob
        }
    }
}

extension ComparedTable.Column {
    /// The type, where a class of the server stands for one that is known.
    var plainType: DataType {
        guard case .custom(let name) = self.type else { return self.type }
        return DataType(marshalClass: name) ?? self.type
    }

    /// The type of a set's elements or a map's keys.
    var keyType: DataType {
        switch self.plainType {
        case .set(let element): element
        case .map(let key, _): key
        default: .blob
        }
    }
}
