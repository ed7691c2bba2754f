import CQLProtocol
package import NIOCore

extension LiveSelect {
    /// Groups the rows of a page into parts of partitions.
    ///
    /// - Parameter last: the key of the partition that the page before ended with.
    /// - Throws: ``LiveReadError`` where the rows do not have the columns that were asked for.
    func parts(_ rows: Rows, after last: [ByteBuffer]?) throws(LiveReadError) -> (parts: [LivePart], [Unloadable]) {
        var parts: [LivePart] = []
        var unloadable: [Unloadable] = []
        let keyCount = self.table.partitionKey.count
        let clusteringEnd = keyCount + self.table.clustering.count
        for row in rows {
            let cells = row.cells
            guard cells.count == self.columnCount else {
                throw LiveReadError(
                    .malformed,
                    "the source's rows have \(cells.count) columns, not \(self.columnCount)"
                )
            }
            let key = cells[..<keyCount].compactMap { $0 }
            guard key.count == keyCount, let routed = try? Murmur3Partitioner.partitionKey(key) else {
                unloadable.append(.init(reason: .key))
                continue
            }
            if parts.last?.key != key {
                let isFirst = !parts.isEmpty || last != key
                let statics = isFirst ? self.cells(cells, from: clusteringEnd, statics: true) : nil
                parts.append(LivePart(key: key, token: Murmur3Partitioner.token(of: routed), statics: statics))
            }
            let clustering = cells[keyCount..<clusteringEnd].compactMap { $0 }
            if clustering.count == self.table.clustering.count {
                let values = self.cells(cells, from: clusteringEnd, statics: false)
                parts[parts.count - 1].rows.append(LiveRow(clustering: clustering, cells: values))
            } else if !clustering.isEmpty {
                unloadable.append(.init(reason: .nullClustering))
            }
        }
        return (parts, unloadable)
    }

    /// How many columns the text selects.
    package var columnCount: Int {
        self.table.partitionKey.count + self.table.clustering.count
            + self.times.reduce(self.times.count) { $0 + Self.width($1) }
    }

    /// Columns that tell times.
    package static func width(_ times: Times) -> Int {
        switch times {
        case .untold, .byKey: 0
        case .whole: 2
        case .fields(let fields): 2 * fields.count
        }
    }

    /// The values of the static or of the other columns, with their times, of a row whose key ends at `start`.
    package func cells(_ row: [ByteBuffer?], from start: Int, statics: Bool) -> [LiveCell?] {
        var result: [LiveCell?] = []
        var place = start
        for (column, times) in zip(self.table.columns, self.times) {
            let width = Self.width(times)
            if column.isStatic == statics {
                let told = Array(row[(place + 1)..<(place + 1 + width)])
                result.append(row[place].map { LiveCell($0, Self.times(column, times, told)) })
            }
            place += 1 + width
        }
        return result
    }

    package static func times(
        _ column: LiveTable.Column,
        _ times: Times,
        _ told: [ByteBuffer?]
    ) -> LiveCell.Times {
        switch times {
        case .untold, .byKey: return .unknown
        case .whole where column.storage == .cell:
            return Self.time(told[0], told[1]).map { .one($0) } ?? .unknown
        case .whole:
            guard let timestamps = told[0].flatMap({ Elements.of(collection: $0) }) else { return .unknown }
            let lives = told[1].flatMap { Elements.of(collection: $0) } ?? []
            return .each(
                timestamps.enumerated().map { index, timestamp in
                    Self.time(timestamp, lives.indices.contains(index) ? lives[index] : nil)
                }
            )
        case .fields(let fields):
            return .each(fields.indices.map { Self.time(told[2 * $0], told[2 * $0 + 1]) })
        }
    }

    static func time(_ timestamp: ByteBuffer?, _ life: ByteBuffer?) -> LiveTime? {
        guard let timestamp, let number = timestamp.getInteger(at: timestamp.readerIndex, as: Int64.self) else {
            return nil
        }
        let seconds = life.flatMap { $0.getInteger(at: $0.readerIndex, as: Int32.self) } ?? 0
        return LiveTime(number, timeToLive: seconds)
    }
}

/// The elements of values (native protocol v4 §6): slices that share the value's bytes.
package enum Elements {
    /// Of a list or set its elements, of a map keys and values in turn; nil for bytes that are no such thing.
    package static func of(collection value: ByteBuffer, isMap: Bool = false) -> [ByteBuffer?]? {
        var value = value
        guard let claimed: Int32 = value.readInteger(), claimed >= 0 else { return nil }
        let count = Int(claimed) * (isMap ? 2 : 1)
        guard count <= value.readableBytes / 4 else { return nil }
        var elements: [ByteBuffer?] = []
        elements.reserveCapacity(count)
        for _ in 0..<count {
            guard let element = Self.next(&value) else { return nil }
            elements.append(element)
        }
        return value.readableBytes == 0 ? elements : nil
    }

    /// The fields of a user-defined type; one that was written before the type had its last fields has fewer.
    package static func of(userType value: ByteBuffer) -> [ByteBuffer?]? {
        var value = value
        var fields: [ByteBuffer?] = []
        while value.readableBytes > 0 {
            guard let field = Self.next(&value) else { return nil }
            fields.append(field)
        }
        return fields
    }

    /// The next one, perhaps null; nil where the bytes end.
    private static func next(_ value: inout ByteBuffer) -> ByteBuffer?? {
        guard let length: Int32 = value.readInteger() else { return nil }
        if length < 0 { return .some(nil) }
        guard let bytes = value.readSlice(length: Int(length)) else { return nil }
        return .some(bytes)
    }
}
