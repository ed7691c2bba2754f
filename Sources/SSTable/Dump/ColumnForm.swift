import CQLProtocol
import NIOCore

/// How cells of one column are written, found out once for all of them.
final class ColumnForm: Sendable {
    /// What the path of a cell says.
    private enum Path {
        /// Cells of a simple column have none.
        case none
        case element(ValueForm)
        case field([DataType.Field])
        case hexadecimal
    }

    /// The name as CQL needs it, in the quotes and with the escapes of JSON.
    let name: [UInt8]
    /// Whether its values are counters.
    let isCounter: Bool
    private let value: ValueForm
    private let path: Path
    /// Those of the fields of a user-defined type.
    private let fields: [ValueForm]

    convenience init(_ column: SerializationHeader.Column) {
        var name: [UInt8] = []
        JSONText.append(ColumnName.cql(column.name), to: &name)
        self.init(column.type, name: name)
    }

    init(_ type: ColumnType, name: [UInt8] = []) {
        self.name = name
        self.isCounter = type.dataType == .counter
        var fields: [ValueForm] = []
        switch (type.isMultiCell, type.dataType) {
        case (false, _):
            self.path = .none
            self.value = ValueForm(type)
        case (true, .list(let element)):
            self.path = .element(ValueForm(.timeuuid))
            self.value = ValueForm(element)
        case (true, .set(let element)):
            self.path = .element(ValueForm(element))
            // The value of such a cell is empty, and so is its text.
            self.value = ValueForm(.varchar)
        case (true, .map(let key, let element)):
            self.path = .element(ValueForm(key))
            self.value = ValueForm(element)
        case (true, .udt(_, _, let all)):
            self.path = .field(all)
            self.value = ValueForm(.blob)
            fields = all.map { ValueForm($0.type) }
        default:
            self.path = .hexadecimal
            self.value = ValueForm(.blob)
        }
        self.fields = fields
    }

    /// Whether each element is a cell of its own, with a path.
    var hasPaths: Bool { if case .none = self.path { false } else { true } }

    /// The text of a path.
    func path(_ path: ByteBuffer, to text: inout TextBuffer) {
        switch self.path {
        case .none: break
        case .element(let form): form.text(path, to: &text)
        case .field(let fields):
            guard let place = Self.field(path, of: fields.count) else { fallthrough }
            text.append(fields[place].name)
        case .hexadecimal: path.withUnsafeReadableBytes { text.append(hexadecimal: $0) }
        }
    }

    /// The JSON of a cell's value.
    func value(_ value: ByteRange, path: ByteRange, in bytes: ByteBuffer, to text: inout TextBuffer) {
        var form = self.value
        if !self.fields.isEmpty, let path = bytes.slice(path), let place = Self.field(path, of: self.fields.count) {
            form = self.fields[place]
        }
        form.json(value, in: bytes, to: &text)
    }

    /// Which field of a user-defined type a path names.
    private static func field(_ path: ByteBuffer, of count: Int) -> Int? {
        guard path.readableBytes == 2, let place = path.getInteger(at: path.readerIndex, as: Int16.self) else {
            return nil
        }
        return (0..<count).contains(Int(place)) ? Int(place) : nil
    }
}
