import CQLProtocol

/// Values that have values in them (native protocol v4 §6).
extension ValueOrder {
    /// `ListType.compareListOrSet` and `MapType.compareMaps`: element by element, then the shorter one first.
    ///
    /// - Parameter isSorted: whether the order of its elements is none of the value's; a server keeps it by their type, but some
    ///   have kept what a client sent.
    static func collection(
        _ left: Bytes,
        _ right: Bytes,
        _ types: [DataType],
        isEquality: Bool,
        isSorted: Bool
    ) -> Int {
        guard var one = Self.elements(left, width: types.count), var other = Self.elements(right, width: types.count)
        else { return Self.unsigned(left, right) }
        func compare(_ one: [Bytes?], _ other: [Bytes?]) -> Int {
            for (index, type) in types.enumerated() {
                let order = Self.nullable(one[index], other[index], type, isEquality: isEquality)
                if order != 0 { return order }
            }
            return 0
        }
        if isEquality, one.count != other.count { return one.count - other.count }
        if isEquality, isSorted {
            one.sort { compare($0, $1) < 0 }
            other.sort { compare($0, $1) < 0 }
        }
        for (left, right) in zip(one, other) {
            let order = compare(left, right)
            if order != 0 { return order }
        }
        return one.count - other.count
    }

    /// `TupleType`: component by component, null first; what is missing at the end is null.
    static func components(_ left: Bytes, _ right: Bytes, _ types: [DataType], isEquality: Bool) -> Int {
        var (one, other) = (left[...], right[...])
        for type in types {
            guard !one.isEmpty || !other.isEmpty else { return 0 }
            guard let left = Self.next(&one, orNull: true), let right = Self.next(&other, orNull: true) else {
                return Self.unsigned(left, right)
            }
            let order = Self.nullable(left, right, type, isEquality: isEquality)
            if order != 0 { return order }
        }
        return Self.unsigned(Bytes(rebasing: one), Bytes(rebasing: other))
    }

    private static func nullable(_ left: Bytes?, _ right: Bytes?, _ type: DataType, isEquality: Bool) -> Int {
        guard let left, let right else { return (left == nil ? 0 : 1) - (right == nil ? 0 : 1) }
        return Self.compare(left, right, type, isEquality: isEquality)
    }

    /// The elements, of a map key and value together; nil for bytes that are no collection.
    static func elements(_ bytes: Bytes, width: Int) -> [[Bytes?]]? {
        guard bytes.count >= 4 else { return nil }
        let claimed: Int32 = Self.load(bytes)
        guard claimed >= 0, Int(claimed) * width <= (bytes.count - 4) / 4 else { return nil }
        var rest = bytes[4...]
        var elements: [[Bytes?]] = []
        elements.reserveCapacity(Int(claimed))
        for _ in 0..<claimed {
            var parts: [Bytes?] = []
            for _ in 0..<width {
                guard let part = Self.next(&rest, orNull: false) else { return nil }
                parts.append(part)
            }
            elements.append(parts)
        }
        return rest.isEmpty ? elements : nil
    }

    /// The next one, perhaps null; nil where the bytes are not whole.
    static func next(_ rest: inout Slice<Bytes>, orNull: Bool) -> Bytes?? {
        if rest.isEmpty { return orNull ? .some(nil) : nil }
        guard rest.count >= 4 else { return nil }
        let length: Int32 = Self.load(Bytes(rebasing: rest.prefix(4)))
        rest = rest.dropFirst(4)
        if length < 0 { return .some(nil) }
        guard rest.count >= Int(length) else { return nil }
        let bytes = Bytes(rebasing: rest.prefix(Int(length)))
        rest = rest.dropFirst(Int(length))
        return .some(bytes)
    }
}
