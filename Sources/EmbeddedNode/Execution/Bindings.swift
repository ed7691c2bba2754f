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
    let schema: Schema
    let values: QueryValues
    /// The keyspace whose types a text may name without keyspace.
    let keyspace: String
    /// Microseconds since 1970.
    let now: Int64
    /// Whether a read may ask for the times of elements, as on Cassandra from 5.0 on (CASSANDRA-8877).
    var hasElementTimes = false

    func value(of marker: BindMarker) throws -> Value {
        let bound: BoundValue?
        switch self.values {
        case .none: bound = nil
        case .positional(let values): bound = marker.index < values.count ? values[marker.index] : nil
        case .named(let named): bound = named.first { $0.name == marker.name }?.value
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
            guard case .bytes(let bytes) = value else { return value }
            return .bytes(try type.validated(bytes, for: name))
        case .literal(let literal): return .bytes(try type.encode(literal, for: name))
        case .typeHint(let hint, let inner):
            return try self.evaluate(inner, as: self.schema.resolve(hint, self.keyspace), for: name)
        case .list(let terms), .set(let terms), .tuple(let terms):
            return .bytes(try self.collection(terms, as: type.thawed, for: name))
        case .map(let entries):
            guard case .map(let key, let value) = type.thawed else { throw self.mismatch("map", type, name) }
            let pairs = try entries.map {
                (try self.required($0.key, as: key, for: name), try self.required($0.value, as: value, for: name))
            }.sorted { key.compare($0.0, $1.0) < 0 }
            return .bytes(.collection(count: pairs.count, pairs.flatMap { [$0.0, $0.1] }))
        case .userType(let entries): return .bytes(try self.userType(entries, type, name))
        case .function(let call): return try self.call(call, as: type, for: name)
        case .cast(let inner, let target):
            let to = try self.schema.resolve(target, self.keyspace)
            let from = try self.type(of: inner)
            guard let bytes = try self.evaluate(inner, as: from, for: name).bytes else { return .null }
            return .bytes(try Casting.cast(bytes, from, to))
        case .arithmetic(let left, let sign, let right):
            guard let one = try self.evaluate(left, as: type, for: name).bytes,
                let other = try self.evaluate(right, as: type, for: name).bytes
            else { return .null }
            return .bytes(try Arithmetic.apply(sign, one, other, type))
        case .negated(let inner):
            guard let bytes = try self.evaluate(inner, as: type, for: name).bytes else { return .null }
            return .bytes(try Arithmetic.negate(bytes, type))
        }
    }

    func required(_ term: Term, as type: ValueType, for name: String) throws -> Bytes {
        switch try self.evaluate(term, as: type, for: name) {
        case .bytes(let bytes): return bytes
        case .null: throw NodeError.invalid("Invalid null value for column \(name)")
        case .unset: throw NodeError.invalid("Invalid unset value for column \(name)")
        }
    }

    /// The values of `IN (…)` or of the list that `IN ?` is given, without repetitions.
    func values(_ values: InValues, as type: ValueType, for name: String) throws -> [Bytes] {
        var result: [Bytes] = []
        switch values {
        case .list(let terms):
            for term in terms { result.append(try self.required(term, as: type, for: name)) }
        case .marker(let marker):
            let list = try self.required(.marker(marker), as: .list(type), for: "in(\(name))")
            for part in list.parts(from: 4) ?? [] {
                guard let part else { throw NodeError.invalid("Invalid null value for column \(name)") }
                result.append(part)
            }
        }
        var seen: Set<Bytes> = []
        return result.filter { seen.insert($0).inserted }
    }

    /// The type that a term has by itself.
    private func type(of term: Term) throws -> ValueType {
        switch term {
        case .typeHint(let hint, _), .cast(_, let hint): return try self.schema.resolve(hint, self.keyspace)
        case .function(let call):
            // The name says it, whatever a marker among the arguments may be.
            let types = call.arguments.compactMap { try? self.type(of: $0) }
            guard let type = ScalarFunction(call.name.name).resultType(types) else {
                throw NodeError.invalid("Unknown function '\(call.name.name)'")
            }
            return type
        case .literal(let literal): return ValueType.natural(literal)
        case .arithmetic(let left, _, _), .negated(let left): return try self.type(of: left)
        case .null, .marker, .list, .set, .map, .userType, .tuple:
            throw NodeError.invalid("Cannot infer the type of a term, add a type hint")
        }
    }

    private func mismatch(_ what: String, _ type: ValueType, _ name: String) -> NodeError {
        .invalid("Invalid \(what) literal for \(name) of type \(type.description)")
    }

    private func userType(_ entries: [FieldEntry], _ type: ValueType, _ name: String) throws -> Bytes {
        guard case .udt(_, let typeName, let fields) = type.thawed else { throw self.mismatch("user type", type, name) }
        if let unknown = entries.first(where: { entry in !fields.contains { $0.name == entry.name } }) {
            throw NodeError.invalid("Unknown field '\(unknown.name)' in value of user defined type \(typeName)")
        }
        return .tuple(
            try fields.map { field in
                guard let entry = entries.first(where: { $0.name == field.name }) else { return nil }
                return try self.evaluate(entry.value, as: field.type, for: field.name).bytes
            }
        )
    }

    private func collection(_ terms: [Term], as type: ValueType, for name: String) throws -> Bytes {
        switch type {
        case .list(let element):
            return .collection(count: terms.count, try terms.map { try self.required($0, as: element, for: name) })
        case .set(let element):
            var elements: Set<Bytes> = []
            for term in terms { elements.insert(try self.required(term, as: element, for: name)) }
            return .collection(count: elements.count, elements.sorted { element.compare($0, $1) < 0 })
        case .map where terms.isEmpty: return .collection(count: 0, [])
        case .tuple(let types) where terms.count <= types.count:
            return .tuple(try zip(terms, types).map { try self.evaluate($0, as: $1, for: name).bytes })
        default: throw self.mismatch("collection", type, name)
        }
    }

    private func call(_ call: FunctionCall, as type: ValueType, for name: String) throws -> Value {
        let function = ScalarFunction(call.name.name)
        var types: [ValueType] = []
        var arguments: [Bytes?] = []
        for (index, argument) in call.arguments.enumerated() {
            // A call has a type of its own; functions such as toTimestamp are there for several.
            let own: ValueType? = if case .function = argument { try self.type(of: argument) } else { nil }
            let expected = try own ?? function.argumentType(index, returning: type) ?? self.type(of: argument)
            types.append(expected)
            arguments.append(try self.evaluate(argument, as: expected, for: name).bytes)
        }
        if let result = function.resultType(types), call.name.name != "fromjson", !type.thawed.mayHold(result.thawed) {
            throw NodeError.invalid(
                "Type error: cannot assign result of function system.\(call.name.name) (type \(result.description))"
                    + " to \(name) (type \(type.description))"
            )
        }
        guard let result = try function.call(arguments, types, returning: type, now: self.now) else { return .null }
        return .bytes(result)
    }
}
