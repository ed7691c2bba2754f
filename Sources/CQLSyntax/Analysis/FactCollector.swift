/// Walks a statement and notes what an analysis tells.
struct FactCollector {
    /// Whether calls whose values the text itself fixes are taken for the constants that will stand in their place.
    let takesCallsForConstants: Bool
    /// The calls that were taken for constants.
    var calls: [ServerValues.Call] = []
    var markers: [MarkerUse] = []
    var functions: [FunctionUse] = []
    var usesTimestamp = false
    var usesTimeToLive = false
    var hasConditions = false
    var hasIfNotExists = false
    /// Something that a second run would do again, whatever the columns are.
    var repeats = false
    var writes: [ColumnWrite] = []

    /// Where a term stands.
    struct Place {
        var role: MarkerUse.Role
        var column: String?
        var isDirect = true
        var depth = 0
        var isInCollection = false

        func inside() -> Place {
            var place = self
            place.isDirect = false
            return place
        }

        func insideCollection() -> Place {
            var place = self.inside()
            place.isInCollection = true
            return place
        }
    }

    // MARK: Terms

    mutating func note(_ term: Term, _ place: Place) {
        switch term {
        case .null, .literal: break
        case .marker(let marker): self.note(marker, place)
        case .list(let terms), .set(let terms):
            for term in terms { self.note(term, place.insideCollection()) }
        case .tuple(let terms):
            for term in terms { self.note(term, place.inside()) }
        case .map(let entries):
            for entry in entries {
                self.note(entry.key, place.insideCollection())
                self.note(entry.value, place.insideCollection())
            }
        case .userType(let fields):
            for field in fields { self.note(field.value, place.inside()) }
        case .function(let call): self.note(call, place)
        case .typeHint(_, let operand):
            self.note(operand, place)
        case .cast(let operand, _), .negated(let operand):
            self.note(operand, place.inside())
        case .arithmetic(let left, _, let right):
            self.note(left, place.inside())
            self.note(right, place.inside())
        }
    }

    private mutating func note(_ call: FunctionCall, _ place: Place) {
        if self.takesCallsForConstants, place.role != .condition, call.arguments.isEmpty,
            let function = ServerFunction(call.name)
        {
            self.calls.append(
                ServerValues.Call(function: function, range: call.range, isInCollection: place.isInCollection)
            )
            return
        }
        self.functions.append(
            FunctionUse(
                name: call.name,
                range: call.range,
                isNonDeterministic: FunctionCatalogue.isNonDeterministic(call.name),
                column: place.column,
                depth: place.depth
            )
        )
        var inner = place.inside()
        inner.depth += 1
        for argument in call.arguments { self.note(argument, inner) }
    }

    private mutating func note(_ marker: BindMarker, _ place: Place) {
        self.markers.append(
            MarkerUse(
                index: marker.index,
                name: marker.name,
                role: place.role,
                column: place.column,
                isDirect: place.isDirect,
                range: marker.range
            )
        )
    }

    mutating func note(_ values: InValues, _ role: MarkerUse.Role, column: String?) {
        switch values {
        case .marker(let marker): self.note(marker, Place(role: role, column: column))
        case .list(let terms):
            for term in terms { self.note(term, Place(role: role, column: column)) }
        }
    }

    // MARK: Clauses

    mutating func note(_ using: UsingClause?) {
        if let timestamp = using?.timestamp {
            self.usesTimestamp = true
            self.note(timestamp, Place(role: .timestamp))
        }
        if let timeToLive = using?.timeToLive {
            self.usesTimeToLive = true
            self.note(timeToLive, Place(role: .timeToLive))
        }
        if let timeout = using?.timeout { self.note(timeout, Place(role: .other)) }
    }

    mutating func note(_ relations: [Relation]) {
        for relation in relations {
            switch relation {
            case .comparison(let column, .equal, let term): self.note(term, Place(role: .keyEquality, column: column))
            case .comparison(let column, _, let term): self.note(term, Place(role: .restriction, column: column))
            case .isIn(let column, let values): self.note(values, .keyIn, column: column)
            case .isNotNull: break
            case .element(let column, let key, _, let term):
                self.note(key, Place(role: .elementKey, column: column))
                self.note(term, Place(role: .restriction, column: column))
            case .token(_, _, let term), .tuple(_, _, let term), .customIndex(_, let term):
                self.note(term, Place(role: .restriction))
            case .tupleIn(_, let values): self.note(values, .restriction, column: nil)
            }
        }
    }

    mutating func note(_ condition: ConditionClause?) {
        guard let condition else { return }
        self.hasConditions = true
        self.repeats = true
        switch condition.kind {
        case .exists: break
        case .notExists: self.hasIfNotExists = true
        case .columns(let conditions):
            for condition in conditions {
                self.noteKey(of: condition.part, .condition)
                switch condition.test {
                case .compare(_, let term): self.note(term, Place(role: .condition, column: condition.part.column))
                case .isIn(let values): self.note(values, .condition, column: condition.part.column)
                }
            }
        }
    }

    private mutating func noteKey(of part: ColumnPart, _ role: MarkerUse.Role) {
        if case .element(let column, let key) = part { self.note(key, Place(role: role, column: column)) }
    }

    // MARK: Modifications

    mutating func note(_ insert: InsertStatement) {
        switch insert.source {
        case .values(let columns, let terms):
            for (column, term) in zip(columns, terms) {
                self.noteAssigned(term, to: column)
                self.note(term, Place(role: .value, column: column))
            }
        case .json(let document, _):
            self.writes.append(ColumnWrite(column: nil, effect: .json, isCertain: false))
            self.note(document, Place(role: .json))
        }
        self.note(insert.condition)
        self.note(insert.using)
    }

    mutating func note(_ update: UpdateStatement) {
        self.note(update.using)
        for assignment in update.assignments { self.note(assignment) }
        self.note(update.relations)
        self.note(update.condition)
    }

    private mutating func note(_ assignment: Assignment) {
        switch assignment {
        case .assign(let part, let term):
            if case .element(let column, let key) = part, !key.cannotBeListIndex {
                self.writes.append(ColumnWrite(column: column, effect: .setElement, isCertain: false))
            }
            if case .column(let column) = part { self.noteAssigned(term, to: column) }
            self.noteKey(of: part, .elementKey)
            self.note(term, Place(role: .value, column: part.column))
        case .add(let column, let term):
            self.noteOperand(term, of: column, .add)
            self.note(term, Place(role: .value, column: column))
        case .subtract(let column, let term):
            self.noteOperand(term, of: column, .subtract)
            self.note(term, Place(role: .value, column: column))
        case .prepend(let column, let term):
            self.noteOperand(term, of: column, .prepend)
            self.note(term, Place(role: .value, column: column))
        }
    }

    /// Only what can be a list is of interest: writing anything else twice is writing it once.
    private mutating func noteAssigned(_ term: Term, to column: String) {
        switch term {
        case .null, .literal, .set, .map, .userType, .tuple, .negated, .arithmetic: break
        case .list: self.writes.append(ColumnWrite(column: column, effect: .assign, isCertain: true))
        case .marker, .function, .typeHint, .cast:
            self.writes.append(ColumnWrite(column: column, effect: .assign, isCertain: false))
        }
    }

    /// Braces are of a set or a map, to which the same may be added twice.
    private mutating func noteOperand(_ term: Term, of column: String, _ effect: ColumnWrite.Effect) {
        switch term {
        case .set, .map: return
        case .typeHint(_, let operand) where operand.isSetOrMap: return
        default: self.writes.append(ColumnWrite(column: column, effect: effect, isCertain: false))
        }
    }

    mutating func note(_ delete: DeleteStatement) {
        for part in delete.parts {
            guard case .element(let column, let key) = part else { continue }
            // The key of a map is mostly a text; what may be a list's index must not be deleted twice.
            if !key.cannotBeListIndex {
                self.writes.append(ColumnWrite(column: column, effect: .deleteElement, isCertain: false))
            }
            self.note(key, Place(role: .elementKey, column: column))
        }
        self.note(delete.using)
        self.note(delete.relations)
        self.note(delete.condition)
    }

    // MARK: Reads

    mutating func note(_ select: SelectStatement) {
        if case .items(let items) = select.projection {
            for item in items { self.note(item.selector, item.range, depth: 0) }
        }
        self.note(select.relations)
        for selector in select.groupBy { self.note(selector, SourceRange(start: 0, end: 0), depth: 0) }
        for order in select.orderBy {
            if let term = order.nearestTo { self.note(term, Place(role: .restriction, column: order.column)) }
        }
        if let term = select.perPartitionLimit { self.note(term, Place(role: .perPartitionLimit)) }
        if let term = select.limit { self.note(term, Place(role: .limit)) }
    }

    private mutating func note(_ selector: Selector, _ range: SourceRange, depth: Int) {
        switch selector {
        case .column, .countRows: break
        case .term(let term): self.note(term, Place(role: .selector))
        case .writeTime(let inner), .maxWriteTime(let inner), .timeToLive(let inner), .cast(let inner, _),
            .field(let inner, _), .typeHint(_, let inner), .negated(let inner):
            self.note(inner, range, depth: depth)
        case .function(let name, let arguments):
            self.functions.append(
                FunctionUse(
                    name: name,
                    range: range,
                    isNonDeterministic: FunctionCatalogue.isNonDeterministic(name),
                    column: nil,
                    depth: depth
                )
            )
            for argument in arguments { self.note(argument, range, depth: depth + 1) }
        case .element(let base, let key):
            self.note(base, range, depth: depth)
            self.note(key, range, depth: depth)
        case .slice(let base, let from, let to):
            self.note(base, range, depth: depth)
            if let from { self.note(from, range, depth: depth) }
            if let to { self.note(to, range, depth: depth) }
        case .arithmetic(let left, _, let right):
            self.note(left, range, depth: depth)
            self.note(right, range, depth: depth)
        case .tuple(let elements), .list(let elements), .set(let elements):
            for element in elements { self.note(element, range, depth: depth) }
        case .map(let entries):
            for entry in entries {
                self.note(entry.key, range, depth: depth)
                self.note(entry.value, range, depth: depth)
            }
        case .userType(let fields):
            for field in fields { self.note(field.value, range, depth: depth) }
        }
    }
}

extension Term {
    fileprivate var isSetOrMap: Bool {
        switch self {
        case .set, .map: true
        default: false
        }
    }

    fileprivate var cannotBeListIndex: Bool {
        if case .literal(let literal) = self { return literal.kind != .integer }
        return false
    }
}
