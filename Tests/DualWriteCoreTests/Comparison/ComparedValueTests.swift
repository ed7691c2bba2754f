import CQLProtocol
import DualWriteCore
import Testing

/// Cells as values: the same value in other bytes is equal, everything else is not.
struct ComparedValueTests {
    private func areEqual(_ type: DataType, _ left: [UInt8]?, _ right: [UInt8]?) throws -> Bool {
        func rows(_ bytes: [UInt8]?) throws -> Rows {
            let spec = ColumnSpec(keyspace: "ks", table: "t", name: "v", type: type)
            guard let bytes, case .value(let cell) = BoundValue(bytes: bytes) else {
                return try Rows(metadata: ResultMetadata(columns: [spec]), rows: [[nil]])
            }
            return try Rows(metadata: ResultMetadata(columns: [spec]), rows: [[cell]])
        }
        let read = try #require(ComparedRead.of("SELECT v FROM t WHERE p = 'a'"))
        return RowComparison(primary: try rows(left), shadow: try rows(right), of: read).isEqual
    }

    private func collection(_ elements: [UInt8]...) -> [UInt8] {
        elements.reduce([0, 0, 0, UInt8(elements.count)]) { $0 + [0, 0, 0, UInt8($1.count)] + $1 }
    }

    private func map(_ pairs: ([UInt8], [UInt8])...) -> [UInt8] {
        pairs.reduce([0, 0, 0, UInt8(pairs.count)]) {
            $0 + [0, 0, 0, UInt8($1.0.count)] + $1.0 + [0, 0, 0, UInt8($1.1.count)] + $1.1
        }
    }

    @Test func `numbers with bytes in front that say nothing`() throws {
        #expect(try self.areEqual(.varint, [1], [0, 0, 1]))
        #expect(try self.areEqual(.varint, [0xff], [0xff, 0xff]))
        #expect(try !self.areEqual(.varint, [0xff], [0, 0xff]))
        #expect(try self.areEqual(.decimal, [0, 0, 0, 2, 5], [0, 0, 0, 2, 0, 5]))
        // 1.0 and 1.00 look different to a client.
        #expect(try !self.areEqual(.decimal, [0, 0, 0, 1, 10], [0, 0, 0, 2, 100]))
        #expect(try self.areEqual(.boolean, [1], [7]))
        #expect(try !self.areEqual(.boolean, [1], [0]))
    }

    @Test func `not a number is one value, zero is two`() throws {
        #expect(try self.areEqual(.float, [0x7f, 0xc0, 0, 0], [0xff, 0xc0, 0, 1]))
        #expect(try self.areEqual(.double, [0x7f, 0xf8, 0, 0, 0, 0, 0, 0], [0xff, 0xf8, 0, 0, 0, 0, 0, 2]))
        #expect(try !self.areEqual(.float, [0, 0, 0, 0], [0x80, 0, 0, 0]))
        #expect(try !self.areEqual(.double, [0, 0, 0, 0, 0, 0, 0, 0], [0x80, 0, 0, 0, 0, 0, 0, 0]))
    }

    @Test func `null, no bytes and a value are three things`() throws {
        #expect(try self.areEqual(.int, nil, nil))
        #expect(try !self.areEqual(.int, nil, []))
        #expect(try !self.areEqual(.int, [], [0, 0, 0, 0]))
        #expect(try !self.areEqual(.varchar, nil, []))
        #expect(try !self.areEqual(.list(.int), nil, [0, 0, 0, 0]))
    }

    @Test func `sets and maps have no order, lists have one`() throws {
        let (one, two): ([UInt8], [UInt8]) = ([1], [2])
        #expect(try self.areEqual(.set(.varint), self.collection(one, two), self.collection(two, [0, 1])))
        #expect(try !self.areEqual(.set(.varint), self.collection(one, two), self.collection(two, two)))
        #expect(try !self.areEqual(.list(.varint), self.collection(one, two), self.collection(two, one)))
        #expect(try self.areEqual(.list(.varint), self.collection(one), self.collection([0, 1])))
        let type = DataType.map(.varchar, .set(.varint))
        let left = self.map((Array("a".utf8), self.collection(one, two)), (Array("b".utf8), self.collection()))
        let right = self.map((Array("b".utf8), self.collection()), (Array("a".utf8), self.collection(two, one)))
        #expect(try self.areEqual(type, left, right))
        #expect(try !self.areEqual(type, left, self.map((Array("a".utf8), self.collection(one, two)))))
    }

    @Test func `a tuple that stops before its nulls is the same`() throws {
        let field: [UInt8] = [0, 0, 0, 1, 0x61]
        let null: [UInt8] = [255, 255, 255, 255]
        let udt = DataType.udt(
            keyspace: "ks",
            name: "u",
            fields: [.init(name: "x", type: .varchar), .init(name: "y", type: .int)]
        )
        for type in [DataType.tuple([.varchar, .int]), udt] {
            #expect(try self.areEqual(type, field, field + null))
            #expect(try !self.areEqual(type, field, field + [0, 0, 0, 4, 0, 0, 0, 0]))
            #expect(try !self.areEqual(type, null, field))
        }
    }

    @Test func `bytes that are no value of their type are compared as bytes`() throws {
        #expect(try !self.areEqual(.double, [1, 2], [1, 3]))
        #expect(try self.areEqual(.set(.int), [9, 9], [9, 9]))
        #expect(try !self.areEqual(.set(.int), [9, 9], [9, 8]))
        #expect(try !self.areEqual(.varchar, [0xff], [0xfe]))
        #expect(try !self.areEqual(.counter, [0, 0, 0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0, 0, 2]))
    }
}
