public import NIOCore

/// The metadata of rows (native protocol v4 §4.2.5.2).
public struct ResultMetadata: Hashable, Sendable {
    /// The flags of rows metadata and of prepared metadata.
    struct Flags: OptionSet {
        var rawValue: Int32
        static var globalTable: Self { .init(rawValue: 0x01) }
        static var morePages: Self { .init(rawValue: 0x02) }
        static var noMetadata: Self { .init(rawValue: 0x04) }
    }

    /// The number of columns, which is there even where the columns are left out.
    public var columnCount: Int
    /// The columns; empty where `isSkipped`.
    public var columns: [ColumnSpec]
    /// Whether the columns were left out because the client knows them.
    public var isSkipped: Bool
    /// Whether keyspace and table stand once for all columns.
    public var isGlobal: Bool
    /// Where the next page begins; `nil` on the last page.
    public var pagingState: ByteBuffer?

    /// Metadata of these columns.
    public init(columns: [ColumnSpec], isGlobal: Bool? = nil, pagingState: ByteBuffer? = nil) {
        self.columns = columns
        self.columnCount = columns.count
        self.isSkipped = false
        self.isGlobal = isGlobal ?? Self.shareOneTable(columns)
        self.pagingState = pagingState
    }

    /// Metadata that leaves its columns out (flag 0x04).
    public init(skippedColumnCount columnCount: Int, isGlobal: Bool = false, pagingState: ByteBuffer? = nil) {
        self.columns = []
        self.columnCount = columnCount
        self.isSkipped = true
        self.isGlobal = isGlobal
        self.pagingState = pagingState
    }

    /// What a prepared statement has that returns no rows.
    public static var none: Self { .init(skippedColumnCount: 0) }

    static func shareOneTable(_ columns: [ColumnSpec]) -> Bool {
        guard let first = columns.first else { return false }
        return columns.allSatisfy { $0.keyspace == first.keyspace && $0.table == first.table }
    }

    /// The index of a column by its name.
    public func index(of name: String) -> Int? { columns.firstIndex { $0.name == name } }

    init(from reader: inout WireReader) throws(CQLProtocolError) {
        let flags = Flags(rawValue: try reader.int("metadata flags"))
        guard flags.isSubset(of: [.globalTable, .morePages, .noMetadata]) else {
            throw reader.error(.unknownKind, "metadata flags")
        }
        columnCount = Int(try reader.int("column count"))
        guard columnCount >= 0 else { throw reader.error(.malformed, "negative column count") }
        isSkipped = flags.contains(.noMetadata)
        isGlobal = flags.contains(.globalTable)
        if flags.contains(.morePages) {
            guard let state = try reader.bytes("paging state") else {
                throw reader.error(.malformed, "paging state is null")
            }
            pagingState = state
        }
        columns = []
        if !isSkipped { columns = try ColumnSpec.list(count: columnCount, isGlobal: isGlobal, from: &reader) }
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        var flags: Flags = []
        if isGlobal { flags.insert(.globalTable) }
        if pagingState != nil { flags.insert(.morePages) }
        if isSkipped { flags.insert(.noMetadata) }
        writer.int(flags.rawValue)
        try writer.intCount(isSkipped ? columnCount : columns.count, "columns")
        if let pagingState { try writer.bytes(pagingState) }
        guard !isSkipped else { return }
        try ColumnSpec.write(columns, global: try Self.global(isGlobal, columns), to: &writer)
    }

    static func global(_ isGlobal: Bool, _ columns: [ColumnSpec]) throws(CQLProtocolError) -> GlobalTable? {
        guard isGlobal else { return nil }
        guard let first = columns.first else { return GlobalTable(keyspace: "", table: "") }
        guard shareOneTable(columns) else {
            throw CQLProtocolError(.notEncodable, "global table of columns of several tables")
        }
        return GlobalTable(keyspace: first.keyspace, table: first.table)
    }
}
