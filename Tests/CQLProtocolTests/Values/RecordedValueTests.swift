import CQLProtocol
import NIOCore
import Testing

@Suite(.enabled(if: RecordedFrames.areThere, "the recorded conversations are not beside the package"))
struct RecordedValueTests {
    @Test(arguments: RecordedFrames.files)
    func `every recorded cell decodes by its type and encodes to the same bytes`(file: String) throws {
        for row in try RecordedFrames.rows(of: file) {
            for (index, column) in row.columns.enumerated() {
                let value = try row.value(at: index)
                #expect(try value.encoded(as: column.type) == row[index], "\(column.name) \(column.type)")
            }
        }
    }

    @Test func `the recorded rows hold every type`() throws {
        var types: Set<String> = []
        func collect(_ type: DataType) {
            switch type {
            case .native: types.insert("\(type)")
            case .custom(let name): types.insert(DataType(marshalClass: name).map { "\($0)" } ?? name)
            case .list(let element):
                types.insert("list")
                collect(element)
            case .set(let element):
                types.insert("set")
                collect(element)
            case .map(let key, let value):
                types.insert("map")
                collect(key)
                collect(value)
            case .tuple(let elements):
                types.insert("tuple")
                for element in elements { collect(element) }
            case .udt(_, _, let fields):
                types.insert("udt")
                for field in fields { collect(field.type) }
            }
        }
        for file in RecordedFrames.files where file.contains("/types/") || file.contains("/counters/") {
            for row in try RecordedFrames.rows(of: file) { for column in row.columns { collect(column.type) } }
        }
        let expected: Set = [
            "ascii", "bigint", "blob", "boolean", "counter", "decimal", "double", "float", "int", "timestamp", "uuid",
            "text", "varint", "timeuuid", "inet", "date", "time", "smallint", "tinyint", "duration", "list", "set",
            "map", "tuple", "udt",
        ]
        #expect(expected.subtracting(types) == [])
    }

    @Test(arguments: RecordedFrames.files.filter { $0.contains("/types/") })
    func `every truncation of a recorded cell is a value or a clear error`(file: String) throws {
        for row in try RecordedFrames.rows(of: file) {
            for (cell, column) in zip(row.cells, row.columns) {
                guard let cell, cell.readableBytes < 256 else { continue }
                for length in 0..<cell.readableBytes {
                    let short = cell.getSlice(at: cell.readerIndex, length: length)
                    guard let value = try? CQLValue(decoding: short, as: column.type) else { continue }
                    #expect(try value.encoded(as: column.type) == short, "\(column.type) cut to \(length)")
                }
            }
        }
    }
}
