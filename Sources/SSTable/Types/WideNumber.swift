/// Integers of any size in two's complement, big-endian, and decimals of them.
enum WideNumber {
    /// No bytes come first.
    static func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        guard let a = left.first, let b = right.first else { return left.count - right.count }
        let (isLeftNegative, isRightNegative) = (a >= 0x80, b >= 0x80)
        if isLeftNegative != isRightNegative { return isLeftNegative ? -1 : 1 }
        let padding: UInt8 = isLeftNegative ? 0xff : 0
        let (first, second) = (left.drop { $0 == padding }, right.drop { $0 == padding })
        if first.count != second.count {
            return (first.count < second.count) != isLeftNegative ? -1 : 1
        }
        for (x, y) in zip(first, second) where x != y { return x < y ? -1 : 1 }
        return 0
    }

    /// Four bytes of scale, then the unscaled number; no bytes come first.
    static func compareDecimals(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        guard left.count > 4, right.count > 4 else { return left.count - right.count }
        let (leftScale, rightScale) = (Self.scale(left), Self.scale(right))
        let (a, b) = (
            UnsafeRawBufferPointer(rebasing: left[4...]), UnsafeRawBufferPointer(rebasing: right[4...])
        )
        if leftScale == rightScale { return Self.compare(a, b) }
        let (leftSign, rightSign) = (Self.sign(a), Self.sign(b))
        if leftSign != rightSign { return leftSign < rightSign ? -1 : 1 }
        if leftSign == 0 { return 0 }
        // Of two decimals with as many digits before the point the digits decide; else the number of digits does.
        let (leftDigits, rightDigits) = (Self.digits(a), Self.digits(b))
        let (leftWidth, rightWidth) = (Int64(leftDigits.count) - leftScale, Int64(rightDigits.count) - rightScale)
        if leftWidth != rightWidth { return (leftWidth < rightWidth) == (leftSign > 0) ? -1 : 1 }
        for place in 0..<max(leftDigits.count, rightDigits.count) {
            let x = place < leftDigits.count ? leftDigits[place] : 0
            let y = place < rightDigits.count ? rightDigits[place] : 0
            if x != y { return (x < y) == (leftSign > 0) ? -1 : 1 }
        }
        return 0
    }

    private static func scale(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        Int64(Int32(bigEndian: bytes.loadUnaligned(as: Int32.self)))
    }

    private static func sign(_ bytes: UnsafeRawBufferPointer) -> Int {
        if bytes[0] >= 0x80 { return -1 }
        return bytes.contains { $0 != 0 } ? 1 : 0
    }

    /// The decimal digits of the magnitude, most significant first.
    private static func digits(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var magnitude = Array(bytes)
        if magnitude[0] >= 0x80 {
            // One more byte makes room for the magnitude of the lowest number.
            magnitude = [0xff] + magnitude
            var carry = true
            for index in magnitude.indices.reversed() {
                magnitude[index] = ~magnitude[index]
                if carry {
                    magnitude[index] &+= 1
                    carry = magnitude[index] == 0
                }
            }
        }
        var digits: [UInt8] = []
        var rest = magnitude[...].drop { $0 == 0 }
        while !rest.isEmpty {
            var remainder: UInt32 = 0
            for index in rest.indices {
                let value = remainder << 8 | UInt32(rest[index])
                rest[index] = UInt8(truncatingIfNeeded: value / 10)
                remainder = value % 10
            }
            digits.append(UInt8(remainder))
            rest = rest.drop { $0 == 0 }
        }
        return digits.reversed()
    }
}
