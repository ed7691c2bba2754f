import CQLProtocol
import NIOCore
import TestSupport
import Testing

@testable import DualReader

/// A digest must never hide what a comparison would find, and should not differ where a comparison finds nothing.
struct CanonicalBytesTests {
    private static func form(_ bytes: [UInt8]?, _ type: DataType, sorts: Bool = true) -> [UInt8] {
        var form = CanonicalBytes()
        if let bytes {
            bytes.withUnsafeBytes { form.append($0, type, sorts: sorts) }
        } else {
            form.append(nil, type, sorts: sorts)
        }
        return form.bytes
    }

    private static func cells(_ parts: [[UInt8]?]) -> [UInt8] {
        parts.flatMap { part -> [UInt8] in
            guard let part else { return [255, 255, 255, 255] }
            return [0, 0, 0, UInt8(part.count)] + part
        }
    }

    private static func collection(_ count: UInt8, _ parts: [[UInt8]?]) -> [UInt8] { [0, 0, 0, count] + cells(parts) }

    private static let pair = DataType.udt(
        keyspace: "k",
        name: "pair",
        fields: [.init(name: "x", type: .varint), .init(name: "y", type: .varchar)]
    )

    /// Two encodings of one value each.
    private static let equal: [(DataType, [UInt8], [UInt8])] = [
        (.varint, [1], [0, 0, 1]),
        (.varint, [0xfe], [0xff, 0xff, 0xfe]),
        (.decimal, [0, 0, 0, 0, 1], [0, 0, 0, 2, 100]),
        (.decimal, [0, 0, 0, 5, 0], [0, 0, 0, 0, 0]),
        (.decimal, [0xff, 0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0, 0xf6]),
        (.boolean, [1], [7]),
        (.float, [0x7f, 0xc0, 0, 0], [0x7f, 0x80, 0, 1]),
        (.double, [0x7f, 0xf8, 0, 0, 0, 0, 0, 0], [0xff, 0xf8, 0, 0, 0, 0, 0, 9]),
        (.set(.int), collection(2, [[0, 0, 0, 1], [0, 0, 0, 2]]), collection(2, [[0, 0, 0, 2], [0, 0, 0, 1]])),
        (.set(.varint), collection(2, [[1], [0, 2]]), collection(2, [[2], [0, 1]])),
        (
            .map(.varchar, .varint), collection(2, [[97], [1], [98], [2]]), collection(2, [[98], [0, 2], [97], [1]])
        ),
        (.list(.varint), collection(2, [[1], [2]]), collection(2, [[0, 1], [0, 2]])),
        (.tuple([.varint, .varchar]), cells([[1]]), cells([[0, 1], nil])),
        (Self.pair, cells([nil, [97]]), cells([nil, [97]])),
        (Self.pair, [], cells([nil, nil])),
        (.list(Self.pair), collection(1, [cells([[1]])]), collection(1, [cells([[0, 1], nil])])),
    ]

    @Test func `two encodings of one value have one form`() {
        for (type, one, other) in Self.equal {
            #expect(ValueOrder.areEqual(ByteBuffer(bytes: one), ByteBuffer(bytes: other), as: type), "\(type)")
            #expect(Self.form(one, type) == Self.form(other, type), "\(type)")
        }
    }

    @Test func `what has a place in an order keeps the order of its elements`() {
        let (one, other) = ([0, 0, 0, 1] as [UInt8], [0, 0, 0, 2] as [UInt8])
        let (left, right) = (Self.collection(2, [one, other]), Self.collection(2, [other, one]))
        #expect(Self.form(left, .set(.int), sorts: false) != Self.form(right, .set(.int), sorts: false))
    }

    @Test func `null, no bytes and a zero are three values`() {
        for type in [DataType.varchar, .varint, .decimal, .boolean, .set(.int), Self.pair] {
            #expect(Set([Self.form(nil, type), Self.form([], type), Self.form([0], type)]).count == 3, "\(type)")
        }
    }

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `values that are not equal never have one form`(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let types: [DataType] = [
            .varint, .decimal, .boolean, .float, .set(.varint), .map(.varint, .boolean), .list(.decimal), .list(.int),
            .tuple([.varint, .boolean, .varchar]), Self.pair, .set(.tuple([.boolean])), .varchar, .int,
        ]
        for type in types {
            // Few bytes of few values, lengths among them: what is whole, what is cut, and what is neither.
            let values = (0..<160).map { _ in Self.randomValue(&random) }
            for one in values {
                for other in values {
                    guard Self.form(one, type) == Self.form(other, type) else { continue }
                    #expect(
                        ValueOrder.areEqual(ByteBuffer(bytes: one), ByteBuffer(bytes: other), as: type),
                        "seed \(seed) \(type) \(one) \(other)"
                    )
                }
            }
        }
    }

    private static func randomValue(_ random: inout SeededRandom) -> [UInt8] {
        if random.percent(40) {
            return (0..<random.number(0...6)).map { _ in random.pick([0, 1, 2, 255, 10, 100]) }
        }
        let parts = (0..<random.number(0...3)).map { _ -> [UInt8]? in
            random.percent(20) ? nil : (0..<random.number(0...3)).map { _ in random.pick([0, 1, 255]) }
        }
        return random.percent(50) ? Self.cells(parts) : Self.collection(UInt8(parts.count), parts)
    }
}
