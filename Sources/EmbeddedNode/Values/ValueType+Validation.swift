import CQLProtocol
import CQLSyntax

extension ValueType {
    /// The type of a constant whose place does not say one.
    static func natural(_ literal: Literal) -> ValueType {
        switch literal.kind {
        case .string: .text
        case .integer: Int32(literal.text) == nil ? .bigint : .int
        case .float: .native("double")
        case .boolean: .native("boolean")
        case .uuid: .native("uuid")
        case .blob: .native("blob")
        case .duration: .native("duration")
        }
    }

    /// A bound value as it is stored: checked, its sets and maps in order and without repetitions.
    func validated(_ bytes: Bytes, for name: String) throws -> Bytes {
        if case .native(let native) = self, let size = Self.sizes[native] {
            guard bytes.count == size || (bytes.isEmpty && native != "counter") else {
                throw NodeError.invalid(
                    "Expected \(size) or 0 byte \(native) (\(bytes.count)) for column \(name)"
                )
            }
            return bytes
        }
        do throws(CQLProtocolError) {
            _ = try CQLValue(decoding: bytes.buffer, as: self.wire)
        } catch {
            throw NodeError.invalid("Invalid bytes for column \(name) of type \(self.description): \(error)")
        }
        return self.ordered(bytes)
    }

    private static let sizes: [String: Int] = [
        "int": 4, "float": 4, "date": 4, "bigint": 8, "counter": 8, "double": 8, "timestamp": 8, "time": 8, "uuid": 16,
        "timeuuid": 16, "smallint": 2, "tinyint": 1, "boolean": 1,
    ]

    private func ordered(_ bytes: Bytes) -> Bytes {
        guard !bytes.isEmpty else { return bytes }
        switch self.thawed {
        case .native, .frozen: return bytes
        case .list(let element):
            let parts = (bytes.parts(from: 4) ?? []).map { $0.map { element.ordered($0) } }
            return .collection(count: parts.count, parts)
        case .set(let element):
            let parts = Set((bytes.parts(from: 4) ?? []).map { element.ordered($0 ?? []) })
            return .collection(count: parts.count, parts.sorted { element.compare($0, $1) < 0 })
        case .map(let key, let value):
            let parts = bytes.parts(from: 4) ?? []
            var pairs: [Bytes: Bytes] = [:]
            for index in stride(from: 0, to: parts.count - 1, by: 2) {
                pairs[key.ordered(parts[index] ?? [])] = value.ordered(parts[index + 1] ?? [])
            }
            let sorted = pairs.sorted { key.compare($0.key, $1.key) < 0 }
            return .collection(count: sorted.count, sorted.flatMap { [$0.key, $0.value] })
        case .tuple(let types):
            let parts = bytes.parts(from: 0) ?? []
            return .tuple(zip(parts, types).map { part, type in part.map { type.ordered($0) } })
        case .udt(_, _, let fields):
            let parts = bytes.parts(from: 0) ?? []
            return .tuple(zip(parts, fields).map { part, field in part.map { field.type.ordered($0) } })
        }
    }
}
