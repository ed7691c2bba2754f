import CQLProtocol
import NIOCore
import Testing

struct DataTypeTests {
    private static let package = "org.apache.cassandra.db.marshal."

    @Test func `class names become types`() {
        let p = Self.package
        #expect(DataType(marshalClass: p + "DurationType") == .duration)
        #expect(
            DataType(marshalClass: "\(p)MapType(\(p)UTF8Type,\(p)FrozenType(\(p)ListType(\(p)Int32Type)))")
                == .map(.varchar, .list(.int))
        )
        #expect(
            DataType(marshalClass: "\(p)UserType(ks,61,62:\(p)LongType,63:\(p)TupleType(\(p)ByteType,\(p)UUIDType))")
                == .udt(
                    keyspace: "ks",
                    name: "a",
                    fields: [.init(name: "b", type: .bigint), .init(name: "c", type: .tuple([.tinyint, .uuid]))]
                )
        )
        #expect(DataType(marshalClass: "ListType(some.Type(x,(y)))") == .list(.custom("some.Type(x,(y))")))
    }

    @Test(arguments: [
        "", "(", "some.Type", "ListType(", "ListType(Int32Type", "MapType(Int32Type)", "Int32Type)", "UserType(k,6,",
    ])
    func `broken or unknown class names stay custom`(name: String) {
        #expect(DataType(marshalClass: name) == nil)
    }

    @Test func `types nest only so deep`() throws {
        let deep = String(repeating: "ListType(", count: 100_000)
        #expect(DataType(marshalClass: deep) == nil)
        var type = DataType.int
        for _ in 0..<DataType.nestingMax { type = .list(type) }
        let column = ColumnSpec(keyspace: "k", table: "t", name: "c", type: type)
        let rows = try Rows(metadata: ResultMetadata(columns: [column]))
        var bytes = try ResponseFrame(response: .result(.rows(rows))).encoded()
        var reader = FrameReader()
        reader.append(bytes)
        let frame = try #require(try reader.nextFrame())
        #expect { try ResponseFrame(decoding: frame) } throws: { ($0 as? CQLProtocolError)?.code == .nestedTooDeeply }
        bytes.clear()
    }
}
