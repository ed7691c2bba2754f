import CQLProtocol
import NIOCore
import Testing

@testable import DualWriter

struct RequestLayoutTests {
    private static func body(_ request: Request) throws -> ByteBuffer {
        try RequestRewriter.encode(request)
    }

    private static let parameters: [QueryParameters] = {
        let state = ByteBuffer(string: "state")
        var all = QueryParameters(consistency: .localQuorum)
        all.values = .positional([.value(ByteBuffer(string: "x")), .null, .unset, .value(ByteBuffer())])
        all.pageSize = 100
        all.pagingState = state
        all.serialConsistency = .localSerial
        all.defaultTimestamp = 17
        var named = QueryParameters(consistency: .one)
        named.values = .named([.init(name: "a", value: .value(ByteBuffer(string: "1")))])
        return [QueryParameters(consistency: .one), all, named]
    }()

    @Test func `the walk finds what the typed decoder finds`() throws {
        for parameters in Self.parameters {
            let query = try Self.body(.query(Query("SELECT 1", parameters: parameters)))
            try query.withUnsafeReadableBytes { bytes in
                let layout = try #require(RequestLayout(query: bytes))
                #expect(String(decoding: bytes[layout.subject], as: UTF8.self) == "SELECT 1")
                #expect(layout.consistency == parameters.consistency)
                #expect(layout.flags.contains(.defaultTimestamp) == (parameters.defaultTimestamp != nil))
                let state = layout.pagingState.map { Array(bytes[$0]) }
                #expect(state == parameters.pagingState.map { Array($0.readableBytesView) })
            }
            let execute = try Self.body(.execute(Execute(id: ByteBuffer(string: "id"), parameters: parameters)))
            try execute.withUnsafeReadableBytes { bytes in
                let layout = try #require(RequestLayout(execute: bytes))
                #expect(Array(bytes[layout.subject]) == Array("id".utf8))
            }
        }
    }

    @Test func `no truncation and no longer body has a layout`() throws {
        for parameters in Self.parameters {
            let whole = try Self.body(.query(Query("SELECT 1", parameters: parameters)))
            for length in 0..<whole.readableBytes {
                let short = try #require(whole.getSlice(at: whole.readerIndex, length: length))
                short.withUnsafeReadableBytes { #expect(RequestLayout(query: $0) == nil, "cut to \(length)") }
            }
            var long = whole
            long.writeInteger(UInt8(0))
            long.withUnsafeReadableBytes { #expect(RequestLayout(query: $0) == nil) }
        }
    }

    @Test func `no change of a byte reads outside the body`() throws {
        for parameters in Self.parameters {
            let whole = try Self.body(.execute(Execute(id: ByteBuffer(string: "id"), parameters: parameters)))
            for offset in 0..<whole.readableBytes {
                for value in [UInt8(0), 0x7f, 0x80, 0xff] {
                    var changed = whole
                    changed.setInteger(value, at: changed.readerIndex + offset)
                    changed.withUnsafeReadableBytes { bytes in
                        guard let layout = RequestLayout(execute: bytes) else { return }
                        #expect(layout.subject.upperBound <= bytes.count)
                        #expect((layout.pagingState?.upperBound ?? 0) <= bytes.count)
                    }
                }
            }
        }
    }
}
