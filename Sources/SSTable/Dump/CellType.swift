import CQLProtocol
import NIOCore

/// What a cell of a column holds: its path as text, and the type of its value.
struct CellType {
    /// Nil in a simple column.
    let path: String?
    /// Nil in a simple column, whose type is the cell's.
    let value: DataType?

    init(_ type: ColumnType, path: ByteBuffer?) {
        guard let path else {
            self.path = nil
            self.value = nil
            return
        }
        switch type.dataType {
        case .list(let element):
            self.path = ValueText.text(path, .timeuuid)
            self.value = element
        case .set(let element):
            self.path = ValueText.text(path, element)
            // The value of such a cell is empty, and so is its text.
            self.value = .varchar
        case .map(let key, let element):
            self.path = ValueText.text(path, key)
            self.value = element
        case .udt(_, _, let fields):
            let place = path.getInteger(at: path.readerIndex, as: Int16.self).map(Int.init)
            if let place, fields.indices.contains(place), path.readableBytes == 2 {
                self.path = fields[place].name
                self.value = fields[place].type
            } else {
                self.path = ValueText.hexadecimal(path)
                self.value = .blob
            }
        default:
            self.path = ValueText.hexadecimal(path)
            self.value = .blob
        }
    }
}
