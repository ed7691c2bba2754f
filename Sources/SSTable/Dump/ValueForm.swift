import CQLProtocol
import NIOCore

/// How values of one type are written, found out once for all of them.
///
/// Most values of most tables are texts, bytes and numbers: these are written from where they lie. All others are decoded first
/// (`ValueText`).
final class ValueForm: Sendable {
    private enum Scalar {
        case text, blob, boolean, tinyint, smallint, int, bigint, counter, float, double, timestamp, date, time, uuid

        /// Bytes of a value; nil where any number will do.
        var length: Int? {
            switch self {
            case .text, .blob: nil
            case .boolean, .tinyint: 1
            case .smallint: 2
            case .int, .float, .date: 4
            case .bigint, .counter, .double, .timestamp, .time: 8
            case .uuid: 16
            }
        }

        init?(_ type: DataType) {
            switch type {
            case .varchar, .ascii: self = .text
            case .blob: self = .blob
            case .boolean: self = .boolean
            case .tinyint: self = .tinyint
            case .smallint: self = .smallint
            case .int: self = .int
            case .bigint: self = .bigint
            case .counter: self = .counter
            case .float: self = .float
            case .double: self = .double
            case .timestamp: self = .timestamp
            case .date: self = .date
            case .time: self = .time
            case .uuid, .timeuuid: self = .uuid
            default: return nil
            }
        }
    }

    /// The type of the values.
    let type: DataType
    private let scalar: Scalar?
    private let vector: ColumnType.Vector?

    init(_ type: DataType) {
        self.type = type
        self.scalar = Scalar(type)
        self.vector = nil
    }

    init(_ type: ColumnType) {
        self.type = type.dataType
        self.vector = type.vector
        self.scalar = type.vector == nil ? Scalar(type.dataType) : nil
    }

    /// The JSON of a value that lies in `bytes` (Cassandra's `AbstractType.toJSONString`); of bytes that the type does not
    /// have, their hexadecimal digits.
    func json(_ range: ByteRange, in bytes: ByteBuffer, to text: inout TextBuffer) {
        guard !range.isNull else { return text.append("null") }
        guard let scalar else {
            let value = bytes.slice(range)
            guard let vector else { return ValueText.json(value, self.type, to: &text) }
            return ValueText.json(value, vector, to: &text)
        }
        bytes.withUnsafeReadableBytes { all in
            let start = Int(range.start)
            let value = UnsafeRawBufferPointer(rebasing: all[start..<start + Int(range.count)])
            Self.json(value, scalar, to: &text)
        }
    }

    /// The text of a value as keys and paths have it (Cassandra's `AbstractType.getString`).
    func text(_ bytes: ByteBuffer, to text: inout TextBuffer) {
        let isWritten = bytes.withUnsafeReadableBytes { bytes in
            guard let scalar, scalar != .text, scalar.length.map({ $0 == bytes.count }) ?? true else { return false }
            Self.bare(bytes, scalar, to: &text)
            return true
        }
        if !isWritten { ValueText.text(bytes, self.type, to: &text) }
    }

    private static func json(_ bytes: UnsafeRawBufferPointer, _ scalar: Scalar, to text: inout TextBuffer) {
        if scalar == .text {
            if !JSONText.quote(utf8: bytes, to: &text) { ValueText.quotedHexadecimal(bytes, to: &text) }
            return
        }
        guard scalar != .blob else { return ValueText.quotedHexadecimal(bytes, to: &text) }
        guard bytes.count > 0 else { return text.append("\"\"") }
        var bytes = bytes
        // `sstabledump` takes the first bytes of a counter's context for its value.
        if scalar == .counter, bytes.count > 8 { bytes = UnsafeRawBufferPointer(rebasing: bytes[..<8]) }
        guard bytes.count == scalar.length else { return ValueText.quotedHexadecimal(bytes, to: &text) }
        switch scalar {
        case .timestamp, .date, .time, .uuid:
            text.append(UInt8(ascii: "\""))
            Self.bare(bytes, scalar, to: &text)
            text.append(UInt8(ascii: "\""))
        // JSON has no such numbers.
        case .float where !Float(bitPattern: Self.load(bytes)).isFinite: text.append("null")
        case .double where !Double(bitPattern: Self.load(bytes)).isFinite: text.append("null")
        default: Self.bare(bytes, scalar, to: &text)
        }
    }

    /// What is the same in JSON, within quotes or without, and in plain texts. `bytes` are as many as the type has.
    private static func bare(_ bytes: UnsafeRawBufferPointer, _ scalar: Scalar, to text: inout TextBuffer) {
        switch scalar {
        case .text: text.append(bytes)
        case .blob: text.append(hexadecimal: bytes)
        case .boolean: text.append(bytes[0] != 0 ? "true" : "false")
        case .tinyint: text.append(Int64(Self.load(bytes, as: Int8.self)))
        case .smallint: text.append(Int64(Self.load(bytes, as: Int16.self)))
        case .int: text.append(Int64(Self.load(bytes, as: Int32.self)))
        case .bigint, .counter: text.append(Self.load(bytes, as: Int64.self))
        case .float: text.append(NumberText.floating(Float(bitPattern: Self.load(bytes))))
        case .double: text.append(NumberText.floating(Double(bitPattern: Self.load(bytes))))
        case .timestamp: TimeText.timestamp(milliseconds: Self.load(bytes), to: &text)
        case .date: TimeText.date(days: Int64(Self.load(bytes, as: UInt32.self)) - 1 << 31, to: &text)
        case .time: TimeText.time(nanoseconds: Self.load(bytes), to: &text)
        case .uuid: ValueText.uuid(bytes, to: &text)
        }
    }

    private static func load<Number: FixedWidthInteger>(
        _ bytes: UnsafeRawBufferPointer,
        as type: Number.Type = Number.self
    ) -> Number {
        Number(bigEndian: bytes.loadUnaligned(as: Number.self))
    }
}
