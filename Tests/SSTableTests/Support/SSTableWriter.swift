import FoundationEssentials
import TestSupport

/// Writes small SSTables, so that tests can have what no recorded one holds. Plain data, no indexes.
///
/// It is written from the description of the format, for itself, and shares nothing with the reader.
struct SSTableWriter {
    struct Column {
        let name: String
        let type: String
        var isMultiCell: Bool {
            ["ListType(", "SetType(", "MapType(", "UserType("].contains { self.type.hasPrefix($0) }
        }
        var fixedLength: Int? {
            switch self.type {
            case "BooleanType": 1
            case "Int32Type", "ReversedType(Int32Type)": 4
            case "LongType", "TimestampType": 8
            default: nil
            }
        }
    }

    struct Deletion: Hashable {
        var timestamp: Int64
        var local: Int64
    }

    struct Liveness: Hashable {
        var timestamp: Int64
        var timeToLive: Int32 = 0
        var expiresAt: Int64 = 0
    }

    enum CellKind: Hashable {
        case live
        case expiring(timeToLive: Int32, at: Int64)
        case tombstone(local: Int64)
    }

    struct Cell: Hashable {
        var column: Int
        var path: [UInt8]?
        var timestamp: Int64
        var kind: CellKind = .live
        var value: [UInt8] = []
    }

    struct Row {
        var clustering: [[UInt8]?] = []
        var liveness: Liveness?
        var deletion: Deletion?
        var isShadowable = false
        var complexDeletions: [Int: Deletion] = [:]
        var cells: [Cell] = []
    }

    struct Marker {
        /// 0 exclusive end, 1 inclusive start, 2 both, 5 inclusive end and exclusive start, 6 inclusive end, 7 exclusive
        /// start.
        var kind: UInt8
        var clustering: [[UInt8]?]
        var closes: Deletion?
        var opens: Deletion?
    }

    enum Item {
        case row(Row)
        case marker(Marker)
    }

    struct Partition {
        var key: [UInt8]
        var deletion: Deletion?
        var statics = Row()
        var items: [Item] = []
    }

    var version = "nb"
    var partitioner = "org.apache.cassandra.dht.ByteOrderedPartitioner"
    var keyType = "BytesType"
    var clustering: [Column] = []
    var statics: [Column] = []
    var regulars: [Column] = []
    var timestampMax: Int64 = 0

    private static var package: String { "org.apache.cassandra.db.marshal." }
    private static var epoch: Int64 { 1_442_880_000 }

    /// The class with the package before every name of it.
    private static func className(_ type: String) -> String {
        var name = ""
        for (index, character) in type.enumerated() {
            let before = index == 0 ? "(" : type[type.index(type.startIndex, offsetBy: index - 1)]
            if character.isUppercase && (before == "(" || before == ",") { name += Self.package }
            name.append(character)
        }
        return name
    }

    /// Writes the partitions, which are in their order, and returns the path of the data file.
    func write(_ partitions: [Partition], to folder: TemporaryFolder, generation: Int = 1) throws -> String {
        let prefix = "\(self.version)-\(generation)-big"
        let data = Data(self.data(partitions))
        try folder.put("\(prefix)-Data.db", data)
        try folder.put("\(prefix)-Statistics.db", Data(self.statistics()))
        try folder.put("\(prefix)-TOC.txt", Data("Data.db\nStatistics.db\nTOC.txt\n".utf8))
        return "\(folder.path)/\(prefix)-Data.db"
    }

    func data(_ partitions: [Partition]) -> [UInt8] {
        var bytes: [UInt8] = []
        for partition in partitions {
            bytes.big(UInt16(partition.key.count))
            bytes += partition.key
            self.fixed(partition.deletion, &bytes)
            if !self.statics.isEmpty { self.row(partition.statics, isStatic: true, &bytes) }
            for item in partition.items {
                switch item {
                case .row(let row): self.row(row, isStatic: false, &bytes)
                case .marker(let marker): self.marker(marker, &bytes)
                }
            }
            bytes.append(1)
        }
        return bytes
    }

    private func fixed(_ deletion: Deletion?, _ bytes: inout [UInt8]) {
        if self.version >= "oa" {
            guard let deletion else { return bytes.append(0x80) }
            bytes.big(deletion.timestamp)
            bytes.big(UInt32(deletion.local))
        } else {
            bytes.big(Int32(truncatingIfNeeded: deletion?.local ?? Int64(Int32.max)))
            bytes.big(deletion?.timestamp ?? .min)
        }
    }

    private func difference(_ deletion: Deletion, _ bytes: inout [UInt8]) {
        bytes.vint(UInt64(bitPattern: deletion.timestamp &- Self.epoch * 1_000_000))
        bytes.vint(UInt64(bitPattern: deletion.local &- Self.epoch))
    }

    private func values(_ values: [[UInt8]?], _ bytes: inout [UInt8]) {
        for start in stride(from: 0, to: values.count, by: 32) {
            let part = values[start..<min(start + 32, values.count)]
            var head: UInt64 = 0
            for (place, value) in part.enumerated() {
                head |= (value == nil ? 2 : value == [] ? 1 : 0) << UInt64(place * 2)
            }
            bytes.vint(head)
            for (place, value) in part.enumerated() {
                guard let value, !value.isEmpty else { continue }
                if self.clustering[start + place].fixedLength == nil { bytes.vint(UInt64(value.count)) }
                bytes += value
            }
        }
    }

    private func marker(_ marker: Marker, _ bytes: inout [UInt8]) {
        bytes += [0x02, marker.kind]
        bytes.big(UInt16(marker.clustering.count))
        self.values(marker.clustering, &bytes)
        var body: [UInt8] = [0]
        if let closes = marker.closes { self.difference(closes, &body) }
        if let opens = marker.opens { self.difference(opens, &body) }
        bytes.vint(UInt64(body.count))
        bytes += body
    }

    private func row(_ row: Row, isStatic: Bool, _ bytes: inout [UInt8]) {
        let columns = isStatic ? self.statics : self.regulars
        let present = columns.indices.filter { place in
            row.complexDeletions[place] != nil || row.cells.contains { $0.column == place }
        }
        var flags: UInt8 = 0
        if row.liveness != nil { flags |= 0x04 }
        if row.liveness.map({ $0.timeToLive != 0 }) ?? false { flags |= 0x08 }
        if row.deletion != nil { flags |= 0x10 }
        if present.count == columns.count { flags |= 0x20 }
        if !row.complexDeletions.isEmpty { flags |= 0x40 }
        if isStatic || row.isShadowable { flags |= 0x80 }
        bytes.append(flags)
        if isStatic || row.isShadowable { bytes.append(isStatic ? 1 : 2) }
        if !isStatic { self.values(row.clustering, &bytes) }
        var body: [UInt8] = [0]
        if let liveness = row.liveness {
            body.vint(UInt64(bitPattern: liveness.timestamp &- Self.epoch * 1_000_000))
            if liveness.timeToLive != 0 {
                body.vint(UInt64(liveness.timeToLive))
                body.vint(UInt64(bitPattern: liveness.expiresAt &- Self.epoch))
            }
        }
        if let deletion = row.deletion { self.difference(deletion, &body) }
        if present.count < columns.count { Self.subset(present, columns.count, &body) }
        for place in present {
            let cells = row.cells.filter { $0.column == place }
            guard columns[place].isMultiCell else {
                self.cell(cells[0], columns[place], row, &body)
                continue
            }
            if !row.complexDeletions.isEmpty {
                self.difference(
                    row.complexDeletions[place] ?? Deletion(timestamp: .min, local: Int64(Int32.max)),
                    &body
                )
            }
            body.vint(UInt64(cells.count))
            for cell in cells { self.cell(cell, columns[place], row, &body) }
        }
        bytes.vint(UInt64(body.count))
        bytes += body
    }

    private static func subset(_ present: [Int], _ count: Int, _ bytes: inout [UInt8]) {
        let missing = (0..<count).filter { !present.contains($0) }
        guard count >= 64 else { return bytes.vint(missing.reduce(0) { $0 | 1 << UInt64($1) }) }
        bytes.vint(UInt64(missing.count))
        for place in present.count < count / 2 ? present : missing { bytes.vint(UInt64(place)) }
    }

    private func cell(_ cell: Cell, _ column: Column, _ row: Row, _ bytes: inout [UInt8]) {
        var flags: UInt8 = cell.value.isEmpty ? 0x04 : 0
        let usesTimestamp = row.liveness?.timestamp == cell.timestamp
        if usesTimestamp { flags |= 0x08 }
        var usesTimeToLive = false
        switch cell.kind {
        case .live: break
        case .tombstone: flags |= 0x01
        case .expiring(let timeToLive, let at):
            flags |= 0x02
            usesTimeToLive = row.liveness?.timeToLive == timeToLive && row.liveness?.expiresAt == at
            if usesTimeToLive { flags |= 0x10 }
        }
        bytes.append(flags)
        if !usesTimestamp { bytes.vint(UInt64(bitPattern: cell.timestamp &- Self.epoch * 1_000_000)) }
        switch cell.kind {
        case .live: break
        case .tombstone(let local): bytes.vint(UInt64(bitPattern: local &- Self.epoch))
        case .expiring(let timeToLive, let at):
            if !usesTimeToLive {
                bytes.vint(UInt64(bitPattern: at &- Self.epoch))
                bytes.vint(UInt64(timeToLive))
            }
        }
        if let path = cell.path {
            bytes.vint(UInt64(path.count))
            bytes += path
        }
        guard !cell.value.isEmpty else { return }
        if column.isMultiCell || column.fixedLength == nil { bytes.vint(UInt64(cell.value.count)) }
        bytes += cell.value
    }

    // MARK: Statistics

    private func statistics() -> [UInt8] {
        var validation: [UInt8] = []
        validation.big(UInt16(self.partitioner.utf8.count))
        validation += self.partitioner.utf8
        validation.big(Double(0.01).bitPattern)
        let parts = [(0, validation), (2, self.stats()), (3, self.header())]
        var bytes: [UInt8] = []
        bytes.big(UInt32(parts.count))
        let checksumBytes = self.version >= "na" ? 4 : 0
        var place = 4 + checksumBytes + parts.count * 8 + checksumBytes
        var table: [UInt8] = []
        for (number, part) in parts {
            table.big(UInt32(number))
            table.big(UInt32(place))
            place += part.count + checksumBytes
        }
        let head = bytes
        if checksumBytes > 0 { bytes.big(Self.checksum(head)) }
        bytes += table
        if checksumBytes > 0 { bytes.big(Self.checksum(head + table)) }
        for (_, part) in parts {
            bytes += part
            if checksumBytes > 0 { bytes.big(Self.checksum(part)) }
        }
        return bytes
    }

    private func stats() -> [UInt8] {
        var bytes: [UInt8] = []
        for _ in 0..<2 {
            bytes.big(UInt32(1))
            bytes += [UInt8](repeating: 0, count: 16)
        }
        bytes += [UInt8](repeating: 0, count: 12)
        bytes.big(Int64(0))
        bytes.big(self.timestampMax)
        bytes += [UInt8](repeating: 0, count: 16)
        bytes.big(Double(-1).bitPattern)
        bytes += [UInt8](repeating: 0, count: 8)
        bytes += [UInt8](repeating: 0, count: 12)
        if self.version >= "oa" {
            bytes.append(0)
            for kind in [1, 6] { bytes += [UInt8(kind), 0, 0] }
        } else {
            bytes += [UInt8](repeating: 0, count: 8)
        }
        return bytes + [UInt8](repeating: 0, count: 1 + 8 + 8)
    }

    private func header() -> [UInt8] {
        var bytes: [UInt8] = [0, 0, 0]
        func type(_ name: String) {
            let name = Self.className(name)
            bytes.vint(UInt64(name.utf8.count))
            bytes += name.utf8
        }
        type(self.keyType)
        bytes.vint(UInt64(self.clustering.count))
        for column in self.clustering { type(column.type) }
        for columns in [self.statics, self.regulars] {
            bytes.vint(UInt64(columns.count))
            for column in columns {
                bytes.vint(UInt64(column.name.utf8.count))
                bytes += column.name.utf8
                type(column.type)
            }
        }
        return bytes
    }

    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0xffff_ffff
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
        }
        return ~sum
    }
}

extension [UInt8] {
    mutating func big(_ value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { self += $0 }
    }

    mutating func vint(_ value: UInt64) {
        let bits = 64 - (value | 1).leadingZeroBitCount
        let extra = bits > 56 ? 8 : (bits - 1) / 7
        var first: UInt8 = extra == 8 ? 0xff : ~(0xff >> UInt8(extra))
        if extra < 8 { first |= UInt8(truncatingIfNeeded: value >> UInt64(extra * 8)) }
        self.append(first)
        for place in (0..<extra).reversed() { self.append(UInt8(truncatingIfNeeded: value >> UInt64(place * 8))) }
    }
}
