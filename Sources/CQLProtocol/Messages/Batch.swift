public import NIOCore

/// BATCH (native protocol v4 §4.1.7). Names for values (flag 0x40) are broken in the specification: the names would
/// stand where a server does not look for them, so they are refused.
public struct Batch: Hashable, Sendable {
    /// The type of a batch. Unknown ones survive a round trip.
    public struct Kind: RawRepresentable, Hashable, Sendable {
        /// The byte on the wire.
        public let rawValue: UInt8

        /// Any type.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// All children or none.
        public static var logged: Self { .init(rawValue: 0) }
        /// No batch log.
        public static var unlogged: Self { .init(rawValue: 1) }
        /// Counter updates only.
        public static var counter: Self { .init(rawValue: 2) }
    }

    /// What a child runs.
    public enum Statement: Hashable, Sendable {
        /// CQL text.
        case text(String)
        /// A prepared statement.
        case prepared(id: ByteBuffer)
    }

    /// One statement of the batch.
    public struct Child: Hashable, Sendable {
        /// What it runs.
        public var statement: Statement
        /// Its values, by position.
        public var values: [BoundValue]

        /// A child.
        public init(_ statement: Statement, values: [BoundValue] = []) {
            self.statement = statement
            self.values = values
        }
    }

    /// The type.
    public var kind: Kind
    /// The statements.
    public var children: [Child]
    /// The consistency level.
    public var consistency: Consistency
    /// The serial consistency level of conditional children.
    public var serialConsistency: Consistency?
    /// The timestamp in microseconds of children that name none.
    public var defaultTimestamp: Int64?

    /// A batch.
    public init(
        kind: Kind = .logged,
        children: [Child],
        consistency: Consistency = .one,
        serialConsistency: Consistency? = nil,
        defaultTimestamp: Int64? = nil
    ) {
        self.kind = kind
        self.children = children
        self.consistency = consistency
        self.serialConsistency = serialConsistency
        self.defaultTimestamp = defaultTimestamp
    }

    init(from reader: inout WireReader) throws(CQLProtocolError) {
        kind = Kind(rawValue: try reader.byte("batch type"))
        // The shortest child: kind, an empty id, no values.
        let count = try reader.checkedCount(Int(try reader.short("batch size")), minimum: 5, "batch children")
        children = []
        children.reserveCapacity(count)
        for _ in 0..<count { children.append(try Self.child(from: &reader)) }
        consistency = try reader.consistency("consistency")
        let flags = QueryParameters.Flags(rawValue: try reader.byte("batch flags"))
        guard flags.isSubset(of: [.serialConsistency, .defaultTimestamp]) else {
            throw reader.error(.unknownKind, "batch flags")
        }
        if flags.contains(.serialConsistency) { serialConsistency = try reader.consistency("serial consistency") }
        if flags.contains(.defaultTimestamp) { defaultTimestamp = try reader.long("default timestamp") }
    }

    private static func child(from reader: inout WireReader) throws(CQLProtocolError) -> Child {
        let kind = try reader.byte("kind of a batch child")
        let statement: Statement
        switch kind {
        case 0: statement = .text(try reader.longString("query of a batch child"))
        case 1: statement = .prepared(id: try reader.shortBytes("id of a batch child"))
        default: throw reader.error(.unknownKind, "kind of a batch child")
        }
        let claimed = Int(try reader.short("value count of a batch child"))
        let count = try reader.checkedCount(claimed, minimum: 4, "values of a batch child")
        var values: [BoundValue] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(try reader.value("value of a batch child")) }
        return Child(statement, values: values)
    }

    func write(to writer: inout WireWriter) throws(CQLProtocolError) {
        writer.byte(kind.rawValue)
        try writer.count(children.count, "batch children")
        for child in children {
            switch child.statement {
            case .text(let text):
                writer.byte(0)
                try writer.longString(text)
            case .prepared(let id):
                writer.byte(1)
                try writer.shortBytes(id)
            }
            try writer.count(child.values.count, "values of a batch child")
            for value in child.values { try writer.value(value) }
        }
        writer.consistency(consistency)
        var flags: QueryParameters.Flags = []
        if serialConsistency != nil { flags.insert(.serialConsistency) }
        if defaultTimestamp != nil { flags.insert(.defaultTimestamp) }
        writer.byte(flags.rawValue)
        if let serialConsistency { writer.consistency(serialConsistency) }
        if let defaultTimestamp { writer.long(defaultTimestamp) }
    }
}
