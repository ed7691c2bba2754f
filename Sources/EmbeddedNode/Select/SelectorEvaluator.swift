import CQLProtocol
import CQLSyntax

/// Types, names and values of what a SELECT asks for.
struct SelectorEvaluator {
    let table: Table
    let bindings: Bindings

    func column(_ name: String) throws -> Column {
        guard let column = self.table.column(name) else {
            throw NodeError.invalid("Undefined column name \(name) in table \(self.table.keyspace).\(self.table.name)")
        }
        return column
    }

    // MARK: Types

    func type(of selector: Selector) throws -> ValueType {
        switch selector {
        case .column(let name): return try self.column(name).type
        case .countRows, .maxWriteTime: return .bigint
        case .writeTime(let inner): return try self.isManyCells(inner) ? .list(.bigint) : .bigint
        case .timeToLive(let inner): return try self.isManyCells(inner) ? .list(.int) : .int
        case .cast(_, let target), .typeHint(let target, _):
            return try self.bindings.schema.resolve(target, self.table.keyspace)
        case .function(let name, let arguments): return try self.resultType(name, arguments)
        case .field(let inner, let name):
            guard case .udt(_, _, let fields) = try self.type(of: inner).thawed,
                let field = fields.first(where: { $0.name == name })
            else { throw NodeError.invalid("Invalid field selection: it has no field \(name)") }
            return field.type
        case .element(let inner, _):
            switch try self.type(of: inner).thawed {
            case .map(_, let value): return value
            case .set(let element): return element
            default: throw NodeError.invalid("Invalid element selection: it is not a map or a set")
            }
        case .slice(let inner, _, _), .negated(let inner), .arithmetic(let inner, _, _): return try self.type(of: inner)
        case .term(.literal(let literal)): return .natural(literal)
        case .term(.typeHint(let hint, _)): return try self.bindings.schema.resolve(hint, self.table.keyspace)
        case .tuple(let parts): return .tuple(try parts.map { try self.type(of: $0) })
        case .term, .list, .set, .map, .userType: throw NodeError.unsupported("this selection")
        }
    }

    private func resultType(_ name: QualifiedName, _ arguments: [Selector]) throws -> ValueType {
        switch name.name {
        case "count": return .bigint
        case "min", "max", "sum", "avg":
            guard arguments.count == 1, let argument = arguments.first else {
                throw NodeError.invalid(
                    "Invalid number of arguments in call to function system.\(name.name): 1 required but "
                        + "\(arguments.count) provided"
                )
            }
            let type = try self.type(of: argument)
            return type.isCounter ? .bigint : type
        default:
            let function = ScalarFunction(name.name)
            let types = try arguments.enumerated().map { index, argument in
                try self.argumentType(function, index, argument)
            }
            guard let type = function.resultType(types) else {
                throw NodeError.invalid("Unknown function '\(name.name)'")
            }
            return type
        }
    }

    private func argumentType(_ function: ScalarFunction, _ index: Int, _ argument: Selector) throws -> ValueType {
        if case .term = argument, let type = try function.argumentType(index, returning: .text) { return type }
        return try self.type(of: argument)
    }

    // MARK: Names

    /// The name of a result column without alias.
    func name(of selector: Selector, text: String) -> String {
        switch selector {
        case .column(let name): name
        case .countRows: "count"
        case .writeTime(let inner): "writetime(\(self.name(of: inner, text: text)))"
        case .maxWriteTime(let inner): "maxwritetime(\(self.name(of: inner, text: text)))"
        case .timeToLive(let inner): "ttl(\(self.name(of: inner, text: text)))"
        case .function(let name, let arguments):
            self.call(name, arguments.map { self.name(of: $0, text: text) })
        case .field(let inner, let name): "\(self.name(of: inner, text: text)).\(name)"
        case .term(.literal(let literal)): literal.kind == .string ? "'\(literal.text)'" : literal.text
        default: text
        }
    }

    private func call(_ name: QualifiedName, _ arguments: [String]) -> String {
        "\(name.keyspace ?? "system").\(name.name)(\(arguments.joined(separator: ", ")))"
    }

    // MARK: Aggregates

    /// Whether anything in it is computed over several rows.
    func isAggregate(_ selector: Selector) -> Bool {
        switch selector {
        case .countRows: true
        case .function(let name, let arguments):
            ["count", "min", "max", "sum", "avg"].contains(name.name) || arguments.contains { self.isAggregate($0) }
        case .cast(let inner, _), .typeHint(_, let inner), .negated(let inner), .field(let inner, _):
            self.isAggregate(inner)
        case .arithmetic(let left, _, let right), .element(let left, let right):
            self.isAggregate(left) || self.isAggregate(right)
        default: false
        }
    }

    /// The value over a group of rows: aggregates take all of them, everything else the first.
    func value(of selector: Selector, over rows: [ReadRow]) throws -> Bytes? {
        guard self.isAggregate(selector) else {
            return try rows.first.flatMap { try self.value(of: selector, $0) }
        }
        switch selector {
        case .countRows: return Int64(rows.count).bytes
        case .function(let name, let arguments):
            guard ["count", "min", "max", "sum", "avg"].contains(name.name) else {
                let types = try arguments.map { try self.type(of: $0) }
                let values = try arguments.map { try self.value(of: $0, over: rows) }
                return try self.call(name, values, types)
            }
            guard let argument = arguments.first else { return Int64(rows.count).bytes }
            if name.name == "count", case .term = argument { return Int64(rows.count).bytes }
            let values = try rows.compactMap { try self.value(of: argument, $0) }
            return try self.aggregate(name.name, values, self.type(of: argument))
        case .cast(let inner, let target):
            let to = try self.bindings.schema.resolve(target, self.table.keyspace)
            let from = try self.type(of: inner)
            return try self.value(of: inner, over: rows).map { try Casting.cast($0, from, to) }
        case .arithmetic(let left, let sign, let right):
            guard let one = try self.value(of: left, over: rows), let other = try self.value(of: right, over: rows)
            else {
                return nil
            }
            return try Arithmetic.apply(sign, one, other, self.type(of: left))
        default: throw NodeError.unsupported("an aggregate in this place")
        }
    }

    private func aggregate(_ name: String, _ values: [Bytes], _ type: ValueType) throws -> Bytes? {
        switch name {
        case "count": return Int64(values.count).bytes
        case "min": return values.min { type.compare($0, $1) < 0 }
        case "max": return values.max { type.compare($0, $1) < 0 }
        default:
            guard case .native(let native) = type else {
                throw NodeError.invalid("Invalid call to function \(name), none of its type signatures match")
            }
            let zero =
                native == "float"
                ? Float(0).bitPattern.bytes
                : native == "double" ? Double(0).bitPattern.bytes : Arithmetic.bytes(0, native)
            let sum = try values.reduce(zero) { try Arithmetic.apply(.add, $0, $1, type) }
            guard name == "avg" else { return sum }
            let count: Bytes =
                switch native {
                case "float": Float(max(values.count, 1)).bitPattern.bytes
                case "double": Double(max(values.count, 1)).bitPattern.bytes
                default: Arithmetic.bytes(Int128(max(values.count, 1)), "bigint")
                }
            return try Arithmetic.apply(.divide, sum, count, type)
        }
    }

    // MARK: Values

    /// The value for one row; `nil` is null.
    func value(of selector: Selector, _ row: ReadRow) throws -> Bytes? {
        switch selector {
        case .column(let name): return row.value(try self.column(name))
        case .writeTime(let inner): return try self.times(of: inner, row) { $0.timestamp.bytes }
        case .maxWriteTime(let inner): return try self.timedCells(inner, row).compactMap { $0?.timestamp }.max()?.bytes
        case .timeToLive(let inner):
            return try self.times(of: inner, row) { cell in
                cell.expiresAt > 0 ? Int32(truncatingIfNeeded: cell.expiresAt - row.seconds).bytes : nil
            }
        case .cast(let inner, let target):
            let to = try self.bindings.schema.resolve(target, self.table.keyspace)
            let from = try self.type(of: inner)
            return try self.value(of: inner, row).map { try Casting.cast($0, from, to) }
        case .typeHint(_, let inner): return try self.value(of: inner, row)
        case .function(let name, let arguments): return try self.call(name, arguments, row)
        case .field(let inner, let name):
            guard case .udt(_, _, let fields) = try self.type(of: inner).thawed,
                let index = fields.firstIndex(where: { $0.name == name })
            else { return nil }
            let parts = try self.value(of: inner, row)?.parts(from: 0) ?? []
            return parts.indices.contains(index) ? parts[index] : nil
        case .element(let inner, let key): return try self.element(inner, key, row)
        case .arithmetic(let left, let sign, let right):
            let type = try self.type(of: left)
            guard let one = try self.value(of: left, as: type, row),
                let other = try self.value(of: right, as: type, row)
            else {
                return nil
            }
            return try Arithmetic.apply(sign, one, other, type)
        case .negated(let inner):
            return try self.value(of: inner, row).map { try Arithmetic.negate($0, self.type(of: inner)) }
        case .term(let term):
            return try self.bindings.evaluate(term, as: self.type(of: selector), for: "[selection]").bytes
        case .tuple(let parts): return .tuple(try parts.map { try self.value(of: $0, row) })
        case .countRows, .slice, .list, .set, .map, .userType: throw NodeError.unsupported("this selection")
        }
    }

    func value(of selector: Selector, as type: ValueType, _ row: ReadRow) throws -> Bytes? {
        if case .term(let term) = selector {
            return try self.bindings.evaluate(term, as: type, for: "[selection]").bytes
        }
        return try self.value(of: selector, row)
    }

    private func element(_ inner: Selector, _ key: Selector, _ row: ReadRow) throws -> Bytes? {
        let whole = try self.value(of: inner, row)
        switch try self.type(of: inner).thawed {
        case .map(let keyType, _):
            guard let wanted = try self.value(of: key, as: keyType, row) else { return nil }
            return Elements.entry(wanted, of: whole, keyType)
        case .set(let type):
            guard let wanted = try self.value(of: key, as: type, row) else { return nil }
            return (whole?.parts(from: 4) ?? []).contains(wanted) ? wanted : nil
        default: return nil
        }
    }

    private func call(_ name: QualifiedName, _ arguments: [Selector], _ row: ReadRow) throws -> Bytes? {
        if name.name == "token" {
            let key = try zip(arguments, self.table.partitionKey).map { try self.value(of: $0, as: $1.type, row) ?? [] }
            return Table.serialize(key).withUnsafeBytes { Murmur3Partitioner.token(of: $0) }.bytes
        }
        let function = ScalarFunction(name.name)
        let types = try arguments.enumerated().map { try self.argumentType(function, $0.offset, $0.element) }
        let values = try zip(arguments, types).map { try self.value(of: $0, as: $1, row) }
        return try self.call(name, values, types)
    }

    private func call(_ name: QualifiedName, _ values: [Bytes?], _ types: [ValueType]) throws -> Bytes? {
        let function = ScalarFunction(name.name)
        let type = function.resultType(types) ?? .text
        return try function.call(values, types, returning: type, now: self.bindings.now)
    }
}
