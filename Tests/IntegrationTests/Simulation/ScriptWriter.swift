import CQLProtocol
import DualWriteCore
import TestSupport

/// Makes the script of a seed.
struct ScriptWriter {
    private static let partitions = 6
    private static let rows = 3
    /// Digits of a counter that are used: two bits each, and none of them the sign.
    private static let digits = 31
    /// Explicit timestamps lie around a day of 2023; only their order counts.
    private static let stampBase: Int64 = 1_700_000_000_000_000

    private var random: SeededRandom
    private var script: SimulationScript
    private var lastID = 0
    private var increments = 0
    private var conditionals: [String: [String]] = [:]
    private var stamps: Set<Int64> = []
    /// Tables of this history; fewer of them make more of each.
    private var tables: [SimulatedTable]
    private var mode = WriteMode.dualWriteAsync

    static func script(of seed: UInt64) -> SimulationScript {
        var writer = ScriptWriter(seed: seed)
        writer.write()
        return writer.script
    }

    private init(seed: UInt64) {
        self.random = SeededRandom(seed: seed)
        self.script = SimulationScript(seed: seed)
        self.tables = SimulatedTable.allCases
    }

    private mutating func write() {
        self.script.settings.mode = self.random.pick([
            .dualWriteAsync, .dualWriteAsync, .dualWriteAsync, .dualWriteSync, .dualWriteSync, .shadowPrimary,
            .primaryOnly,
        ])
        self.mode = self.script.settings.mode
        if self.random.percent(30) { self.script.settings.syncFailure = .degrade }
        if self.random.percent(30) { self.script.settings.journalFull = .refuse }
        if self.random.percent(25) { self.script.settings.loops = 2 }
        self.script.settings.hasSmallJournal = self.random.percent(15)
        self.script.settings.hasShortSegments = self.random.percent(30)
        self.script.settings.hasSmallMemory = self.random.percent(30)
        self.script.settings.discardsDeadLetters = self.random.percent(20)
        let count = self.random.number(1...self.tables.count)
        self.tables = Array(self.tables.shuffled(using: &self.random).prefix(count))
        let lives = self.random.pick([1, 1, 2, 2, 3, 4])
        for index in 0..<lives { self.script.lives.append(self.life(isLast: index == lives - 1)) }
    }

    private mutating func life(isLast: Bool) -> SimulationScript.Life {
        var life = SimulationScript.Life()
        let clients = self.random.number(1...6)
        let operations = self.random.number(4...24)
        for client in 0..<clients {
            life.clients.append((0..<operations).map { _ in self.operation(client) })
        }
        let total = clients * operations
        life.events = self.events(total)
        if !isLast {
            life.end = .stop
            if self.random.percent(75) {
                life.end = .kill(after: self.random.number(1...total), damage: self.damage())
            }
        }
        return life
    }

    private mutating func damage() -> SimulationScript.Damage? {
        guard self.random.percent(10) else { return nil }
        return .init(
            cluster: self.random.pick(Cluster.allCases),
            journal: JournalDamage(
                bytes: self.random.pick([8, 32, 100, 1_000]),
                mask: self.random.percent(50) ? nil : UInt8.random(in: 1...255, using: &self.random)
            )
        )
    }

    // MARK: Operations

    private mutating func operation(_ client: Int) -> SimulatedOperation {
        self.lastID += 1
        let id = self.lastID
        let table = self.random.pick(self.tables)
        var operation = SimulatedOperation(id: id, form: self.form(), changes: [])
        switch table {
        case .plain:
            operation.changes = self.rowChanges(.plain, id)
        case .stamped:
            operation.changes = self.rowChanges(.stamped, id)
            operation.timestamp = self.stamp()
            operation.isTimestampInText = self.random.percent(50)
        case .conditional:
            operation.changes = [self.conditional(client, id)]
        case .counters:
            operation.changes = (0..<(self.random.percent(20) ? 3 : 1)).map { _ in self.increment() }
        case .lists:
            // A partition belongs to one client, so that there is an order of what is appended.
            operation.changes = [.append(p: "l\(client)-\(self.random.number(0...1))", value: "w\(id)")]
        case .cleared:
            operation.changes = [
                // TRUNCATE knows no timestamps: only where one client does it all is there an order.
                client > 0
                    ? .append(p: "l\(client)-0", value: "w\(id)")
                    : self.random.percent(15)
                        ? .truncate : .insertCleared(p: "t\(self.random.number(0...3))", value: "w\(id)")
            ]
        }
        self.settle(&operation)
        return operation
    }

    private mutating func form() -> SimulatedOperation.Form {
        switch self.random.number(0...9) {
        case 0...2: .query(bound: false)
        case 3...5: .query(bound: true)
        case 6...7: .prepared
        case 8: .batch(.logged, prepared: self.random.percent(50))
        default: .batch(.unlogged, prepared: self.random.percent(50))
        }
    }

    /// Makes the form one that the changes can have.
    private mutating func settle(_ operation: inout SimulatedOperation) {
        let table = operation.changes[0].table
        if case .truncate = operation.changes[0] {
            operation.form = .query(bound: false)
            return
        }
        if operation.changes.count > 1 {
            guard case .batch = operation.form else {
                operation.form = .batch(.logged, prepared: self.random.percent(50))
                return self.settle(&operation)
            }
        }
        guard case .batch(_, let prepared) = operation.form else { return }
        if table == .counters { operation.form = .batch(.counter, prepared: prepared) }
        if operation.timestamp != nil, self.random.percent(50) { operation.isTimestampInText.toggle() }
    }

    private mutating func rowChanges(_ table: SimulatedTable, _ id: Int) -> [SimulatedChange] {
        let count = self.random.percent(25) ? self.random.number(2...4) : 1
        var places: Set<String> = []
        return (0..<count).compactMap { index in
            let p = "p\(self.random.number(0...Self.partitions - 1))"
            let c = self.random.number(0...Self.rows - 1)
            // Within one batch all have one timestamp, so that two of one row would be a tie.
            guard places.insert(p).inserted else { return nil }
            let value = count == 1 ? "w\(id)" : "w\(id).\(index)"
            switch self.random.number(0...19) {
            case 0...8:
                let b = self.random.percent(60) ? value : nil
                let life = self.random.percent(15) ? self.random.number(5_000...9_000) : nil
                return .insert(table, p: p, c: c, a: value, b: b, timeToLive: life)
            case 9...14:
                return .update(table, p: p, c: c, column: self.random.pick(["a", "b"]), value: value)
            case 15...16: return .deleteColumn(table, p: p, c: c, column: self.random.pick(["a", "b"]))
            case 17...18: return .deleteRow(table, p: p, c: c)
            default: return .deletePartition(table, p: p)
            }
        }
    }

    private mutating func stamp() -> Int64 {
        var stamp: Int64
        repeat {
            stamp = Self.stampBase + Int64(self.random.number(0...100_000)) * 10
        } while !self.stamps.insert(stamp).inserted
        return stamp
    }

    private mutating func conditional(_ client: Int, _ id: Int) -> SimulatedChange {
        let p = "c\(client)-\(self.random.number(0...2))"
        let value = "w\(id)"
        defer { self.conditionals[p, default: []].append(value) }
        // Most conditions hold where nothing has failed.
        guard let former = self.conditionals[p], !self.random.percent(15) else {
            return .insertIfNotExists(p: p, value: value)
        }
        let expected = self.random.percent(80) ? former[former.count - 1] : self.random.pick(former)
        return .updateIf(p: p, value: value, expected: expected)
    }

    private mutating func increment() -> SimulatedChange {
        defer { self.increments += 1 }
        return .count(p: "n\(self.increments / Self.digits)", digit: self.increments % Self.digits)
    }

    // MARK: Events

    private mutating func events(_ total: Int) -> [(after: Int, event: SimulatedEvent)] {
        var events: [SimulatedEvent] = []
        var dead: Set<Cluster> = []
        let primary = self.mode.primary
        switch self.random.number(0...9) {
        case 0:
            break
        case 1:
            // The primary does what it is told, says nothing, and is gone.
            let silence = SimulatedFault(kind: .dropAnswer, table: nil, percent: self.random.pick([60, 100]))
            events = [.faults(primary, [silence], seed: self.random.next()), .killNode(primary), .startNode(primary)]
            events.append(.faults(primary, [], seed: 1))
        case 2...3:
            // The shadow is owed much when an operator loses patience and makes it the primary, and then again.
            let silence = SimulatedFault(kind: .drop, table: nil, percent: self.random.pick([60, 100]))
            events = [.faults(primary.other, [silence], seed: self.random.next())]
            for _ in 0..<self.random.number(1...2) {
                self.mode = self.mode.primary == .source ? .shadowPrimary : .dualWriteAsync
                events.append(.mode(self.mode, force: true))
            }
            events.append(.faults(primary.other, [], seed: 1))
        default:
            for _ in 0..<self.random.number(1...8) { events.append(self.event(&dead)) }
        }
        let moments = events.map { _ in self.random.number(0...total) }.sorted()
        return Array(zip(moments, events).map { (after: $0, event: $1) })
    }

    private mutating func event(_ dead: inout Set<Cluster>) -> SimulatedEvent {
        if let cluster = dead.first, self.random.percent(60) {
            dead.remove(cluster)
            return .startNode(cluster)
        }
        let cluster = self.random.percent(65) ? self.mode.primary.other : self.mode.primary
        switch self.random.number(0...99) {
        case 0...39:
            let faults = (0..<self.random.number(1...2)).map { _ in self.fault() }
            return .faults(cluster, faults, seed: self.random.next())
        case 40...59: return .faults(cluster, [], seed: 1)
        case 60...64: return .disconnect(cluster)
        case 65...69: return .forgetPrepared(cluster)
        case 70...74 where dead.isEmpty:
            dead.insert(cluster)
            return .killNode(cluster)
        case 75...79 where self.script.settings.hasShortSegments: return .disk(isFull: self.random.percent(65))
        default: return self.modeChange()
        }
    }

    private mutating func modeChange() -> SimulatedEvent {
        let force = self.random.percent(15)
        let here = Int(self.mode.rawValue)
        var wanted = here + (self.random.percent(50) ? 1 : -1)
        if force { wanted = self.random.number(0...4) }
        let mode = WriteMode(rawValue: UInt8(min(4, max(0, wanted)))) ?? .dualWriteAsync
        self.mode = mode
        return .mode(mode, force: force)
    }

    private mutating func fault() -> SimulatedFault {
        let kind: SimulatedFault.Kind =
            switch self.random.number(0...11) {
            case 0: .drop
            case 1...2: .dropAnswer
            case 3: .close
            case 4...5: .delay(milliseconds: self.random.pick([2, 20, 150, 300]))
            case 6: .error(.unavailable)
            case 7: .error(.overloaded)
            case 8: .error(.writeTimeout)
            case 9: .error(.serverError)
            case 10: .error(.isBootstrapping)
            default: .error(.invalid)
            }
        // A TRUNCATE that is refused for good and sent again by an operator takes away what came after it.
        let tables = self.tables.filter { $0 != .cleared }
        var table = self.random.percent(40) ? self.random.pick(self.tables) : nil
        if case .error(.invalid) = kind { table = tables.isEmpty ? .plain : self.random.pick(tables) }
        return SimulatedFault(
            kind: kind,
            table: table,
            percent: self.random.pick([5, 30, 60, 100]),
            times: self.random.percent(40) ? self.random.number(1...10) : nil
        )
    }
}
