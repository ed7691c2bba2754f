import CQLProtocol
import NIOCore
import Testing

@testable import CQLClient

struct RoutingKeyTests {
    private static let int: BoundValue = .value(ByteBuffer(integer: Int32(7)))
    private static let text: BoundValue = .value(ByteBuffer(string: "hello"))

    @Test func `a key of one column is hashed as it is`() throws {
        let key = try #require(RoutingKey(markers: [1]))
        // The token of "hello" as the Python driver computes it.
        #expect(key.token(of: [Self.int, Self.text]) == -3_758_069_500_696_749_310)
        #expect(key.token(of: [.null, Self.text, .unset]) == -3_758_069_500_696_749_310)
    }

    @Test func `a key of several columns is put together in the order of the key`() throws {
        let key = try #require(RoutingKey(markers: [2, 0]))
        let composite = try Murmur3Partitioner.partitionKey([
            ByteBuffer(string: "hello"), ByteBuffer(integer: Int32(7)),
        ])
        #expect(key.token(of: [Self.int, .null, Self.text]) == Murmur3Partitioner.token(of: composite))
        // A component may be empty, a whole key may not.
        let empty: BoundValue = .value(ByteBuffer())
        let withEmpty = try Murmur3Partitioner.partitionKey([ByteBuffer(), ByteBuffer(integer: Int32(7))])
        #expect(key.token(of: [Self.int, .null, empty]) == Murmur3Partitioner.token(of: withEmpty))
        #expect(RoutingKey(markers: [0])?.token(of: [empty]) == nil)
    }

    @Test func `a long key is hashed as well as a short one`() throws {
        let long = ByteBuffer(repeating: 0xee, count: 65_535)
        let key = try #require(RoutingKey(markers: [0, 1]))
        let composite = try Murmur3Partitioner.partitionKey([long, long])
        #expect(key.token(of: [.value(long), .value(long)]) == Murmur3Partitioner.token(of: composite))
    }

    @Test func `what is null, unset, missing or too long has no token`() throws {
        let key = try #require(RoutingKey(markers: [0, 2]))
        let tooLong: BoundValue = .value(ByteBuffer(repeating: 1, count: 65_536))
        for values in [
            [.null, Self.int, Self.text], [Self.text, Self.int, .unset], [Self.text, Self.int], [],
            [Self.text, Self.int, tooLong],
        ] {
            #expect(key.token(of: values) == nil)
        }
    }

    @Test func `no keys are looked for where none are told or too many`() {
        #expect(RoutingKey(markers: []) == nil)
        #expect(RoutingKey(markers: [UInt16](0..<9)) == nil)
        #expect(RoutingKey(markers: [UInt16](0..<8)) != nil)
    }

    @Test func `bytes that end too early have no token`() throws {
        let key = try #require(RoutingKey(markers: [0, 1]))
        var bytes = ByteBuffer()
        bytes.writeInteger(UInt16(2))
        for value in ["hello", "world"] {
            bytes.writeInteger(Int32(value.utf8.count))
            bytes.writeString(value)
        }
        bytes.withUnsafeReadableBytes { whole in
            #expect(key.token(ofValuesIn: whole) != nil)
            for length in 0..<whole.count {
                #expect(key.token(ofValuesIn: UnsafeRawBufferPointer(rebasing: whole[..<length])) == nil)
            }
        }
    }
}
