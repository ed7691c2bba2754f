import CQLProtocol
import CQLSyntax

/// Values as JSON, in the encoding of `SELECT JSON` and `INSERT JSON`.
enum JSONText {
    /// A value as JSON.
    static func text(of bytes: Bytes?, _ type: ValueType) -> String {
        guard let bytes else { return "null" }
        switch type.thawed {
        case .native(let name):
            if bytes.isEmpty, !["text", "ascii", "blob"].contains(name) { return "\"\"" }
            let plain = self.plain(bytes, type)
            switch name {
            case "tinyint", "smallint", "int", "bigint", "counter", "varint", "decimal", "boolean": return plain
            case "float", "double": return plain == "nan" || plain.hasSuffix("inf") ? "null" : plain
            default: return JSONValue.quoted(plain)
            }
        case .list(let element), .set(let element):
            return "[" + self.joined((bytes.parts(from: 4) ?? []).map { self.text(of: $0, element) }) + "]"
        case .map(let key, let value):
            let parts = bytes.parts(from: 4) ?? []
            return "{"
                + self.joined(
                    stride(from: 0, to: parts.count - 1, by: 2).map {
                        self.name(self.text(of: parts[$0], key)) + ": " + self.text(of: parts[$0 + 1], value)
                    }
                ) + "}"
        case .tuple(let types):
            let parts = bytes.parts(from: 0) ?? []
            return "["
                + self.joined(
                    types.enumerated().map {
                        self.text(of: $0.offset < parts.count ? parts[$0.offset] : nil, $0.element)
                    }
                ) + "]"
        case .udt(_, _, let fields):
            let parts = bytes.parts(from: 0) ?? []
            return "{"
                + self.joined(
                    fields.enumerated().map {
                        let part = $0.offset < parts.count ? parts[$0.offset] : nil
                        return JSONValue.quoted(self.columnName($0.element.name)) + ": "
                            + self.text(of: part, $0.element.type)
                    }
                ) + "}"
        case .frozen: return "null"
        }
    }

    /// A column's name as a member: quoted where CQL would need quotes.
    static func columnName(_ name: String) -> String {
        name.utf8.allSatisfy { ($0 >= 0x61 && $0 <= 0x7a) || ($0 >= 0x30 && $0 <= 0x39) || $0 == 0x5f }
            ? name : "\"\(name)\""
    }

    private static func joined(_ parts: [String]) -> String { parts.joined(separator: ", ") }
    private static func name(_ text: String) -> String { text.hasPrefix("\"") ? text : JSONValue.quoted(text) }

    /// A simple value as text without quotes.
    static func plain(_ bytes: Bytes, _ type: ValueType) -> String {
        guard let value = try? CQLValue(decoding: bytes.buffer, as: type.wire) else { return "" }
        switch value {
        case .text(let text): return text
        case .tinyint(let number): return String(number)
        case .smallint(let number): return String(number)
        case .int(let number): return String(number)
        case .bigint(let number): return String(number)
        case .varint(let number): return number.description
        case .decimal(let number): return number.description
        case .float(let number): return number.description
        case .double(let number): return number.description
        case .boolean(let flag): return flag ? "true" : "false"
        case .blob: return "0x" + bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        case .timestamp(let milliseconds): return Clock.text(milliseconds: milliseconds)
        case .date(let days): return Clock.text(days: Int64(days) - (1 << 31))
        case .time(let nanoseconds): return Clock.text(nanoseconds: nanoseconds)
        case .uuid(let uuid): return uuid.description
        case .inet: return self.address(bytes)
        case .duration(let duration): return duration.description
        case .null, .empty, .list, .set, .map, .tuple: return ""
        }
    }

    /// `127.0.0.1`, and for sixteen bytes eight groups without any left out.
    private static func address(_ bytes: Bytes) -> String {
        if bytes.count == 4 { return bytes.map { String($0) }.joined(separator: ".") }
        return stride(from: 0, to: bytes.count - 1, by: 2)
            .map { String(UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]), radix: 16) }.joined(separator: ":")
    }

    /// The bytes of a JSON text in a type; `nil` is null.
    static func bytes(of text: String, _ type: ValueType, for name: String) throws -> Bytes? {
        guard let value = JSONValue(text) else { throw NodeError.invalid("Could not decode JSON string '\(text)'") }
        return try self.bytes(of: value, type, for: name)
    }

    /// The bytes of a JSON value in a type; `nil` is null.
    static func bytes(of value: JSONValue, _ type: ValueType, for name: String) throws -> Bytes? {
        if value == .null { return nil }
        func required(_ value: JSONValue, _ type: ValueType) throws -> Bytes {
            guard let bytes = try self.bytes(of: value, type, for: name) else {
                throw NodeError.invalid("Invalid null element in a collection for column \(name)")
            }
            return bytes
        }
        switch (type.thawed, value) {
        case (.list(let element), .array(let values)):
            return .collection(count: values.count, try values.map { try required($0, element) })
        case (.set(let element), .array(let values)):
            let parts = Set(try values.map { try required($0, element) })
            return .collection(count: parts.count, parts.sorted { element.compare($0, $1) < 0 })
        case (.map(let key, let element), .object(let members)):
            let pairs = try members.map { member in
                let isText = [ValueType.text, .native("ascii")].contains(key)
                let name = isText ? .string(member.name) : JSONValue(member.name) ?? .string(member.name)
                return (try required(name, key), try required(member.value, element))
            }.sorted { key.compare($0.0, $1.0) < 0 }
            return .collection(count: pairs.count, pairs.flatMap { [$0.0, $0.1] })
        case (.tuple(let types), .array(let values)) where values.count <= types.count:
            return .tuple(try zip(values, types).map { try self.bytes(of: $0, $1, for: name) })
        case (.udt(_, _, let fields), .object(let members)):
            return .tuple(
                try fields.map { field in
                    let member = members.last { self.folded($0.name) == field.name }
                    return try member.flatMap { try self.bytes(of: $0.value, field.type, for: name) }
                }
            )
        case (.native(let native), _): return try self.simple(value, native, for: name)
        default: throw NodeError.invalid("Error decoding JSON value for \(name): it is no \(type.description)")
        }
    }

    /// The column that a member names: folded unless it has quotes of its own.
    static func folded(_ name: String) -> String {
        name.hasPrefix("\"") && name.hasSuffix("\"") && name.utf8.count > 1
            ? String(name.dropFirst().dropLast()) : name.lowercased()
    }

    private static func simple(_ value: JSONValue, _ native: String, for name: String) throws -> Bytes {
        let kind: Literal.Kind
        let text: String
        switch value {
        case .string(let string):
            text = string
            kind =
                switch native {
                case "text", "ascii", "inet", "timestamp", "date", "time": .string
                case "uuid", "timeuuid": .uuid
                case "blob": .blob
                case "boolean": .boolean
                case "duration": .duration
                case "decimal", "double", "float": .float
                default: .integer
                }
        case .number(let number): (text, kind) = (number, number.contains { ".eE".contains($0) } ? .float : .integer)
        case .boolean(let flag): (text, kind) = (flag ? "true" : "false", .boolean)
        case .null, .array, .object:
            throw NodeError.invalid("Error decoding JSON value for \(name): it is no \(native)")
        }
        return try ValueType.native(native).encode(kind: kind, text: text, for: name)
    }
}
