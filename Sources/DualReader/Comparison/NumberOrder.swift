/// The order of numbers of any size, on their bytes: two's complement, big-endian, perhaps with more bytes than they need
/// (native protocol v4 §6.7 and §6.22).
enum NumberOrder {
    typealias Bytes = UnsafeRawBufferPointer

    /// `IntegerType`.
    static func varint(_ left: Bytes, _ right: Bytes) -> Int {
        guard !left.isEmpty, !right.isEmpty else { return left.count - right.count }
        let (one, other) = (Self.shortened(left), Self.shortened(right))
        let (isNegative, otherIsNegative) = (one[0] >= 0x80, other[0] >= 0x80)
        if isNegative != otherIsNegative { return isNegative ? -1 : 1 }
        // More bytes are further from zero.
        if one.count != other.count { return (one.count < other.count) != isNegative ? -1 : 1 }
        return ValueOrder.unsigned(one, other)
    }

    /// `DecimalType`: by the number, so that 1.0 and 1.00 are equal, as they are in a key.
    static func decimal(_ left: Bytes, _ right: Bytes) -> Int {
        guard left.count > 4, right.count > 4 else { return ValueOrder.unsigned(left, right) }
        let (scale, otherScale): (Int32, Int32) = (ValueOrder.load(left), ValueOrder.load(right))
        let (one, other) = (Bytes(rebasing: left[4...]), Bytes(rebasing: right[4...]))
        if scale == otherScale { return Self.varint(one, other) }
        let (number, otherNumber) = (Magnitude(one), Magnitude(other))
        if number.sign != otherNumber.sign { return number.sign - otherNumber.sign }
        guard number.sign != 0 else { return 0 }
        // The place of the first digit tells, where it differs; so no more digits are appended than there are.
        let place = number.digits.count - Int(scale)
        let otherPlace = otherNumber.digits.count - Int(otherScale)
        let order =
            place != otherPlace ? ValueOrder.order(place, otherPlace) : Self.digits(number.digits, otherNumber.digits)
        return number.sign * order
    }

    private static func digits(_ left: [UInt8], _ right: [UInt8]) -> Int {
        for index in 0..<max(left.count, right.count) {
            let one = index < left.count ? left[index] : 0
            let other = index < right.count ? right[index] : 0
            if one != other { return one < other ? -1 : 1 }
        }
        return 0
    }

    static func shortened(_ bytes: Bytes) -> Bytes {
        var rest = bytes[...]
        while rest.count > 1, let first = rest.first {
            let second = rest[rest.startIndex + 1]
            guard first == 0 && second < 0x80 || first == 0xff && second >= 0x80 else { break }
            rest = rest.dropFirst()
        }
        return Bytes(rebasing: rest)
    }

    /// The decimal digits of a number without its sign.
    struct Magnitude {
        /// -1, 0 or 1.
        let sign: Int
        /// From the highest one, 0…9; none of zero.
        let digits: [UInt8]

        init(_ bytes: Bytes) {
            let isNegative = bytes[0] >= 0x80
            var rest = Array(bytes)
            if isNegative {
                // One byte more makes room for the lowest number.
                rest = [0xff] + rest
                for index in rest.indices { rest[index] = ~rest[index] }
                for index in rest.indices.reversed() {
                    rest[index] &+= 1
                    if rest[index] != 0 { break }
                }
            }
            var reversed: [UInt8] = []
            var rests = rest.drop { $0 == 0 }
            while !rests.isEmpty {
                var remainder = 0
                for index in rests.indices {
                    let value = remainder << 8 | Int(rests[index])
                    rests[index] = UInt8(value / 1_000_000_000)
                    remainder = value % 1_000_000_000
                }
                rests = rests.drop { $0 == 0 }
                for _ in 0..<9 {
                    reversed.append(UInt8(remainder % 10))
                    remainder /= 10
                }
            }
            while reversed.last == 0 { reversed.removeLast() }
            self.digits = reversed.reversed()
            self.sign = reversed.isEmpty ? 0 : isNegative ? -1 : 1
        }
    }
}
