/// A string-keyed map in the order of the wire, so that it is encoded as it was decoded (native protocol v4 §3,
/// [string map], [string multimap], [bytes map]).
public struct WireMap<Value: Hashable & Sendable>: Hashable, Sendable {
    /// One pair of the map.
    public struct Pair: Hashable, Sendable {
        /// The key.
        public var key: String
        /// The value.
        public var value: Value

        /// A pair.
        public init(key: String, value: Value) {
            self.key = key
            self.value = value
        }
    }

    /// The pairs in order.
    public var pairs: [Pair]

    /// A map of these pairs.
    public init(_ pairs: [Pair] = []) { self.pairs = pairs }

    /// The first value of a key; setting replaces it in place, appends, or (with `nil`) removes.
    public subscript(key: String) -> Value? {
        get { pairs.first { $0.key == key }?.value }
        set {
            let index = pairs.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): pairs[index].value = value
            case (let index?, nil): pairs.remove(at: index)
            case (nil, let value?): pairs.append(Pair(key: key, value: value))
            case (nil, nil): break
            }
        }
    }

    /// The keys in order.
    public var keys: [String] { pairs.map(\.key) }
    /// Whether there is no pair.
    public var isEmpty: Bool { pairs.isEmpty }
    /// The number of pairs.
    public var count: Int { pairs.count }
}

extension WireMap: ExpressibleByDictionaryLiteral {
    /// A map written as a literal; the order of the literal is kept.
    public init(dictionaryLiteral elements: (String, Value)...) {
        self.init(elements.map { Pair(key: $0.0, value: $0.1) })
    }
}
