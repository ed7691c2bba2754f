import CQLProtocol
import NIOCore

/// Writes partitions as `sstabledump` does.
///
/// What it writes of a file is equal to what Cassandra's tool writes, but for times before 1970 and after 2262, which that
/// shows wrongly, and for timestamps in keys and paths, which it cuts to the minute.
public struct SSTableDump: ~Copyable {
    /// What is written and how.
    public struct Options: Sendable {
        /// Times as numbers.
        public var rawTimes = false
        /// A line for each partition.
        public var lines = false
        /// Nothing but the keys.
        public var keysOnly = false
        /// Only partitions with these keys, as they are shown, several components with `:` between them; all where empty.
        public var keys: Set<String> = []
        /// No partitions with these keys.
        public var excludedKeys: Set<String> = []
        /// Counters as what they have counted, which `sstabledump` does not show.
        public var counterTotals = false
        /// The kind of the table, as servers since 5.0 show it; nil to leave it out.
        public var tableKind: String?
        /// The moment that decides what has expired, in seconds since 1970.
        public var now: Int64

        /// What `sstabledump` writes without options.
        public init(now: Int64) { self.now = now }
    }

    /// Bytes that are written at once.
    private static var portionBytes: Int { 64 << 10 }

    private let options: Options
    private let columns: TableColumns
    private let partitionKey: [ValueForm]
    private let clusterings: [ValueForm]
    private let regulars: [ColumnForm]
    private let statics: [ColumnForm]
    private var json: JSONPrinter

    /// A dump of what has these columns.
    private init(_ columns: TableColumns, _ options: Options) {
        self.options = options
        self.columns = columns
        self.partitionKey = columns.partitionKey.map { ValueForm($0.dataType) }
        self.clusterings = columns.clustering.map { ValueForm($0) }
        self.regulars = columns.regulars.map { ColumnForm($0) }
        self.statics = columns.statics.map { ColumnForm($0) }
        self.json = JSONPrinter(options.lines ? .lines : .indented)
    }

    /// Writes all partitions of `source`, in portions, each of which is valid within `write` alone. What that throws ends it.
    public static func write(
        _ source: some PartitionSource,
        _ options: Options,
        to write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var dump = Self(source.columns, options)
        if !options.lines { dump.json.beginArray() }
        while try source.nextPartition() {
            guard let partition = source.partition else { break }
            guard dump.isWanted(partition) else { continue }
            if options.keysOnly {
                dump.key(partition.key)
            } else {
                try dump.partition(partition, source, to: write)
            }
            try dump.flush(atLeast: Self.portionBytes, to: write)
        }
        if !options.lines { dump.json.endArray() }
        try dump.flush(atLeast: 0, to: write)
    }

    private mutating func flush(atLeast count: Int, to write: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard self.json.text.count >= count else { return }
        try self.json.text.withBytes(write)
        self.json.text.truncate(to: 0)
    }

    private func isWanted(_ partition: Partition) -> Bool {
        guard !self.options.keys.isEmpty || !self.options.excludedKeys.isEmpty else { return true }
        let key = self.columns.texts(ofKey: partition.key).joined(separator: ":")
        return (self.options.keys.isEmpty || self.options.keys.contains(key))
            && !self.options.excludedKeys.contains(key)
    }

    private mutating func key(_ key: ByteBuffer) {
        self.json.keepsObjectsOnLine = true
        self.json.keepsArraysOnLine = true
        self.json.beginArray()
        if let components = Partition.components(of: key, self.columns.partitionKey) {
            for (component, form) in zip(components, self.partitionKey) {
                self.json.string { form.text(component, to: &$0) }
            }
        } else {
            self.json.string { ValueText.hexadecimal(key, to: &$0) }
        }
        self.json.endArray()
        self.json.keepsObjectsOnLine = false
        self.json.keepsArraysOnLine = false
    }

    private mutating func partition(
        _ partition: Partition,
        _ source: some PartitionSource,
        to write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        self.json.beginObject()
        if let kind = self.options.tableKind {
            self.json.name("table kind")
            self.json.string { $0.append(kind) }
        }
        self.json.name("partition")
        self.json.beginObject()
        self.json.name("key")
        self.key(partition.key)
        self.position(source.place == nil ? nil : partition.position)
        if !partition.deletion.isLive { self.deletion(partition.deletion) }
        self.json.endObject()
        self.json.name("rows")
        self.json.beginArray()
        var place = source.place
        if !source.staticRow.isEmpty { self.row(source.staticRow, place) }
        while let next = try source.next() {
            switch next {
            case .row: self.row(source.row, place)
            case .marker: self.marker(source.marker)
            }
            place = source.place
            try self.flush(atLeast: Self.portionBytes, to: write)
        }
        self.json.endArray()
        self.json.endObject()
    }

    private mutating func position(_ place: Int64?) {
        guard let place else { return }
        self.json.name("position")
        self.json.number(place)
    }

    private mutating func row(_ row: TableRow, _ place: Int64?) {
        self.json.beginObject()
        self.json.name("type")
        self.json.string(row.isStatic ? "static_block" : "row")
        self.position(place)
        if !row.isStatic { self.clustering(row.clustering, row.bytes) }
        if !row.liveness.isNone { self.liveness(row.liveness) }
        if !row.deletion.isLive { self.deletion(row.deletion) }
        self.json.name("cells")
        self.json.beginArray()
        var deletions = row.complexDeletions[...]
        for cell in row.cells {
            while let deletion = deletions.first, deletion.column <= cell.column {
                self.complexDeletion(deletion, row)
                deletions.removeFirst()
            }
            self.cell(cell, row)
        }
        for deletion in deletions { self.complexDeletion(deletion, row) }
        self.json.endArray()
        self.json.endObject()
    }

    private mutating func clustering(_ values: [ByteRange], _ bytes: ByteBuffer) {
        guard !values.isEmpty else { return }
        self.json.name("clustering")
        self.json.keepsObjectsOnLine = true
        self.json.beginArray()
        self.json.keepsArraysOnLine = true
        for (place, form) in self.clusterings.enumerated() {
            if place < values.count {
                self.json.value { form.json(values[place], in: bytes, to: &$0) }
            } else {
                self.json.string("*")
            }
        }
        self.json.endArray()
        self.json.keepsObjectsOnLine = false
        self.json.keepsArraysOnLine = false
    }

    private mutating func liveness(_ liveness: Liveness) {
        self.json.name("liveness_info")
        self.json.keepsObjectsOnLine = true
        self.json.beginObject()
        self.json.name("tstamp")
        self.timestamp(liveness.timestamp)
        if liveness.isExpiring {
            self.json.name("ttl")
            self.json.number(Int64(liveness.timeToLive))
            self.json.name("expires_at")
            self.seconds(liveness.expiresAt)
            self.json.name("expired")
            self.json.boolean(liveness.expiresAt < self.options.now)
        }
        self.json.endObject()
        self.json.keepsObjectsOnLine = false
    }

    private mutating func deletion(_ deletion: DeletionTime) {
        self.json.name("deletion_info")
        self.json.keepsObjectsOnLine = true
        self.json.beginObject()
        self.json.name("marked_deleted")
        self.timestamp(deletion.timestamp)
        self.json.name("local_delete_time")
        self.seconds(deletion.localDeletionTime)
        self.json.endObject()
        self.json.keepsObjectsOnLine = false
    }

    private mutating func complexDeletion(_ deletion: TableRow.ComplexDeletion, _ row: TableRow) {
        self.json.keepsObjectsOnLine = true
        self.json.beginObject()
        self.json.name("name")
        let form = self.form(deletion.column, isStatic: row.isStatic)
        self.json.value { $0.append(form.name) }
        self.deletion(deletion.time)
        self.json.keepsObjectsOnLine = true
        self.json.endObject()
        self.json.keepsObjectsOnLine = false
    }

    private mutating func marker(_ marker: RangeMarker) {
        self.json.beginObject()
        self.json.name("type")
        let isBoundary = marker.opens != nil && marker.closes != nil
        self.json.string(isBoundary ? "range_tombstone_boundary" : "range_tombstone_bound")
        if let opens = marker.opens { self.bound("start", marker, isInclusive: marker.side == .before, opens) }
        if let closes = marker.closes { self.bound("end", marker, isInclusive: marker.side == .after, closes) }
        self.json.endObject()
        self.json.keepsObjectsOnLine = false
    }

    private mutating func bound(_ name: StaticString, _ marker: RangeMarker, isInclusive: Bool, _ time: DeletionTime) {
        self.json.name(name)
        self.json.beginObject()
        self.json.name("type")
        self.json.string(isInclusive ? "inclusive" : "exclusive")
        self.clustering(marker.clustering, marker.bytes)
        self.deletion(time)
        self.json.endObject()
    }

    private func form(_ column: Int32, isStatic: Bool) -> ColumnForm {
        isStatic ? self.statics[Int(column)] : self.regulars[Int(column)]
    }

    private mutating func timestamp(_ microseconds: Int64) {
        let isRaw = self.options.rawTimes
        self.json.plainString {
            if isRaw { $0.append(microseconds) } else { TimeText.instant(microseconds: microseconds, to: &$0) }
        }
    }

    private mutating func seconds(_ seconds: Int64) {
        let isRaw = self.options.rawTimes
        self.json.plainString {
            if isRaw { $0.append(seconds) } else { TimeText.instant(seconds: seconds, to: &$0) }
        }
    }

    private mutating func cell(_ cell: Cell, _ row: TableRow) {
        self.json.beginObject()
        self.json.keepsObjectsOnLine = true
        self.json.name("name")
        let form = self.form(cell.column, isStatic: row.isStatic)
        self.json.value { $0.append(form.name) }
        if form.hasPaths, let path = row.slice(cell.path) { self.path(path, form) }
        if cell.kind == .tombstone {
            self.json.name("deletion_info")
            self.json.keepsObjectsOnLine = true
            self.json.beginObject()
            self.json.name("local_delete_time")
            self.seconds(cell.localDeletionTime)
            self.json.endObject()
            self.json.keepsObjectsOnLine = false
        } else {
            self.json.name("value")
            self.value(cell, row, form)
        }
        if row.liveness.isNone || cell.timestamp != row.liveness.timestamp {
            self.json.name("tstamp")
            self.timestamp(cell.timestamp)
        }
        if cell.timeToLive != 0, row.liveness.isNone || cell.timeToLive != row.liveness.timeToLive {
            self.json.name("ttl")
            self.json.number(Int64(cell.timeToLive))
            self.json.name("expires_at")
            self.seconds(cell.localDeletionTime)
            self.json.name("expired")
            self.json.boolean(cell.localDeletionTime <= self.options.now)
        }
        self.json.endObject()
        self.json.keepsObjectsOnLine = false
    }

    private mutating func path(_ path: ByteBuffer, _ form: ColumnForm) {
        self.json.name("path")
        self.json.keepsArraysOnLine = true
        self.json.beginArray()
        self.json.string { form.path(path, to: &$0) }
        self.json.endArray()
        self.json.keepsArraysOnLine = false
    }

    private mutating func value(_ cell: Cell, _ row: TableRow, _ form: ColumnForm) {
        if form.isCounter, self.options.counterTotals, let bytes = row.slice(cell.value),
            let context = CounterContext(bytes)
        {
            return self.json.number(context.total)
        }
        self.json.value { form.value(cell.value, path: cell.path, in: row.bytes, to: &$0) }
    }
}
