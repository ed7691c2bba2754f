public import NIOCore

/// The query parameters of QUERY and EXECUTE (native protocol v4 §4.1.4).
public struct QueryParameters: Hashable, Sendable {
    /// The flags byte of the parameters.
    public struct Flags: OptionSet, Hashable, Sendable {
        /// The byte on the wire.
        public var rawValue: UInt8

        /// Any byte.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Values follow.
        public static var values: Self { .init(rawValue: 0x01) }
        /// The result needs no metadata.
        public static var skipMetadata: Self { .init(rawValue: 0x02) }
        /// A page size follows.
        public static var pageSize: Self { .init(rawValue: 0x04) }
        /// A paging state follows.
        public static var pagingState: Self { .init(rawValue: 0x08) }
        /// A serial consistency follows.
        public static var serialConsistency: Self { .init(rawValue: 0x10) }
        /// A default timestamp follows.
        public static var defaultTimestamp: Self { .init(rawValue: 0x20) }
        /// Each value has a name.
        public static var namesForValues: Self { .init(rawValue: 0x40) }
        /// All flags of versions 3 and 4.
        public static var known: Self { .init(rawValue: 0x7f) }
    }

    /// The consistency level.
    public var consistency: Consistency
    /// The bound values.
    public var values: QueryValues
    /// Whether the result may leave its metadata out.
    public var skipMetadata: Bool
    /// Rows per page.
    public var pageSize: Int32?
    /// Where the next page begins.
    public var pagingState: ByteBuffer?
    /// The serial consistency level of a conditional statement.
    public var serialConsistency: Consistency?
    /// The timestamp in microseconds of writes that name none.
    public var defaultTimestamp: Int64?

    /// Parameters.
    public init(
        consistency: Consistency = .one,
        values: QueryValues = .none,
        skipMetadata: Bool = false,
        pageSize: Int32? = nil,
        pagingState: ByteBuffer? = nil,
        serialConsistency: Consistency? = nil,
        defaultTimestamp: Int64? = nil
    ) {
        self.consistency = consistency
        self.values = values
        self.skipMetadata = skipMetadata
        self.pageSize = pageSize
        self.pagingState = pagingState
        self.serialConsistency = serialConsistency
        self.defaultTimestamp = defaultTimestamp
    }

    init(from reader: inout WireReader) throws(CQLProtocolError) {
        consistency = try reader.consistency("consistency")
        let flags = Flags(rawValue: try reader.byte("query flags"))
        guard flags.isSubset(of: .known) else { throw reader.error(.unknownKind, "query flags") }
        values = .none
        if flags.contains(.values) {
            values = try Self.values(named: flags.contains(.namesForValues), from: &reader)
        }
        skipMetadata = flags.contains(.skipMetadata)
        if flags.contains(.pageSize) { pageSize = try reader.int("page size") }
        if flags.contains(.pagingState) { pagingState = try reader.bytes("paging state") }
        if flags.contains(.serialConsistency) { serialConsistency = try reader.consistency("serial consistency") }
        if flags.contains(.defaultTimestamp) { defaultTimestamp = try reader.long("default timestamp") }
    }

    private static func values(
        named: Bool,
        from reader: inout WireReader
    ) throws(CQLProtocolError) -> QueryValues {
        let claimed = Int(try reader.short("value count"))
        if named {
            let count = try reader.checkedCount(claimed, minimum: 6, "values")
            var values: [QueryValues.Named] = []
            values.reserveCapacity(count)
            for _ in 0..<count {
                let name = try reader.string("name of a value")
                values.append(.init(name: name, value: try reader.value("value")))
            }
            return .named(values)
        }
        let count = try reader.checkedCount(claimed, minimum: 4, "values")
        var values: [BoundValue] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try reader.value("value")) }
        return .positional(values)
    }

    /// The flags byte that these parameters are written with.
    public var flags: Flags {
        var flags: Flags = []
        switch values {
        case .none: break
        case .positional: flags.insert(.values)
        case .named: flags.formUnion([.values, .namesForValues])
        }
        if skipMetadata { flags.insert(.skipMetadata) }
        if pageSize != nil { flags.insert(.pageSize) }
        if pagingState != nil { flags.insert(.pagingState) }
        if serialConsistency != nil { flags.insert(.serialConsistency) }
        if defaultTimestamp != nil { flags.insert(.defaultTimestamp) }
        return flags
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        writer.consistency(consistency)
        writer.byte(flags.rawValue)
        switch values {
        case .none: break
        case .positional(let values):
            try writer.count(values.count, "values")
            for value in values { try writer.value(value) }
        case .named(let values):
            try writer.count(values.count, "values")
            for value in values {
                try writer.string(value.name)
                try writer.value(value.value)
            }
        }
        if let pageSize { writer.int(pageSize) }
        if let pagingState { try writer.bytes(pagingState) }
        if let serialConsistency { writer.consistency(serialConsistency) }
        if let defaultTimestamp { writer.long(defaultTimestamp) }
    }
}
