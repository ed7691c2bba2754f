import CQLProtocol
import NIOCore

/// Which tenants are compared: rows whose column has one of these values. Tables without the column are compared as a whole.
public struct TenantFilter: Sendable, Hashable {
    /// The column, without quotes; one of the key as well as any other.
    public var column: String
    /// The values as texts: of a text, number or uuid.
    public var values: Set<String>

    /// The rows of some tenants.
    public init(column: String, values: Set<String>) {
        self.column = column
        self.values = values
    }

    /// The values as bytes of a column's type.
    ///
    /// - Throws: ``CompareError`` where one is none of the type.
    func bytes(as type: DataType, in table: String) throws -> Set<ByteBuffer> {
        var all: Set<ByteBuffer> = []
        for text in self.values {
            guard let bytes = Self.bytes(text, type) else {
                throw CompareError(
                    .table,
                    "\(table): a tenant of the filter is no \(type), as column \(self.column) is"
                )
            }
            all.insert(bytes)
        }
        return all
    }

    private static func bytes(_ text: String, _ type: DataType) -> ByteBuffer? {
        switch type {
        case .ascii, .varchar: return ByteBuffer(string: text)
        case .tinyint: return Int8(text).map { ByteBuffer(integer: $0) }
        case .smallint: return Int16(text).map { ByteBuffer(integer: $0) }
        case .int: return Int32(text).map { ByteBuffer(integer: $0) }
        case .bigint: return Int64(text).map { ByteBuffer(integer: $0) }
        case .uuid, .timeuuid:
            let digits = text.filter { $0 != "-" }
            guard digits.count == 32, let high = UInt64(digits.prefix(16), radix: 16),
                let low = UInt64(digits.suffix(16), radix: 16)
            else { return nil }
            var bytes = ByteBuffer(integer: high)
            bytes.writeInteger(low)
            return bytes
        default: return nil
        }
    }
}
