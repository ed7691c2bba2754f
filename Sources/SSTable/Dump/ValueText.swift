public import CQLProtocol
public import NIOCore

/// Values that must be decoded, as `sstabledump` shows them: as JSON in cells and clusterings, as plain texts in keys and
/// paths.
enum ValueText {
    /// The text of a value (Cassandra's `AbstractType.getString`).
    static func text(_ bytes: ByteBuffer, _ type: DataType, to text: inout TextBuffer) {
        switch type {
        case .list, .set, .map, .custom: return Self.hexadecimal(bytes, to: &text)
        case .tuple(let types): return Self.components(bytes, types, to: &text)
        case .udt(_, _, let fields): return Self.components(bytes, fields.map(\.type), to: &text)
        case .native: break
        }
        guard let value = try? CQLValue(decoding: bytes, as: type) else { return Self.hexadecimal(bytes, to: &text) }
        switch value {
        case .null, .empty: break
        case .text(let value): text.append(value)
        case .decimal(let decimal): text.append(NumberText.plainDecimal(decimal))
        case .blob(let bytes): Self.hexadecimal(bytes, to: &text)
        case .float(let number): text.append(NumberText.floating(number))
        case .double(let number): text.append(NumberText.floating(number))
        default: Self.bare(value, to: &text)
        }
    }

    /// The JSON of a value (Cassandra's `AbstractType.toJSONString`); bytes that the type does not have, in hexadecimal
    /// digits.
    static func json(_ bytes: ByteBuffer?, _ type: DataType, to text: inout TextBuffer) {
        guard let bytes else { return text.append("null") }
        if case .custom = type { return Self.quotedHexadecimal(bytes, to: &text) }
        guard let value = try? CQLValue(decoding: bytes, as: type) else {
            return Self.quotedHexadecimal(bytes, to: &text)
        }
        Self.json(value, type, to: &text)
    }

    private static func json(_ value: CQLValue, _ type: DataType, to text: inout TextBuffer) {
        switch (value, type) {
        case (.null, _): text.append("null")
        case (.empty, _): text.append("\"\"")
        case (.list(let elements), .list(let element)), (.list(let elements), .set(let element)),
            (.set(let elements), .set(let element)):
            Self.list(elements, between: ("[", "]"), to: &text) { Self.json($0, element, to: &$1) }
        case (.map(let entries), .map(let key, let value)):
            Self.list(entries, between: ("{", "}"), to: &text) {
                Self.name($0.key, key, to: &$1)
                $1.append(": ")
                Self.json($0.value, value, to: &$1)
            }
        case (.tuple(let components), .tuple(let types)):
            Self.list(types.enumerated(), between: ("[", "]"), to: &text) {
                Self.json($0.offset < components.count ? components[$0.offset] : .null, $0.element, to: &$1)
            }
        case (.tuple(let components), .udt(_, _, let fields)):
            Self.list(fields.enumerated(), between: ("{", "}"), to: &text) {
                JSONText.quote(Self.fieldName($0.element.name), to: &$1)
                $1.append(": ")
                Self.json($0.offset < components.count ? components[$0.offset] : .null, $0.element.type, to: &$1)
            }
        case (.text(let value), _): JSONText.quote(value, to: &text)
        case (.decimal(let decimal), _): text.append(NumberText.decimal(decimal))
        case (.blob(let bytes), _): Self.quotedHexadecimal(bytes, to: &text)
        // JSON has no such numbers.
        case (.float(let number), _): text.append(number.isFinite ? NumberText.floating(number) : "null")
        case (.double(let number), _): text.append(number.isFinite ? NumberText.floating(number) : "null")
        case (.uuid, _), (.inet, _), (.date, _), (.time, _), (.timestamp, _), (.duration, _):
            JSONText.quoted(to: &text) { Self.bare(value, to: &$0) }
        default: Self.bare(value, to: &text)
        }
    }

    private static func list<Elements: Sequence>(
        _ elements: Elements,
        between brackets: (StaticString, StaticString),
        to text: inout TextBuffer,
        _ write: (Elements.Element, inout TextBuffer) -> Void
    ) {
        text.append(brackets.0)
        var isFirst = true
        for element in elements {
            if !isFirst { text.append(", ") }
            isFirst = false
            write(element, &text)
        }
        text.append(brackets.1)
    }

    /// Values whose JSON is their text, in quotes or not.
    private static func bare(_ value: CQLValue, to text: inout TextBuffer) {
        switch value {
        case .tinyint(let value): text.append(Int64(value))
        case .smallint(let value): text.append(Int64(value))
        case .int(let value): text.append(Int64(value))
        case .bigint(let value): text.append(value)
        case .varint(let value): text.append(value.description)
        case .boolean(let value): text.append(value ? "true" : "false")
        case .uuid(let value):
            withUnsafeBytes(of: (value.high.bigEndian, value.low.bigEndian)) { Self.uuid($0, to: &text) }
        case .duration(let value): text.append(value.description)
        case .inet(let address): text.append(Self.address(address))
        case .timestamp(let milliseconds): TimeText.timestamp(milliseconds: milliseconds, to: &text)
        case .date(let days): TimeText.date(days: Int64(days) - 1 << 31, to: &text)
        case .time(let nanoseconds): TimeText.time(nanoseconds: nanoseconds, to: &text)
        default: break
        }
    }

    /// A key of a map: names in JSON are texts, so that what is none is put into quotes.
    private static func name(_ key: CQLValue, _ type: DataType, to text: inout TextBuffer) {
        let name = TextBuffer.text { Self.json(key, type, to: &$0) }
        if name.hasPrefix("\"") { text.append(name) } else { JSONText.quote(name, to: &text) }
    }

    /// A name that CQL would fold has quotes within the name.
    private static func fieldName(_ name: String) -> String { name == name.lowercased() ? name : "\"\(name)\"" }

    private static func address(_ address: InetAddress) -> String {
        var bytes = Array(address.bytes.readableBytesView)
        // Java takes an IPv4 address within an IPv6 one for what it is.
        if bytes.count == 16, bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10...11].allSatisfy({ $0 == 0xff }) {
            bytes = Array(bytes[12...])
        }
        if bytes.count == 4 { return bytes.map { String($0) }.joined(separator: ".") }
        let groups = stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        return groups.map { String($0, radix: 16) }.joined(separator: ":")
    }

    /// The 16 bytes of a uuid.
    static func uuid(_ bytes: UnsafeRawBufferPointer, to text: inout TextBuffer) {
        var start = 0
        for length in [4, 2, 2, 2, 6] {
            if start > 0 { text.append(UInt8(ascii: "-")) }
            text.append(hexadecimal: UnsafeRawBufferPointer(rebasing: bytes[start..<start + length]))
            start += length
        }
    }

    static func quotedHexadecimal(_ bytes: UnsafeRawBufferPointer, to text: inout TextBuffer) {
        text.append("\"0x")
        text.append(hexadecimal: bytes)
        text.append(UInt8(ascii: "\""))
    }

    private static func quotedHexadecimal(_ bytes: ByteBuffer, to text: inout TextBuffer) {
        bytes.withUnsafeReadableBytes { Self.quotedHexadecimal($0, to: &text) }
    }

    static func hexadecimal(_ bytes: ByteBuffer, to text: inout TextBuffer) {
        bytes.withUnsafeReadableBytes { text.append(hexadecimal: $0) }
    }

    /// The components of a tuple or user-defined type, as one text: `:` between them, `@` for null.
    private static func components(_ bytes: ByteBuffer, _ types: [DataType], to text: inout TextBuffer) {
        let start = text.count
        var rest = bytes
        for type in types where rest.readableBytes > 0 {
            if rest.readerIndex > bytes.readerIndex { text.append(UInt8(ascii: ":")) }
            let length = rest.readInteger(as: Int32.self)
            if let length, length < 0 {
                text.append(UInt8(ascii: "@"))
            } else if let length, let component = rest.readSlice(length: Int(length)) {
                text.append(Self.escaped(TextBuffer.text { Self.text(component, type, to: &$0) }))
            } else {
                text.truncate(to: start)
                return Self.hexadecimal(bytes, to: &text)
            }
        }
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            if scalar == ":" || scalar == "@" || scalar == "\\" { escaped += "\\" }
            escaped.unicodeScalars.append(scalar)
        }
        return escaped
    }

    /// The JSON of a vector.
    static func json(_ bytes: ByteBuffer?, _ vector: ColumnType.Vector, to text: inout TextBuffer) {
        guard let bytes else { return text.append("null") }
        guard let length = vector.elementLength, bytes.readableBytes == length * vector.dimension else {
            return Self.quotedHexadecimal(bytes, to: &text)
        }
        let element = ValueForm(vector.element)
        Self.list(0..<vector.dimension, between: ("[", "]"), to: &text) {
            element.json(ByteRange(start: $0 * length, count: length), in: bytes, to: &$1)
        }
    }
}

extension TableColumns {
    /// The parts of a partition key as `sstabledump` shows them; the whole key in hexadecimal digits where it has not as many
    /// parts as the table's.
    public func texts(ofKey key: ByteBuffer) -> [String] {
        Self.texts(ofKey: key, self.partitionKey.map(\.dataType))
    }

    /// The same for a key whose parts have these types.
    public static func texts(ofKey key: ByteBuffer, _ types: [DataType]) -> [String] {
        guard let parts = Partition.components(of: key, count: types.count) else { return [Self.hexadecimal(key)] }
        return zip(parts, types).map { part, type in TextBuffer.text { ValueText.text(part, type, to: &$0) } }
    }

    /// Bytes in hexadecimal digits.
    public static func hexadecimal(_ bytes: ByteBuffer) -> String {
        TextBuffer.text { ValueText.hexadecimal(bytes, to: &$0) }
    }
}
