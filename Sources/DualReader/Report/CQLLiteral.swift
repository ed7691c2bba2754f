public import CQLProtocol
public import NIOCore

/// Values as CQL literals, for people.
public enum CQLLiteral {
    /// The literal of a value; of bytes that are none of the type a blob.
    public static func text(_ bytes: ByteBuffer?, as type: DataType) -> String {
        guard let bytes else { return "null" }
        guard let value = try? CQLValue(decoding: bytes, as: type) else { return Self.blob(bytes) }
        return Self.text(value, type)
    }

    private static func text(_ value: CQLValue, _ type: DataType) -> String {
        if case .custom(let name) = type, let known = DataType(marshalClass: name) { return Self.text(value, known) }
        switch value {
        case .null: return "null"
        case .empty: return "0x"
        case .text(let text): return Self.quoted(text)
        case .tinyint(let number): return "\(number)"
        case .smallint(let number): return "\(number)"
        case .int(let number): return "\(number)"
        case .bigint(let number): return "\(number)"
        case .varint(let number): return "\(number)"
        case .decimal(let number): return "\(number)"
        case .float(let number): return Self.floating(Double(number), "\(number)")
        case .double(let number): return Self.floating(number, "\(number)")
        case .boolean(let isTrue): return "\(isTrue)"
        case .blob(let bytes): return Self.blob(bytes)
        case .timestamp(let milliseconds): return "\(milliseconds)"
        case .date(let days): return "\(days)"
        case .time(let nanoseconds): return Self.time(nanoseconds)
        case .uuid(let uuid): return "\(uuid)"
        case .inet(let address): return "'\(Self.address(address.bytes))'"
        case .duration(let duration): return "\(duration)"
        case .list(let values): return "[\(Self.joined(values, type))]"
        case .set(let values): return "{\(Self.joined(values, type))}"
        case .map(let entries):
            guard case .map(let key, let value) = type else { return "{}" }
            let texts = entries.map { "\(Self.text($0.key, key)): \(Self.text($0.value, value))" }
            return "{\(texts.joined(separator: ", "))}"
        case .tuple(let values):
            if case .udt(_, _, let fields) = type {
                let texts = zip(fields, values).map { "\($0.name): \(Self.text($1, $0.type))" }
                return "{\(texts.joined(separator: ", "))}"
            }
            guard case .tuple(let types) = type else { return "()" }
            return "(\(zip(values, types).map { Self.text($0, $1) }.joined(separator: ", ")))"
        }
    }

    private static func joined(_ values: [CQLValue], _ type: DataType) -> String {
        switch type {
        case .list(let element), .set(let element): values.map { Self.text($0, element) }.joined(separator: ", ")
        default: ""
        }
    }

    private static func floating(_ number: Double, _ text: String) -> String {
        if number.isNaN { return "NaN" }
        return number.isInfinite ? number < 0 ? "-Infinity" : "Infinity" : text
    }

    private static func time(_ nanoseconds: Int64) -> String {
        func digits(_ number: Int64, _ count: Int) -> String {
            let text = "\(number)"
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        let seconds = nanoseconds / 1_000_000_000
        return "'\(digits(seconds / 3_600, 2)):\(digits(seconds / 60 % 60, 2)):\(digits(seconds % 60, 2))"
            + ".\(digits(nanoseconds % 1_000_000_000, 9))'"
    }

    private static func address(_ bytes: ByteBuffer) -> String {
        let bytes = Array(bytes.readableBytesView)
        if bytes.count == 4 { return bytes.map { "\($0)" }.joined(separator: ".") }
        return stride(from: 0, to: bytes.count - 1, by: 2).map {
            String(Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]), radix: 16)
        }.joined(separator: ":")
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    static func blob(_ bytes: ByteBuffer) -> String { "0x" + Self.hexadecimal(bytes) }

    /// Two digits for each byte.
    public static func hexadecimal(_ bytes: ByteBuffer) -> String {
        let alphabet = Array("0123456789abcdef".utf8)
        var digits: [UInt8] = []
        digits.reserveCapacity(bytes.readableBytes * 2)
        for byte in bytes.readableBytesView {
            digits.append(alphabet[Int(byte >> 4)])
            digits.append(alphabet[Int(byte & 15)])
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// The bytes of an even number of hexadecimal digits.
    public static func bytes(hexadecimal text: some StringProtocol) -> ByteBuffer? {
        let nibbles = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard nibbles.count == text.utf8.count, nibbles.count % 2 == 0 else { return nil }
        return ByteBuffer(
            bytes: stride(from: 0, to: nibbles.count, by: 2).map { UInt8(nibbles[$0] << 4 | nibbles[$0 + 1]) }
        )
    }
}

/// A difference in the words of CQL, for people.
public struct DescribedDifference: Sendable, Hashable {
    /// The difference.
    public let difference: Difference
    /// The values of the partition key as literals.
    public let key: [String]
    /// Those of the clustering columns; nil for static columns.
    public let clustering: [String]?
    /// The element of a collection as a literal, an index or the name of a field.
    public let element: String?
    /// What the source has as a literal; nil where it has nothing or it is a whole row.
    public let source: String?
    /// The same of the target.
    public let target: String?

    /// A difference of a table; nil where the table is not known any more, then everything is told as blobs.
    public init(_ difference: Difference, _ table: ComparedTable?) {
        func texts(_ values: [ByteBuffer], _ columns: [ComparedTable.Column]?) -> [String] {
            values.enumerated().map { index, value in
                let type = columns.flatMap { $0.indices.contains(index) ? $0[index].type : nil }
                return CQLLiteral.text(value, as: type ?? .blob)
            }
        }
        self.difference = difference
        self.key = texts(difference.place.key, table?.partitionKey)
        self.clustering = difference.place.clustering.map { texts($0, table?.clustering) }
        let column = table?.columns.first { $0.name == difference.column }
        switch difference.element {
        case .key(let key)?: self.element = CQLLiteral.text(key, as: column?.keyType ?? .blob)
        case .index(let index)?: self.element = "\(index)"
        case .field(let name)?: self.element = name
        case nil: self.element = nil
        }
        let type = column.map { column in
            difference.element.map { RowComparison.valueType(of: $0, column) } ?? column.type
        }
        let literal = { (content: Difference.Content?) in
            content?.value.map { CQLLiteral.text($0, as: type ?? .blob) }
        }
        (self.source, self.target) = (literal(difference.source), literal(difference.target))
    }
}
