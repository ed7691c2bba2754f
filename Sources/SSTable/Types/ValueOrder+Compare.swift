extension ValueOrder {
    /// Below zero, zero or above zero. Values that their type does not have compare by their bytes.
    func compare(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        switch self {
        case .bytes, .unknown: Self.bytes(left, right)
        case .signed: Self.signed(left, right)
        case .floating: Self.floating(left, right)
        case .uuid: Self.uuid(left, right)
        case .timeuuid: Self.timeuuid(left, right)
        case .lexicalUUID: Self.lexicalUUID(left, right)
        case .varint: WideNumber.compare(left, right)
        case .decimal: WideNumber.compareDecimals(left, right)
        case .list(let element): Self.list(left, right, [element])
        case .map(let key, let value): Self.list(left, right, [key, value])
        case .tuple(let parts): Self.tuple(left, right, parts)
        case .vector(let element, let length): Self.vector(left, right, element, length)
        }
    }

    static func bytes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        for (a, b) in zip(left, right) where a != b { return a < b ? -1 : 1 }
        return left.count - right.count
    }

    private static func signed(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        guard let a = left.first, let b = right.first, left.count == right.count else {
            return left.count - right.count
        }
        // Only the first byte has the sign.
        if a != b { return Int8(bitPattern: a) < Int8(bitPattern: b) ? -1 : 1 }
        return Self.bytes(left, right)
    }

    private static func floating(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        guard left.count == right.count else { return left.count - right.count }
        let (a, b): (Double, Double)
        switch left.count {
        case 4:
            a = Double(Float(bitPattern: UInt32(bigEndian: left.loadUnaligned(as: UInt32.self))))
            b = Double(Float(bitPattern: UInt32(bigEndian: right.loadUnaligned(as: UInt32.self))))
        case 8:
            a = Double(bitPattern: UInt64(bigEndian: left.loadUnaligned(as: UInt64.self)))
            b = Double(bitPattern: UInt64(bigEndian: right.loadUnaligned(as: UInt64.self)))
        default: return Self.bytes(left, right)
        }
        if a < b { return -1 }
        if a > b { return 1 }
        if a.isNaN || b.isNaN { return (a.isNaN ? 1 : 0) - (b.isNaN ? 1 : 0) }
        return (a.sign == .minus ? 0 : 1) - (b.sign == .minus ? 0 : 1)
    }

    private static func halves(_ bytes: UnsafeRawBufferPointer) -> (UInt64, UInt64) {
        (
            UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
            UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        )
    }

    /// The time of a version 1 uuid, its parts in the order of their weight.
    private static func time(_ high: UInt64) -> UInt64 {
        (high & 0x0fff) << 48 | (high >> 16 & 0xffff) << 32 | high >> 32
    }

    private static func uuid(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        guard left.count == 16, right.count == 16 else { return left.count - right.count }
        let ((leftHigh, leftLow), (rightHigh, rightLow)) = (Self.halves(left), Self.halves(right))
        let (leftVersion, rightVersion) = (leftHigh >> 12 & 0xf, rightHigh >> 12 & 0xf)
        if leftVersion != rightVersion { return leftVersion < rightVersion ? -1 : 1 }
        let isTimed = leftVersion == 1
        let (a, b) = isTimed ? (Self.time(leftHigh), Self.time(rightHigh)) : (leftHigh, rightHigh)
        if a != b { return a < b ? -1 : 1 }
        return leftLow == rightLow ? 0 : leftLow < rightLow ? -1 : 1
    }

    private static func timeuuid(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        guard left.count == 16, right.count == 16 else { return left.count - right.count }
        let ((leftHigh, leftLow), (rightHigh, rightLow)) = (Self.halves(left), Self.halves(right))
        let (a, b) = (Self.time(leftHigh), Self.time(rightHigh))
        if a != b { return a < b ? -1 : 1 }
        // Each byte of the low half is signed: flipping all signs makes the comparison one of unsigned numbers.
        let signs: UInt64 = 0x8080_8080_8080_8080
        return leftLow == rightLow ? 0 : leftLow ^ signs < rightLow ^ signs ? -1 : 1
    }

    private static func lexicalUUID(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
        guard left.count == 16, right.count == 16 else { return left.count - right.count }
        let ((leftHigh, leftLow), (rightHigh, rightLow)) = (Self.halves(left), Self.halves(right))
        for (a, b) in [(leftHigh, rightHigh), (leftLow, rightLow)] where a != b {
            return Int64(bitPattern: a) < Int64(bitPattern: b) ? -1 : 1
        }
        return 0
    }

    /// Four bytes of count, then elements with their lengths, whose orders take turns.
    private static func list(
        _ left: UnsafeRawBufferPointer,
        _ right: UnsafeRawBufferPointer,
        _ orders: [ValueOrder]
    ) -> Int {
        guard left.count >= 4, right.count >= 4 else { return left.count - right.count }
        var (a, b) = (ByteCursor(left), ByteCursor(right))
        do throws(Fault) {
            let counts = (
                Int(try a.integer("the count", as: Int32.self)) * orders.count,
                Int(try b.integer("the count", as: Int32.self)) * orders.count
            )
            for place in 0..<max(0, min(counts.0, counts.1)) {
                let order = orders[place % orders.count]
                let result = order.compare(try a.component(), try b.component())
                if result != 0 { return result }
            }
            return counts.0 - counts.1
        } catch {
            return Self.bytes(left, right)
        }
    }

    private static func tuple(
        _ left: UnsafeRawBufferPointer,
        _ right: UnsafeRawBufferPointer,
        _ orders: [ValueOrder]
    ) -> Int {
        var (a, b) = (ByteCursor(left), ByteCursor(right))
        do throws(Fault) {
            for order in orders {
                if a.isAtEnd || b.isAtEnd { break }
                let result = order.compare(try a.component(), try b.component())
                if result != 0 { return result }
            }
            // What is left out is null, so that only a component that is there and not null makes a difference.
            while !a.isAtEnd { if !(try a.isNullComponent()) { return 1 } }
            while !b.isAtEnd { if !(try b.isNullComponent()) { return -1 } }
            return 0
        } catch {
            return Self.bytes(left, right)
        }
    }

    private static func vector(
        _ left: UnsafeRawBufferPointer,
        _ right: UnsafeRawBufferPointer,
        _ order: ValueOrder,
        _ length: Int
    ) -> Int {
        guard left.count == right.count, length > 0, left.count % length == 0 else { return Self.bytes(left, right) }
        for start in stride(from: 0, to: left.count, by: length) {
            let result = order.compare(
                UnsafeRawBufferPointer(rebasing: left[start..<(start + length)]),
                UnsafeRawBufferPointer(rebasing: right[start..<(start + length)])
            )
            if result != 0 { return result }
        }
        return 0
    }
}

extension ByteCursor {
    /// A component of a collection or tuple: four bytes of length, below zero for null, which compares as no bytes.
    fileprivate mutating func component() throws(Fault) -> UnsafeRawBufferPointer {
        let count = try self.integer("the length", as: Int32.self)
        return self[try self.range(Int(max(0, count)), "the component")]
    }

    fileprivate mutating func isNullComponent() throws(Fault) -> Bool {
        let count = try self.integer("the length", as: Int32.self)
        try self.skip(Int(max(0, count)), "the component")
        return count < 0
    }
}
