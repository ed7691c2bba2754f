/// What repeating a write to a column depends on.
public enum ColumnShape: Sendable, Hashable {
    /// A number to which writes add.
    case counter
    /// A list whose elements are cells of their own, under keys that the server makes up anew for each write.
    case list
    /// Anything else: writing it twice is writing it once. A frozen list is one value, too.
    case other

    /// The shape of a type as `system_schema.columns` writes it.
    public init(type: String) {
        self = type == "counter" ? .counter : type.hasPrefix("list<") ? .list : .other
    }
}

/// What is known of a table when its writes are judged: what repeating them depends on, and what they leave to the table.
public struct TableShape: Sendable, Hashable {
    /// A column of the partition key.
    public struct KeyColumn: Sendable, Hashable {
        /// Its name.
        public let name: String
        /// Its type, as `system_schema.columns` writes it.
        public let type: String

        /// A column of known parts.
        public init(name: String, type: String) {
            self.name = name
            self.type = type
        }
    }

    /// The shapes by column name.
    public var columns: [String: ColumnShape]
    /// The types of all columns by name, as `system_schema.columns` writes them; empty where they are not known.
    public var types: [String: String]
    /// The columns of the partition key, in its order; empty where they are not known.
    public var partitionKey: [KeyColumn]
    /// The names of the clustering columns, in their order.
    public var clusteringKey: [String]
    /// How long what is written without a TTL lives, in seconds; 0 is for ever.
    public var defaultTimeToLive: Int

    /// A table of known columns.
    public init(
        columns: [String: ColumnShape],
        types: [String: String] = [:],
        partitionKey: [KeyColumn] = [],
        clusteringKey: [String] = [],
        defaultTimeToLive: Int = 0
    ) {
        self.columns = columns
        self.types = types
        self.partitionKey = partitionKey
        self.clusteringKey = clusteringKey
        self.defaultTimeToLive = defaultTimeToLive
    }
}

/// A write to a column that may be repeated, and come in any order, or may not: by what the column is.
public struct ColumnWrite: Sendable, Hashable {
    /// What is done.
    public enum Effect: Sendable, Hashable {
        /// The whole column gets another value. A list keeps the elements of both writes where their timestamps are the same.
        case assign
        /// `c = c + …`.
        case add
        /// `c = … + c`.
        case prepend
        /// `c = c - …`. From a list it takes what is there when it runs.
        case subtract
        /// `c[…] = …`, which may be an index.
        case setElement
        /// `DELETE c[…]`, which may be an index.
        case deleteElement
        /// `INSERT … JSON`: any column of the table.
        case json
    }

    /// The column; nil for any.
    public let column: String?
    /// What is done.
    public let effect: Effect
    /// Whether the text alone says that a list or a counter is written.
    public let isCertain: Bool

    /// Whether doing it twice is more than doing it once, or doing it later is something else.
    ///
    /// - Parameter table: nil where nobody knows what the table has (yet); then the text counts, as it does for a column that is
    ///   not known.
    func repeats(in table: TableShape?) -> Bool {
        guard let table else { return self.repeatsByText }
        guard self.effect != .json else { return table.columns.values.contains(.list) }
        guard let shape = self.column.flatMap({ table.columns[$0] }) else { return self.repeatsByText }
        return switch (self.effect, shape) {
        case (_, .other), (.assign, .counter), (.deleteElement, .counter), (.setElement, .counter): false
        case (_, .list), (.prepend, .counter), (.add, .counter), (.subtract, .counter), (.json, _): true
        }
    }

    /// The same from the text alone: what is written with a marker is taken for no list, what is added with one for a list.
    var repeatsByText: Bool {
        switch self.effect {
        case .assign, .json, .setElement: self.isCertain
        case .add, .prepend, .subtract, .deleteElement: true
        }
    }
}
