/// A collection or user-defined type as the cells that it is stored in.
enum Elements {
    /// Path and value of each element: list elements get time UUIDs from `ticks` of 100 ns on, sets keep the element as path.
    static func split(_ value: Bytes, _ type: ValueType, ticks: Int64) -> [(path: Bytes, value: Bytes)] {
        switch type {
        case .list:
            return (value.parts(from: 4) ?? []).enumerated().map { index, part in
                (Clock.timeUUID(ticks: ticks + Int64(index)), part ?? [])
            }
        case .set: return (value.parts(from: 4) ?? []).map { ($0 ?? [], []) }
        case .map:
            let parts = value.parts(from: 4) ?? []
            return stride(from: 0, to: parts.count - 1, by: 2).map { (parts[$0] ?? [], parts[$0 + 1] ?? []) }
        case .udt:
            return (value.parts(from: 0) ?? []).enumerated().compactMap { index, part in
                part.map { (UInt16(truncatingIfNeeded: index).bytes, $0) }
            }
        case .native, .tuple, .frozen: return [([], value)]
        }
    }

    /// The value of a key in a map; `nil` where it has none.
    static func entry(_ key: Bytes, of map: Bytes?, _ type: ValueType) -> Bytes? {
        let parts = map?.parts(from: 4) ?? []
        for index in stride(from: 0, to: parts.count - 1, by: 2) {
            if let part = parts[index], type.compare(part, key) == 0 { return parts[index + 1] }
        }
        return nil
    }
}
