import CQLProtocol
import NIOCore

/// One form for each value, so that values are equal exactly where their forms are.
///
/// Two values of one type may have different bytes and still be the same to every client: numbers with bytes in front that say
/// nothing, NaN of another pattern, sets and maps in another order, tuples that stop before their last null. All else is
/// different where its bytes are: null and empty, -0.0 and 0.0, 1.0 and 1.00.
enum CanonicalValue {
    /// The form of a cell; nil for null. Bytes that are no value of the type stand for themselves.
    static func form(of cell: ByteBuffer?, as type: DataType) -> [UInt8]? {
        guard let cell else { return nil }
        switch type {
        case .float, .double, .boolean, .varint, .decimal, .duration, .list, .set, .map, .tuple, .udt:
            guard let value = try? CQLValue(decoding: cell, as: type) else { break }
            return self.form(of: value, as: type)
        case .custom, .native:
            break
        }
        return Array(cell.readableBytesView)
    }

    private static func form(of value: CQLValue, as type: DataType) -> [UInt8]? {
        switch (value, type) {
        case (.null, _): return nil
        case (.float(let number), _): return self.bytes((number.isNaN ? Float.nan : number).bitPattern)
        case (.double(let number), _): return self.bytes((number.isNaN ? Double.nan : number).bitPattern)
        case (.boolean(let flag), _): return [flag ? 1 : 0]
        case (.varint(let number), _): return self.shortest(number)
        case (.decimal(let number), _):
            return self.bytes(UInt32(bitPattern: number.scale)) + self.shortest(number.unscaled)
        case (.list(let elements), .list(let element)):
            return self.joined(elements.map { self.form(of: $0, as: element) })
        case (.set(let elements), .set(let element)):
            return self.joined(elements.map { self.form(of: $0, as: element) }.sorted(by: self.isBefore))
        case (.map(let entries), .map(let key, let value)):
            let pairs = entries.map {
                self.joined([self.form(of: $0.key, as: key), self.form(of: $0.value, as: value)])
            }
            return self.joined(pairs.sorted(by: self.isBefore))
        case (.tuple(let components), .tuple(let types)):
            return self.components(components, types)
        case (.tuple(let components), .udt(_, _, let fields)):
            return self.components(components, fields.map(\.type))
        default:
            // A decoded value of its own type always encodes.
            return (try? value.encoded(as: type)).flatMap { $0 }.map { Array($0.readableBytesView) }
        }
    }

    private static func components(_ values: [CQLValue], _ types: [DataType]) -> [UInt8] {
        var forms = zip(values, types).map { self.form(of: $0, as: $1) }
        while let last = forms.last, last == nil { forms.removeLast() }
        return self.joined(forms)
    }

    private static func shortest(_ number: Varint) -> [UInt8] {
        var rest = number.bytes[...]
        while rest.count > 1, let first = rest.first, let second = rest.dropFirst().first {
            guard first == 0 && second < 0x80 || first == 0xff && second >= 0x80 else { break }
            rest = rest.dropFirst()
        }
        return Array(rest)
    }

    private static func joined(_ forms: [[UInt8]?]) -> [UInt8] {
        forms.reduce(into: self.bytes(UInt32(truncatingIfNeeded: forms.count))) { all, form in
            all += self.bytes(form.map { UInt32(truncatingIfNeeded: $0.count) } ?? .max)
            all += form ?? []
        }
    }

    private static func isBefore(_ left: [UInt8]?, _ right: [UInt8]?) -> Bool {
        (left ?? []).lexicographicallyPrecedes(right ?? [])
    }

    private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}

extension DataType {
    /// The type under its one name: a known class is the type that it implements.
    var canonical: DataType {
        switch self {
        case .native(0x000a): .varchar
        case .native: self
        case .custom(let name): DataType(marshalClass: name).map(\.canonical) ?? self
        case .list(let element): .list(element.canonical)
        case .set(let element): .set(element.canonical)
        case .map(let key, let value): .map(key.canonical, value.canonical)
        case .tuple(let elements): .tuple(elements.map(\.canonical))
        case .udt(let keyspace, let name, let fields):
            .udt(keyspace: keyspace, name: name, fields: fields.map { Field(name: $0.name, type: $0.type.canonical) })
        }
    }
}
