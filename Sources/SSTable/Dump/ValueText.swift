public import CQLProtocol
public import NIOCore

/// Values as `sstabledump` shows them: as JSON in cells and clusterings, as plain texts in keys and paths.
enum ValueText {
    /// The JSON of a value (Cassandra's `AbstractType.toJSONString`); bytes that the type does not have, in hexadecimal
    /// digits.
    static func json(_ bytes: ByteBuffer?, _ type: ColumnType) -> String {
        if let vector = type.vector, let bytes { return Self.vector(bytes, vector) }
        return Self.json(bytes, type.dataType)
    }

    /// The text of a value (Cassandra's `AbstractType.getString`).
    static func text(_ bytes: ByteBuffer, _ type: DataType) -> String {
        switch type {
        case .list, .set, .map, .custom: return Self.hexadecimal(bytes)
        case .tuple(let types): return Self.components(bytes, types)
        case .udt(_, _, let fields): return Self.components(bytes, fields.map(\.type))
        case .native: break
        }
        guard let value = try? CQLValue(decoding: bytes, as: type) else { return Self.hexadecimal(bytes) }
        return Self.text(value)
    }

    private static func text(_ value: CQLValue) -> String {
        switch value {
        case .null, .empty: ""
        case .text(let text): text
        case .decimal(let decimal): NumberText.plainDecimal(decimal)
        case .blob(let bytes): Self.hexadecimal(bytes)
        case .float(let number): NumberText.floating(number)
        case .double(let number): NumberText.floating(number)
        default: Self.bare(value)
        }
    }

    static func json(_ bytes: ByteBuffer?, _ type: DataType) -> String {
        guard let bytes else { return "null" }
        if case .custom = type { return "\"0x\(Self.hexadecimal(bytes))\"" }
        guard let value = try? CQLValue(decoding: Self.counter(bytes, type), as: type) else {
            return "\"0x\(Self.hexadecimal(bytes))\""
        }
        return Self.json(value, type)
    }

    /// `sstabledump` takes the first bytes of a counter's context for its value.
    private static func counter(_ bytes: ByteBuffer, _ type: DataType) -> ByteBuffer {
        guard type == .counter, bytes.readableBytes > 8 else { return bytes }
        return bytes.getSlice(at: bytes.readerIndex, length: 8) ?? bytes
    }

    private static func json(_ value: CQLValue, _ type: DataType) -> String {
        switch (value, type) {
        case (.null, _): return "null"
        case (.empty, _): return "\"\""
        case (.list(let elements), .list(let element)), (.list(let elements), .set(let element)),
            (.set(let elements), .set(let element)):
            return "[" + elements.map { Self.json($0, element) }.joined(separator: ", ") + "]"
        case (.map(let entries), .map(let key, let value)):
            let pairs = entries.map { "\(Self.name($0.key, key)): \(Self.json($0.value, value))" }
            return "{" + pairs.joined(separator: ", ") + "}"
        case (.tuple(let components), .tuple(let types)):
            let all = types.enumerated().map { Self.json($0 < components.count ? components[$0] : .null, $1) }
            return "[" + all.joined(separator: ", ") + "]"
        case (.tuple(let components), .udt(_, _, let fields)):
            let all = fields.enumerated().map { place, field in
                let value = Self.json(place < components.count ? components[place] : .null, field.type)
                return "\(JSONText.quoted(Self.fieldName(field.name))): \(value)"
            }
            return "{" + all.joined(separator: ", ") + "}"
        case (.text(let text), _): return JSONText.quoted(text)
        case (.decimal(let decimal), _): return NumberText.decimal(decimal)
        case (.blob(let bytes), _): return "\"0x\(Self.hexadecimal(bytes))\""
        // JSON has no such numbers.
        case (.float(let number), _): return number.isFinite ? NumberText.floating(number) : "null"
        case (.double(let number), _): return number.isFinite ? NumberText.floating(number) : "null"
        case (.uuid, _), (.inet, _), (.date, _), (.time, _), (.timestamp, _), (.duration, _):
            return "\"\(Self.bare(value))\""
        default: return Self.bare(value)
        }
    }

    /// Values whose JSON is their text, in quotes or not.
    private static func bare(_ value: CQLValue) -> String {
        switch value {
        case .tinyint(let value): String(value)
        case .smallint(let value): String(value)
        case .int(let value): String(value)
        case .bigint(let value): String(value)
        case .varint(let value): value.description
        case .boolean(let value): value ? "true" : "false"
        case .uuid(let value): value.description
        case .duration(let value): value.description
        case .inet(let address): Self.address(address)
        case .timestamp(let milliseconds): TimeText.timestamp(milliseconds: milliseconds)
        case .date(let days): TimeText.date(days: Int64(days) - 1 << 31)
        case .time(let nanoseconds): TimeText.time(nanoseconds: nanoseconds)
        default: ""
        }
    }

    /// A key of a map: names in JSON are texts, so that what is none is put into quotes.
    private static func name(_ key: CQLValue, _ type: DataType) -> String {
        let text = Self.json(key, type)
        return text.hasPrefix("\"") ? text : JSONText.quoted(text)
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

    static func hexadecimal(_ bytes: ByteBuffer) -> String {
        let alphabet = Array("0123456789abcdef".utf8)
        var digits: [UInt8] = []
        digits.reserveCapacity(bytes.readableBytes * 2)
        for byte in bytes.readableBytesView { digits += [alphabet[Int(byte >> 4)], alphabet[Int(byte & 15)]] }
        return String(decoding: digits, as: UTF8.self)
    }

    /// The components of a tuple or user-defined type, as one text: `:` between them, `@` for null.
    private static func components(_ bytes: ByteBuffer, _ types: [DataType]) -> String {
        var rest = bytes
        var texts: [String] = []
        for type in types where rest.readableBytes > 0 {
            guard let length = rest.readInteger(as: Int32.self) else { return Self.hexadecimal(bytes) }
            guard length >= 0 else {
                texts.append("@")
                continue
            }
            guard let component = rest.readSlice(length: Int(length)) else { return Self.hexadecimal(bytes) }
            texts.append(Self.escaped(Self.text(component, type)))
        }
        return texts.joined(separator: ":")
    }

    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            if scalar == ":" || scalar == "@" || scalar == "\\" { escaped += "\\" }
            escaped.unicodeScalars.append(scalar)
        }
        return escaped
    }

    private static func vector(_ bytes: ByteBuffer, _ vector: ColumnType.Vector) -> String {
        guard let length = vector.elementLength, bytes.readableBytes == length * vector.dimension else {
            return "\"0x\(Self.hexadecimal(bytes))\""
        }
        let elements = (0..<vector.dimension).map { place in
            Self.json(bytes.getSlice(at: bytes.readerIndex + place * length, length: length), vector.element)
        }
        return "[" + elements.joined(separator: ", ") + "]"
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
        return zip(parts, types).map { ValueText.text($0, $1) }
    }

    /// Bytes in hexadecimal digits.
    public static func hexadecimal(_ bytes: ByteBuffer) -> String { ValueText.hexadecimal(bytes) }
}
