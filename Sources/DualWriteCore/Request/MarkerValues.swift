import CQLProtocol
import CQLSyntax

/// The values of a request by the markers of its text.
struct MarkerValues {
    /// How the values are told apart.
    private enum Order {
        /// A value for each marker.
        case markers
        /// A value for each name: on ScyllaDB, markers of one name are one.
        case names
    }

    private let markers: [MarkerUse]
    private let values: QueryValues
    private let order: Order

    /// Nil where there are not as many values as the text wants, which no server takes.
    init?(_ values: QueryValues, of markers: [MarkerUse]) {
        self.markers = markers
        self.values = values
        switch values {
        case .named: self.order = .names
        case .positional, .none:
            if values.count == markers.count {
                self.order = .markers
            } else if values.count == Self.distinct(markers.map(\.name)).count {
                self.order = .names
            } else {
                return nil
            }
        }
    }

    /// Places of markers without a name, and of the first with each name.
    private static func distinct(_ names: [String?]) -> [Int] {
        var seen: Set<String> = []
        return names.indices.filter { index in names[index].map { seen.insert($0).inserted } ?? true }
    }

    /// The value of the marker with an index; nil where none was given.
    func value(of index: Int) -> BoundValue? {
        guard let place = self.place(of: index) else { return nil }
        switch self.values {
        case .none: return nil
        case .positional(let values): return values[place]
        case .named(let values): return values[place].value
        }
    }

    /// Where the value of a marker stands among the values.
    private func place(of index: Int) -> Int? {
        guard self.markers.indices.contains(index) else { return nil }
        let marker = self.markers[index]
        switch (self.values, self.order) {
        case (.none, _): return nil
        case (.positional, .markers): return index
        case (.positional, .names):
            return Self.distinct(self.markers.map(\.name)).firstIndex { place in
                place == index || marker.name != nil && self.markers[place].name == marker.name
            }
        case (.named(let values), _):
            guard let name = marker.serverName else { return nil }
            return values.firstIndex { $0.name == name }
        }
    }

    /// Whether changing the value of a marker would change that of another one.
    func isShared(_ index: Int) -> Bool {
        guard self.order == .names, self.markers.indices.contains(index), let name = self.markers[index].serverName
        else {
            return false
        }
        return self.markers.contains { $0.index != index && $0.serverName == name }
    }

    /// The values with another one for a marker.
    func replacing(_ index: Int, by value: BoundValue) -> QueryValues {
        guard let place = self.place(of: index) else { return self.values }
        switch self.values {
        case .none: return .none
        case .positional(var values):
            values[place] = value
            return .positional(values)
        case .named(var values):
            values[place].value = value
            return .named(values)
        }
    }

    /// The values for the markers of a changed text.
    ///
    /// - Parameter lives: of the markers that were put in, by index of their write.
    func values(for markers: [TimeToLiveText.Marker], lives: [Int: BoundValue]) -> QueryValues {
        func value(_ marker: TimeToLiveText.Marker) -> BoundValue {
            switch marker.origin {
            case .kept(let index): self.value(of: index) ?? .unset
            case .life(let write): lives[write] ?? .unset
            }
        }
        switch (self.values, self.order) {
        case (.named(let values), _):
            let added = markers.compactMap { marker -> QueryValues.Named? in
                guard case .life = marker.origin else { return nil }
                return QueryValues.Named(name: marker.name ?? MarkerUse.timeToLiveName, value: value(marker))
            }
            return .named(values + added)
        case (_, .markers): return Self.positional(markers.map(value))
        case (_, .names): return Self.positional(Self.distinct(markers.map(\.name)).map { value(markers[$0]) })
        }
    }

    /// The values of some of the markers, for a text in which only those are left.
    func keeping(_ kept: [Int]) -> QueryValues {
        switch (self.values, self.order) {
        case (.named(let values), _):
            let names = Set(kept.compactMap { self.markers[$0].serverName })
            let picked = values.filter { names.contains($0.name) }
            return picked.isEmpty ? .none : .named(picked)
        case (_, .markers): return Self.positional(kept.compactMap { self.value(of: $0) })
        case (_, .names):
            let places = Self.distinct(kept.map { self.markers[$0].name })
            return Self.positional(places.compactMap { self.value(of: kept[$0]) })
        }
    }

    private static func positional(_ values: [BoundValue]) -> QueryValues {
        values.isEmpty ? .none : .positional(values)
    }
}

extension MarkerUse {
    /// What a server calls the marker of `USING TTL ?`.
    static var timeToLiveName: String { "[ttl]" }

    /// The name by which a server knows the marker: its own, or that of what it is for. Nil where servers differ.
    fileprivate var serverName: String? {
        if let name = self.name { return name }
        return switch self.role {
        case .timeToLive: Self.timeToLiveName
        case .timestamp: "[timestamp]"
        case .json: "[json]"
        case .value, .keyEquality: self.isDirect ? self.column : nil
        case .keyIn, .restriction, .condition, .limit, .perPartitionLimit, .elementKey, .selector, .other: nil
        }
    }
}
