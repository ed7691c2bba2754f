import CQLProtocol
import SSTable

/// Whether values of SSTables are values of the target's columns, byte for byte.
struct TypeFit {
    /// The user-defined types of the target's keyspace: their fields in their order.
    let types: [String: [(name: String, type: TypeText)]]

    /// Whether every value of a column of an SSTable is one of the target's type.
    func fits(_ source: ColumnType, _ target: TypeText) -> Bool {
        if let vector = source.vector {
            return target.name == "vector" && target.parameters.count == 2
                && self.fits(vector.element, target.parameters[0])
                && target.parameters[1].name == "\(vector.dimension)"
        }
        return self.fits(source.dataType, target)
    }

    private func fits(_ source: DataType, _ target: TypeText) -> Bool {
        switch source {
        case .native: return Self.fitsNative(source.description, target)
        case .list(let element): return self.fits([element], "list", target)
        case .set(let element): return self.fits([element], "set", target)
        case .map(let key, let value): return self.fits([key, value], "map", target)
        case .tuple(let elements): return self.fits(elements, "tuple", target)
        case .udt(_, _, let fields):
            // Fields are found by their place; a type that was given more of them since still fits.
            guard let own = self.types[target.name], own.count >= fields.count else { return false }
            return zip(fields, own).allSatisfy { $0.name == $1.name && self.fits($0.type, $1.type) }
        case .custom(let name):
            if source == .durationClass { return target.name == "duration" }
            return target.name == name || target.name == "vector" && name.contains(".VectorType(")
        }
    }

    private func fits(_ elements: [DataType], _ name: String, _ target: TypeText) -> Bool {
        target.name == name && target.parameters.count == elements.count
            && zip(elements, target.parameters).allSatisfy { self.fits($0, $1) }
    }

    private static func fitsNative(_ name: String, _ target: TypeText) -> Bool {
        let (source, target) = (name == "varchar" ? "text" : name, target.name == "varchar" ? "text" : target.name)
        switch (source, target) {
        case ("ascii", "text"), ("timeuuid", "uuid"): return true
        default: return source == target
        }
    }
}
