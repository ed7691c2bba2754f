import CQLProtocol

/// Values in a form that is the same for all encodings of one value, so that a hash of it can stand for a comparison.
///
/// What ``ValueOrder/areEqual(_:_:as:)`` calls different never has the same form: that would hide a difference. The other way
/// round would merely open a range for nothing; it holds, too, for all that servers send. Each value has its length before it,
/// so that no two sequences of values look alike. Pure.
struct CanonicalBytes: Sendable {
    typealias Bytes = UnsafeRawBufferPointer

    /// What was added so far.
    var bytes: [UInt8] = []

    /// Forgets everything, and keeps the room.
    mutating func removeAll() { self.bytes.removeAll(keepingCapacity: true) }

    /// Adds one byte that says what follows.
    mutating func append(mark: UInt8) { self.bytes.append(mark) }

    /// Adds a number of fixed width.
    mutating func append(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.bigEndian) { self.bytes.append(contentsOf: $0) }
    }

    /// Adds bytes that are equal to no other ones.
    mutating func append(exact value: Bytes) {
        self.append(UInt32(truncatingIfNeeded: value.count))
        self.bytes.append(contentsOf: value)
    }

    /// Adds a value of a type; nil is null.
    ///
    /// - Parameter sorts: whether the order of the elements of sets and maps does not matter, as for values; for what has a
    ///   place in an order, clustering columns and keys of elements, it does.
    mutating func append(_ value: Bytes?, _ type: DataType, sorts: Bool) {
        guard let value else { return self.append(UInt32.max) }
        guard !Self.isExact(type) else { return self.append(exact: value) }
        // The length of what follows is known behind it.
        let place = self.bytes.count
        self.append(UInt32(0))
        self.appendContent(value, type, sorts: sorts)
        let length = UInt32(truncatingIfNeeded: self.bytes.count - place - 4)
        for index in 0..<4 { self.bytes[place + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index)) }
    }

    /// Whether values of a type are equal where their bytes are, and only there.
    static func isExact(_ type: DataType) -> Bool {
        switch type {
        case .boolean, .float, .double, .varint, .decimal: return false
        case .native: return true
        case .custom(let name): return DataType(marshalClass: name).map { Self.isExact($0) } ?? true
        case .list(let element): return Self.isExact(element)
        case .set, .map, .tuple, .udt: return false
        }
    }

    private mutating func appendContent(_ value: Bytes, _ type: DataType, sorts: Bool) {
        switch type {
        case .custom(let name):
            guard let known = DataType(marshalClass: name) else { return self.bytes.append(contentsOf: value) }
            self.appendContent(value, known, sorts: sorts)
        case .list(let element): self.append(value, elements: [element], isSorted: false, sorts: sorts)
        case .set(let element): self.append(value, elements: [element], isSorted: true, sorts: sorts)
        case .map(let key, let content): self.append(value, elements: [key, content], isSorted: true, sorts: sorts)
        case .tuple(let types): self.append(value, components: types, sorts: sorts)
        case .udt(_, _, let fields): self.append(value, components: fields.map(\.type), sorts: sorts)
        case .boolean where value.count == 1: self.bytes.append(value[0] == 0 ? 0 : 1)
        case .float where value.count == 4:
            let number = Float(bitPattern: ValueOrder.load(value))
            self.append(number.isNaN ? Float.nan.bitPattern : number.bitPattern)
        case .double where value.count == 8:
            let number = Double(bitPattern: ValueOrder.load(value))
            self.append(number.isNaN ? Double.nan.bitPattern : number.bitPattern)
        case .varint where !value.isEmpty: self.bytes.append(contentsOf: NumberOrder.shortened(value))
        case .decimal where value.count > 4: self.append(decimal: value)
        default: self.bytes.append(contentsOf: value)
        }
    }

    /// A number as its sign, the place of its first digit, and its digits without zeros at either end.
    private mutating func append(decimal value: Bytes) {
        let scale: Int32 = ValueOrder.load(value)
        let number = NumberOrder.Magnitude(Bytes(rebasing: value[4...]))
        // A longer form than any that has no digits at all: bytes of up to four are no number.
        self.append(Int64(number.sign))
        guard number.sign != 0 else { return }
        self.append(Int64(number.digits.count) - Int64(scale))
        let end = number.digits.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0
        self.bytes.append(contentsOf: number.digits[..<end])
    }

    private mutating func append(_ value: Bytes, elements types: [DataType], isSorted: Bool, sorts: Bool) {
        guard let elements = ValueOrder.elements(value, width: types.count) else {
            self.append(mark: 0)
            return self.bytes.append(contentsOf: value)
        }
        self.append(mark: 1)
        guard isSorted, sorts else {
            for element in elements {
                for (part, type) in zip(element, types) { self.append(part, type, sorts: sorts) }
            }
            return
        }
        let forms = elements.map { element in
            var form = CanonicalBytes()
            for (part, type) in zip(element, types) { form.append(part, type, sorts: sorts) }
            return form.bytes
        }
        for form in forms.sorted(by: { $0.lexicographicallyPrecedes($1) }) { self.bytes.append(contentsOf: form) }
    }

    private mutating func append(_ value: Bytes, components types: [DataType], sorts: Bool) {
        var rest = value[...]
        // Components that are null at the end may be missing as well: they are added when another one follows.
        var nulls = 0
        let start = self.bytes.count
        self.append(mark: 1)
        for type in types {
            guard !rest.isEmpty else { break }
            guard let component = ValueOrder.next(&rest, orNull: true) else {
                self.bytes.removeSubrange(start...)
                self.append(mark: 0)
                return self.bytes.append(contentsOf: value)
            }
            guard let component else {
                nulls += 1
                continue
            }
            for _ in 0..<nulls { self.append(nil, type, sorts: sorts) }
            nulls = 0
            self.append(component, type, sorts: sorts)
        }
        guard !rest.isEmpty else { return }
        // What no component of the type is.
        for _ in 0..<nulls { self.append(UInt32.max) }
        self.append(UInt32.max - 1)
        self.bytes.append(contentsOf: rest)
    }
}
