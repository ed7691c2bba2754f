/// Reads the keys of a document that somebody has sent, and keeps every fault, so that all of them can be said at once.
struct DocumentReader {
    static var clusters: [String] { ["source", "target"] }
    static var reasonBytesMax: Int { 1_024 }
    static var faultsMax: Int { 20 }

    private let object: [String: JSONValue]
    private var faults: [String]

    init(_ object: [String: JSONValue], keys: [String]) {
        self.object = object
        self.faults = object.keys.sorted().filter { !keys.contains($0) }
            .map { Nearest.unknown("key", $0, among: keys) }
    }

    mutating func fault(_ text: String) { if self.faults.count < Self.faultsMax { self.faults.append(text) } }

    /// The faults of a document within this one.
    mutating func take(_ inner: DocumentReader, of place: String) {
        // One document has thousands of places; a few of them show what is wrong.
        for fault in inner.faults where self.faults.count < Self.faultsMax { self.faults.append("\(place): \(fault)") }
    }

    /// Whether there is a value.
    func has(_ key: String) -> Bool { self.object[key].map { $0 != .null } ?? false }

    /// Whatever stands there.
    func value(_ key: String) -> JSONValue? { self.object[key] }

    /// One of a few words, which must be there.
    mutating func choice(_ key: String, among words: [String]) -> String? {
        guard let value = self.object[key] else {
            self.fault("the key '\(key)' is missing")
            return nil
        }
        if case .string(let text) = value, words.contains(text) { return text }
        self.fault("\(key): must be \(words.joined(separator: " or "))")
        return nil
    }

    /// A text that may be left out, but not empty.
    mutating func text(_ key: String, bytesMax: Int) -> String? {
        switch self.object[key] {
        case nil, .null: return nil
        case .string(let text) where (1...bytesMax).contains(text.utf8.count): return text
        default:
            self.fault("\(key): must be a text of 1 to \(bytesMax) bytes")
            return nil
        }
    }

    /// Several texts, none of them empty; nil where the key is not there.
    mutating func texts(_ key: String, max: Int, bytesMax: Int) -> [String]? {
        switch self.object[key] {
        case nil, .null: return nil
        case .array(let values) where values.count <= max:
            let texts = values.compactMap { value -> String? in
                guard case .string(let text) = value, (1...bytesMax).contains(text.utf8.count) else { return nil }
                return text
            }
            if texts.count == values.count { return texts }
        default: break
        }
        self.fault("\(key): must be a list of at most \(max) texts of 1 to \(bytesMax) bytes")
        return nil
    }

    mutating func flag(_ key: String) -> Bool? {
        switch self.object[key] {
        case nil, .null: return nil
        case .bool(let value): return value
        default:
            self.fault("\(key): must be true or false")
            return nil
        }
    }

    /// A whole number; nil where the key is not there.
    mutating func number(_ key: String, in range: ClosedRange<Int>) -> Int? {
        switch self.object[key] {
        case nil, .null: return nil
        case .integer(let number) where range.contains(number): return number
        default:
            self.fault("\(key): must be a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
    }

    /// Whole numbers from 0 on, one at least; nil where the key is not there.
    mutating func numbers(_ key: String, max: Int) -> Set<UInt64>? {
        guard let value = self.object[key] else { return nil }
        if case .array(let values) = value, (1...max).contains(values.count) {
            let numbers = values.compactMap { value -> UInt64? in
                if case .integer(let number) = value { UInt64(exactly: number) } else { nil }
            }
            if numbers.count == values.count { return Set(numbers) }
        }
        self.fault("\(key): must be a list of 1 to \(max) whole numbers")
        return nil
    }

    /// Why somebody does it.
    mutating func reason(isNeeded: Bool) -> String? {
        switch self.object["reason"] {
        case nil, .null, .string(""):
            if isNeeded { self.fault("the key 'reason' is missing: it is kept in the log") }
            return nil
        case .string(let text) where text.utf8.count <= Self.reasonBytesMax: return text
        default:
            self.fault("reason: must be a text of at most \(Self.reasonBytesMax) bytes")
            return nil
        }
    }

    /// Throws where there was a fault.
    func finish() throws(AdminError) {
        guard self.faults.isEmpty else {
            throw AdminError(.invalidDocument, self.faults.joined(separator: "; "), hint: "Nothing was changed.")
        }
    }
}
