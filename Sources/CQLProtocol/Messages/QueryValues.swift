/// The values of a QUERY or EXECUTE (native protocol v4 §4.1.4).
public enum QueryValues: Hashable, Sendable {
    /// One value with its name.
    public struct Named: Hashable, Sendable {
        /// The marker's name.
        public var name: String
        /// The value.
        public var value: BoundValue

        /// A named value.
        public init(name: String, value: BoundValue) {
            self.name = name
            self.value = value
        }
    }

    /// The values flag is not set.
    case none
    /// Values in the order of the markers.
    case positional([BoundValue])
    /// Values with names (flag 0x40).
    case named([Named])

    /// The number of values.
    public var count: Int {
        switch self {
        case .none: 0
        case .positional(let values): values.count
        case .named(let values): values.count
        }
    }
}
