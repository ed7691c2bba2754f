import CQLProtocol
import CQLSyntax

/// A value that a statement was given: bytes, null, or left as it is.
enum Value: Equatable {
    case bytes(Bytes)
    case null
    case unset

    var bytes: Bytes? {
        if case .bytes(let bytes) = self { return bytes }
        return nil
    }
}

/// The values of a statement's bind markers, the clock of its execution, and the evaluation of its terms.
struct Bindings {
    let values: QueryValues
    /// Microseconds.
    let now: Int64

    func value(of marker: BindMarker) throws -> Value {
        let bound: BoundValue?
        switch self.values {
        case .none: bound = nil
        case .positional(let values): bound = marker.index < values.count ? values[marker.index] : nil
        case .named(let named):
            bound = named.first { $0.name == marker.name }?.value
        }
        switch bound {
        case nil: throw NodeError.invalid("Invalid amount of bind variables")
        case .value(let buffer): return .bytes(buffer.bytes)
        case .null: return .null
        case .unset: return .unset
        }
    }

    func evaluate(_ term: Term, as type: ValueType, for name: String) throws -> Value {
        switch term {
        case .null: return .null
        case .marker(let marker):
            let value = try self.value(of: marker)
            try self.check(value, type, name)
            return value
        case .literal(let literal): return .bytes(try type.encode(literal, for: name))
        case .typeHint(_, let inner): return try self.evaluate(inner, as: type, for: name)
        case .list(let terms), .set(let terms), .tuple(let terms):
            return .bytes(try self.collection(terms, as: type.thawed, for: name))
        case .map(let entries):
            guard case .map(let key, let value) = type.thawed else { throw self.mismatch("map", type, name) }
            let pairs = try entries.map {
                (try self.required($0.key, as: key, for: name), try self.required($0.value, as: value, for: name))
            }.sorted { key.compare($0.0, $1.0) < 0 }
            return .bytes(.collection(count: pairs.count, pairs.flatMap { [$0.0, $0.1] }))
        case .userType(let entries):
            guard case .udt(_, _, let fields) = type.thawed else { throw self.mismatch("user type", type, name) }
            return .bytes(
                .tuple(
                    try fields.map { field in
                        guard let entry = entries.first(where: { $0.name == field.name }) else { return nil }
                        return try self.evaluate(entry.value, as: field.type, for: field.name).bytes
                    }
                )
            )
        case .function(let call): return try self.call(call, as: type, for: name)
        case .cast, .arithmetic, .negated: throw NodeError.unsupported("arithmetic in a value")
        }
    }

    func required(_ term: Term, as type: ValueType, for name: String) throws -> Bytes {
        switch try self.evaluate(term, as: type, for: name) {
        case .bytes(let bytes): return bytes
        case .null: throw NodeError.invalid("Invalid null value in condition for column \(name)")
        case .unset: throw NodeError.invalid("Invalid unset value for column \(name)")
        }
    }

    private func mismatch(_ what: String, _ type: ValueType, _ name: String) -> NodeError {
        .invalid("Invalid \(what) literal for \(name) of type \(type.description)")
    }

    private func collection(_ terms: [Term], as type: ValueType, for name: String) throws -> Bytes {
        switch type {
        case .list(let element):
            return .collection(count: terms.count, try terms.map { try self.required($0, as: element, for: name) })
        case .set(let element):
            var elements: [Bytes] = []
            for term in terms {
                let bytes = try self.required(term, as: element, for: name)
                if !elements.contains(bytes) { elements.append(bytes) }
            }
            return .collection(count: elements.count, elements.sorted { element.compare($0, $1) < 0 })
        case .map where terms.isEmpty: return .collection(count: 0, [])
        case .tuple(let types) where terms.count <= types.count:
            return .tuple(try zip(terms, types).map { try self.evaluate($0, as: $1, for: name).bytes })
        default: throw self.mismatch("collection", type, name)
        }
    }

    private func call(_ call: FunctionCall, as type: ValueType, for name: String) throws -> Value {
        switch call.name.name {
        case "now", "currenttimeuuid", "current_timeuuid": return .bytes(Clock.timeUUID(ticks: self.now * 10))
        case "uuid": return .bytes(Clock.randomUUID())
        case "currenttimestamp", "current_timestamp": return .bytes((self.now / 1000).bytes)
        case "currentdate", "current_date":
            return .bytes(UInt32(truncatingIfNeeded: self.now / 86_400_000_000 + (1 << 31)).bytes)
        case "totimestamp", "to_timestamp", "dateof":
            guard let argument = call.arguments.first else { break }
            return .bytes(
                Clock.milliseconds(of: try self.required(argument, as: .native("timeuuid"), for: name)).bytes
            )
        case "token":
            guard case .bigint = type else { break }
            throw NodeError.unsupported("token() in a value")
        default: break
        }
        throw NodeError.unsupported("function \(call.name.name)")
    }

    private func check(_ value: Value, _ type: ValueType, _ name: String) throws {
        guard case .bytes(let bytes) = value, case .native(let native) = type.thawed else { return }
        let expected: Int? =
            switch native {
            case "int", "float", "date": 4
            case "bigint", "counter", "double", "timestamp", "time": 8
            case "uuid", "timeuuid": 16
            case "smallint": 2
            case "tinyint", "boolean": 1
            default: nil
            }
        guard let expected, bytes.count != expected, !bytes.isEmpty || native == "counter" else { return }
        throw NodeError.invalid("Expected \(expected) or 0 byte \(native) (\(bytes.count)) for column \(name)")
    }
}
