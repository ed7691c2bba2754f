/// Puts cells together to the value that a read shows.
extension ColumnState {
    /// The value at a moment in seconds since 1970; `nil` is null.
    func value(of type: ValueType, at seconds: Int64) -> Bytes? {
        guard type.isComplex else {
            guard let cell = self.cells[[]], cell.isLive(at: seconds) else { return nil }
            return cell.value
        }
        let live = self.elements(of: type, at: seconds)
        guard !live.isEmpty else { return nil }
        switch type {
        case .list: return .collection(count: live.count, live.map(\.cell.value))
        case .set: return .collection(count: live.count, live.map(\.path))
        case .map: return .collection(count: live.count, live.flatMap { [$0.path, $0.cell.value] })
        case .udt(_, _, let fields):
            return .tuple(
                fields.indices.map { index in
                    live.first { $0.path == UInt16(truncatingIfNeeded: index).bytes }?.cell.value
                }
            )
        case .native, .tuple, .frozen: return nil
        }
    }

    /// The live cells of a column that is stored by element, in the order of its value.
    func elements(of type: ValueType, at seconds: Int64) -> [(path: Bytes, cell: Cell)] {
        let order: ValueType =
            switch type {
            case .list: .native("timeuuid")
            case .set(let element): element
            case .map(let key, _): key
            case .udt, .native, .tuple, .frozen: .native("blob")
            }
        return self.cells.filter { $0.value.isLive(at: seconds) }.map { (path: $0.key, cell: $0.value) }
            .sorted { order.compare($0.path, $1.path) < 0 }
    }
}
