public import CQLProtocol
import CQLSyntax

/// Where a SELECT says whose rows it reads, and whether these are tenants that go ahead of their table.
///
/// Made once per statement and list of overrides; what is asked of each execution is a look at its values. What cannot be decided
/// (null, unset, calls of functions, markers without a value) is no tenant that goes ahead: both clusters have everything, and
/// everybody else's reads are answered by the table's own.
public struct CanaryPlan: Sendable {
    /// One relation that fixes the column, as far as values decide about it.
    private struct Test: Sendable {
        /// The markers that each must hold one of the values.
        var markers: [Int] = []
        /// The marker that must hold a list of them.
        var list: Int?
        let values: CanaryValues

        /// - Parameter value: shows the value of a marker; false where there is none.
        func isMet(_ value: (_ marker: Int, _ look: (UnsafeRawBufferPointer) -> Bool) -> Bool) -> Bool {
            for marker in self.markers where !value(marker, { self.values.contains($0) }) { return false }
            guard let list else { return true }
            return value(list) { self.values.containsAll(ofList: $0) }
        }
    }

    private let markers: [MarkerUse]
    private var tests: [Test] = []
    /// Whether every execution is of a tenant that goes ahead.
    private var isAlways = false

    init(markers: [MarkerUse]) { self.markers = markers }

    var isEmpty: Bool { self.tests.isEmpty && !self.isAlways }

    /// The verdict where no value changes it.
    public var constant: Bool? { self.isAlways ? true : self.tests.isEmpty ? false : nil }

    /// Adds the relations of a WHERE that fix a column. They all hold at once, so one of them is enough.
    mutating func add(_ selection: Selection, _ column: String, _ type: String, _ values: CanaryValues) {
        for equality in selection.equalities where equality.column == column {
            self.add([equality.term], type, values)
        }
        for membership in selection.memberships where membership.column == column {
            switch membership.values {
            case .list(let terms): self.add(terms, type, values)
            case .marker(let marker): self.tests.append(Test(list: marker.index, values: values))
            }
        }
    }

    private mutating func add(_ terms: [Term], _ type: String, _ values: CanaryValues) {
        var test = Test(values: values)
        for term in terms {
            switch Self.plain(term) {
            case .marker(let marker): test.markers.append(marker.index)
            case .literal(let literal):
                guard let bytes = LiteralEncoding.bytes(of: literal, as: type), values.contains(bytes) else { return }
            default: return
            }
        }
        if !test.markers.isEmpty {
            self.tests.append(test)
        } else if !terms.isEmpty {
            self.isAlways = true
        }
    }

    private static func plain(_ term: Term) -> Term {
        if case .typeHint(_, let operand) = term { Self.plain(operand) } else { term }
    }

    /// Whether an EXECUTE reads rows of tenants that go ahead.
    ///
    /// - Parameter bytes: its values by position: their number, then each with its length (native protocol v4 §4.1.4).
    /// - Returns: nil where there is not one value for each marker; then ``isMet(by:)`` tells.
    public func isMet(byValuesIn bytes: UnsafeRawBufferPointer) -> Bool? {
        if let constant { return constant }
        guard bytes.count >= 2, Int(UInt16(bigEndian: bytes.loadUnaligned(as: UInt16.self))) == self.markers.count
        else { return nil }
        return self.tests.contains { test in
            test.isMet { marker, look in
                guard case .bytes(let value) = PositionalValue(at: marker, in: bytes) else { return false }
                return look(value)
            }
        }
    }

    /// Whether a request with these values reads rows of tenants that go ahead.
    public func isMet(by values: QueryValues) -> Bool {
        if let constant { return constant }
        guard let bound = MarkerValues(values, of: self.markers) else { return false }
        return self.tests.contains { test in
            test.isMet { marker, look in bound.value(of: marker)?.bytes?.withUnsafeBytes(look) ?? false }
        }
    }
}
