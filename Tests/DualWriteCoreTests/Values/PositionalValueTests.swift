import Testing

@testable import DualWriteCore

struct PositionalValueTests {
    /// Three values: two bytes, null, and none.
    private static let bytes: [UInt8] = [0, 3, 0, 0, 0, 2, 7, 8, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]

    private static func words(_ place: Int, _ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { bytes in
            switch PositionalValue(at: place, in: bytes) {
            case .cutOff: "cut off"
            case .absent: "absent"
            case .bytes(let value): "\(Array(value))"
            }
        }
    }

    @Test func `each value is found at its place, and nothing behind the last one`() {
        #expect((0...3).map { Self.words($0, Self.bytes) } == ["[7, 8]", "absent", "[]", "cut off"])
    }

    @Test func `bytes that end early have no value there`() {
        let ends = [8, 12, 16]
        for count in 0..<Self.bytes.count {
            for (place, end) in ends.enumerated() where count < end {
                #expect(Self.words(place, Array(Self.bytes.prefix(count))) == "cut off", "\(place) of \(count) bytes")
            }
        }
    }

    @Test(arguments: [Int32.max, 3, 1 << 24])
    func `a length beyond the end is no value`(length: Int32) {
        let lengths = withUnsafeBytes(of: length.bigEndian) { Array($0) }
        #expect(Self.words(0, [0, 1] + lengths + [1, 2]) == "cut off")
        #expect(Self.words(1, [0, 2] + lengths + [1, 2]) == "cut off")
    }

    @Test(arguments: [Int32.min, -2, -1])
    func `every negative length is an absent value, and takes no room`(length: Int32) {
        let lengths = withUnsafeBytes(of: length.bigEndian) { Array($0) }
        #expect(Self.words(0, [0, 2] + lengths + [0, 0, 0, 1, 9]) == "absent")
        #expect(Self.words(1, [0, 2] + lengths + [0, 0, 0, 1, 9]) == "[9]")
    }
}
