import CQLProtocol
import DualWriteCore
import SharedState
import TestSupport

/// A cluster as replicas use it: compare-and-set on one row, and a list whose entries fade.
struct SimulatedRegister {
    struct Listed {
        var entry: ReplicaEntry
        var seenUntil: Int64
        var knownUntil: Int64
    }

    /// What was sent and has not arrived.
    enum Late {
        case write(expected: RegisterRow?, RegisterRow)
        case entry(ReplicaEntry)
    }

    var row: RegisterRow?
    var list: [String: Listed] = [:]
    var late: [(at: Int64, what: Late)] = []
    var isUp = true

    mutating func write(expected: RegisterRow?, _ row: RegisterRow) {
        if self.row?.revision == expected?.revision { self.row = row }
    }

    mutating func announce(_ entry: ReplicaEntry, now: Int64, times: Replica.Times) {
        self.list[entry.id] = Listed(
            entry: entry,
            seenUntil: now + times.lifeMilliseconds,
            knownUntil: now + times.memoryMilliseconds
        )
    }

    func entries(now: Int64) -> [ReplicaEntry] {
        self.list.values.filter { $0.knownUntil > now }.map { listed in
            var entry = listed.entry
            entry.isSeen = listed.seenUntil > now
            return entry
        }
    }

    mutating func arrive(now: Int64, times: Replica.Times) {
        for (_, what) in self.late.filter({ $0.at <= now }) {
            switch what {
            case .write(let expected, let row): self.write(expected: expected, row)
            case .entry(let entry): self.announce(entry, now: now, times: times)
            }
        }
        self.late.removeAll { $0.at <= now }
    }
}

/// A replica with its process, which can be killed, and its disk, which cannot.
final class SimulatedReplica {
    enum Step {
        case announce(Cluster)
        case read(Cluster)
        case decide
        case act(RoundAction)
    }

    let id: String
    /// On disk.
    var kept = Replica.Kept()
    /// The process; nil while there is none.
    var machine: Replica?
    /// The record that its proxy acts in.
    var acting: SharedRecord?
    /// What was ever acted in.
    var highest: Int64 = -1
    var steps: [Step] = []
    var view: [Cluster: ClusterView] = [:]
    var nextAt: Int64 = 0
    var reaches: [Cluster: Bool] = [.source: true, .target: true]
    /// Its clock is another one than the world's, and a little faster or slower.
    let clockOffset: Int64
    var wall: Int64 = 0
    var outcomes: [ChangeOutcome] = []
    /// Copies that its proxy has not delivered yet. On disk.
    var owed: [SimulatedTables.Owed] = []
    /// Whether the promises about distance hold for it: it is listed everywhere, and has read since.
    var isCovered = false

    init(id: String, clockOffset: Int64) {
        self.id = id
        self.clockOffset = clockOffset
    }
}

/// Replicas, two clusters, the network between them, and an operator: everything that happens comes from one seed.
final class SimulatedWorld {
    struct Finding: Error, CustomStringConvertible { let description: String }

    static var times: Replica.Times {
        var times = Replica.Times()
        times.lifeMilliseconds = 15_000
        times.deadlineMilliseconds = 20_000
        times.joinMilliseconds = 8_000
        return times
    }

    private(set) var random: SeededRandom
    private(set) var now: Int64 = 0
    var registers: [Cluster: SimulatedRegister] = [.source: .init(), .target: .init()]
    var replicas: [SimulatedReplica]
    /// In per cent: answers that get lost, requests that come late, proposals that a proxy refuses, stages that it does not
    /// enter, moments in which a process stands still.
    var lost = 4
    var late = 4
    var refused = 5
    var notApplied = 3
    var slow = 2
    var usesForce = false
    private var meanings: [Int64: SharedRecord] = [:]
    private(set) var decided = 0
    private(set) var decidedWithOneCluster = 0
    /// What applications have written; nil: nobody writes anything.
    var tables: SimulatedTables?
    /// Changes of overrides that were decided.
    private(set) var decidedForTables = 0

    init(seed: UInt64, replicas: Int) {
        var random = SeededRandom(seed: seed)
        self.replicas = (1...replicas).map {
            SimulatedReplica(id: "r\($0)", clockOffset: Int64(random.number(-1_000_000...1_000_000)))
        }
        self.random = random
        for replica in self.replicas { self.start(replica) }
    }

    func newID() -> CQLUUID { CQLUUID(high: self.random.next(), low: self.random.next()) }

    // MARK: What happens

    func start(_ replica: SimulatedReplica) {
        replica.machine = Replica(
            id: replica.id,
            initial: TableModes(.primaryOnly, .none),
            kept: replica.kept,
            times: Self.times
        )
        replica.steps = []
        replica.acting = nil
        replica.isCovered = false
        replica.nextAt = self.now + Int64(self.random.number(0...2_000))
    }

    func kill(_ replica: SimulatedReplica) {
        // What a replica owes that others have not heard of is missed until it is back: steps ask for what they have heard of.
        self.deliver(replica)
        replica.machine = nil
        replica.acting = nil
        replica.isCovered = false
        replica.nextAt = .max
    }

    func order(_ replica: SimulatedReplica, to stage: ModeStage, force: Bool = false) {
        self.order(replica, .stage(stage), force: force)
    }

    func order(_ replica: SimulatedReplica, _ goal: ChangeOrder.Goal, force: Bool = false) {
        guard replica.machine?.order == nil, replica.machine?.applied != nil else { return }
        let change = StageChange(id: self.newID(), by: replica.id, reason: nil, forced: force, at: self.now)
        let deadline = self.now + replica.clockOffset + Self.times.deadlineMilliseconds
        replica.machine?.ask(for: ChangeOrder(to: goal, change: change, deadline: deadline))
    }

    /// Lets the next thing happen that is due.
    func step() throws(Finding) {
        guard let replica = self.replicas.min(by: { $0.nextAt < $1.nextAt }), replica.nextAt < .max else {
            self.now += 1_000
            return
        }
        self.now = max(self.now, replica.nextAt)
        for cluster in Cluster.allCases { self.registers[cluster]?.arrive(now: self.now, times: Self.times) }
        self.advance(replica)
        self.apply(replica)
        try self.check()
    }

    /// Applications write through a replica, and it delivers some of what it owes.
    private func apply(_ replica: SimulatedReplica) {
        guard self.tables != nil, let record = replica.acting else { return }
        let isLate = self.random.percent(60)
        if !isLate { self.deliver(replica) }
        guard replica.isCovered, self.random.percent(50) else { return }
        let place = self.random.number(0...(SimulatedTables.tables.count - 1))
        self.tables?.write(place, by: record.modes, &replica.owed)
    }

    private func deliver(_ replica: SimulatedReplica) {
        self.tables?.deliver(replica.owed)
        replica.owed = []
    }

    private func advance(_ replica: SimulatedReplica) {
        guard replica.machine != nil else { return }
        if replica.steps.isEmpty {
            replica.steps = [.announce(.source), .announce(.target), .read(.source), .read(.target), .decide]
            replica.view = [:]
        }
        self.take(replica.steps.removeFirst(), replica)
        let local = self.now + replica.clockOffset
        if replica.steps.isEmpty {
            replica.isCovered = self.isListed(replica)
            let isBusy = replica.machine?.isBusy(at: local) == true
            replica.nextAt =
                self.now + Int64(isBusy ? self.random.number(100...300) : self.random.number(1_500...2_500))
        } else {
            replica.nextAt =
                self.now
                + Int64(self.random.percent(self.slow) ? self.random.number(500...3_000) : self.random.number(0...40))
        }
        if !self.isListed(replica) {
            replica.isCovered = false
            self.deliver(replica)
        }
    }

    private func isListed(_ replica: SimulatedReplica) -> Bool {
        guard var machine = replica.machine else { return false }
        // Its own clock says whether others may have given it up.
        _ = machine.round(
            RoundView(source: .unreadable(""), target: .unreadable("")),
            now: self.now + replica.clockOffset,
            wall: 0
        ) { CQLUUID(high: 0, low: 0) }
        return machine.isListed(in: Cluster.allCases)
    }

    private func reaches(_ replica: SimulatedReplica, _ cluster: Cluster) -> Bool {
        replica.reaches[cluster] == true && self.registers[cluster]?.isUp == true
    }

    private func take(_ step: SimulatedReplica.Step, _ replica: SimulatedReplica) {
        let local = self.now + replica.clockOffset
        switch step {
        case .announce(let cluster):
            guard self.reaches(replica, cluster), let machine = replica.machine else { return }
            replica.wall += 1
            var owed = PerCluster<Int64>(both: 0)
            for copy in replica.owed { owed[copy.cluster] += 1 }
            let entry = machine.entry(address: replica.id, owed: owed, wall: replica.wall)
            if self.random.percent(self.late) {
                let at = self.now + Int64(self.random.number(0...5_000))
                self.registers[cluster]?.late.append((at, .entry(entry)))
                return
            }
            self.registers[cluster]?.announce(entry, now: self.now, times: Self.times)
            if !self.random.percent(self.lost) { replica.machine?.announced(in: cluster, at: local) }
        case .read(let cluster):
            let isLost = self.random.percent(self.lost)
            guard self.reaches(replica, cluster), !isLost, let register = self.registers[cluster] else {
                replica.view[cluster] = .unreadable("cut off")
                return
            }
            replica.view[cluster] = .read(register.row, register.entries(now: self.now))
        case .decide:
            let view = RoundView(
                source: replica.view[.source] ?? .unreadable("not asked"),
                target: replica.view[.target] ?? .unreadable("not asked")
            )
            let actions = replica.machine?.round(view, now: local, wall: self.now, newID: self.newID) ?? []
            replica.steps = actions.map { .act($0) }
            if actions.contains(where: { if case .prepare = $0 { true } else { false } }) {
                replica.steps += [.announce(.source), .announce(.target)]
            }
        case .act(let action): self.act(action, replica, local)
        }
    }

    private func act(_ action: RoundAction, _ replica: SimulatedReplica, _ local: Int64) {
        switch action {
        case .keep(let kept): replica.kept = kept
        case .apply(let record):
            guard !self.random.percent(self.notApplied) else {
                replica.machine?.notApplied(record, reason: "not now")
                return
            }
            replica.acting = record
            replica.machine?.applied(record)
        case .prepare(let proposal):
            var refusal = self.random.percent(self.refused) ? "not ready" : nil
            if let record = replica.acting {
                refusal = refusal ?? SimulatedTables.refusal(replica.owed, from: record.modes, to: proposal.to)
            }
            if let kept = replica.machine?.answered(proposal, refusal: refusal) { replica.kept = kept }
        case .write(let cluster, let expected, let row):
            guard self.reaches(replica, cluster) else { return }
            if self.random.percent(self.late) {
                let at = self.now + Int64(self.random.number(0...8_000))
                self.registers[cluster]?.late.append((at, .write(expected: expected, row)))
            } else {
                self.registers[cluster]?.write(expected: expected, row)
            }
        case .end(let outcome): replica.outcomes.append(outcome)
        }
    }

    // MARK: What must hold

    private func check() throws(Finding) {
        for (cluster, register) in self.registers {
            guard let record = register.row?.record else { continue }
            try self.note(record, "the \(cluster) cluster")
        }
        for replica in self.replicas {
            if let record = replica.kept.record { try self.note(record, replica.id) }
            guard let acting = replica.acting else { continue }
            try self.note(acting, replica.id)
            guard acting.epoch >= replica.highest else {
                throw Finding(description: "\(replica.id) acts in epoch \(acting.epoch) after \(replica.highest)")
            }
            replica.highest = acting.epoch
        }
        guard !self.usesForce else { return }
        let covered = self.replicas.filter { $0.isCovered && $0.acting != nil }
        for one in covered {
            for other in covered {
                guard let left = one.acting, let right = other.acting,
                    SimulatedTables.distance(left.modes, right.modes) > 1
                else { continue }
                throw Finding(
                    description: "\(one.id) acts in \(Self.words(left)), \(other.id) in \(Self.words(right))"
                )
            }
            guard let acting = one.acting, let stale = self.tables?.stale(acting.modes) else { continue }
            throw Finding(description: "\(one.id) (epoch \(acting.epoch)): \(stale)")
        }
    }

    private static func words(_ record: SharedRecord) -> String {
        "\(record.stage) \(record.modes.overrides.list) (\(record.epoch))"
    }

    private func note(_ record: SharedRecord, _ place: String) throws(Finding) {
        guard let known = self.meanings[record.epoch] else {
            if let before = self.meanings[record.epoch - 1], before.modes.overrides != record.modes.overrides {
                self.decidedForTables += 1
            }
            self.meanings[record.epoch] = record
            self.decided += 1
            if !self.registers.values.allSatisfy(\.isUp) { self.decidedWithOneCluster += 1 }
            return
        }
        guard known != record, !self.usesForce else { return }
        throw Finding(
            description: "epoch \(record.epoch) is \(Self.words(record)) on \(place) and was \(Self.words(known))"
        )
    }

    // MARK: Faults

    /// Lets one thing go wrong, or right again.
    func disturb() {
        let replica = self.random.pick(self.replicas)
        switch self.random.number(0...9) {
        case 0: if replica.machine != nil { self.kill(replica) }
        case 1, 2: if replica.machine == nil { self.start(replica) }
        case 3, 4: replica.reaches[self.random.pick(Cluster.allCases)] = false
        case 5, 6: replica.reaches = [.source: true, .target: true]
        case 7: self.registers[self.random.pick(Cluster.allCases)]?.isUp = false
        default: for cluster in Cluster.allCases { self.registers[cluster]?.isUp = true }
        }
    }

    /// An operator somewhere wants to go somewhere.
    func wish() {
        let replica = self.random.pick(self.replicas)
        guard let acting = replica.acting else { return }
        let stage = acting.stage
        let force = self.usesForce && self.random.percent(40)
        if self.tables != nil, self.random.percent(60) {
            guard let overrides = SimulatedTables.wish(acting.modes, &self.random) else { return }
            self.order(replica, .overrides(overrides, of: acting.epoch), force: force)
            return
        }
        let stages = ModeStage.allCases.filter { force || $0.distance(to: stage) <= 1 }
        self.order(replica, to: self.random.pick(stages), force: force)
    }

    /// Nothing goes wrong by chance any more.
    func calm() { (self.lost, self.late, self.refused, self.notApplied, self.slow) = (0, 0, 0, 0, 0) }

    /// Nothing is broken any more.
    func heal() {
        self.calm()
        for cluster in Cluster.allCases { self.registers[cluster]?.isUp = true }
        for replica in self.replicas {
            replica.reaches = [.source: true, .target: true]
            if replica.machine == nil { self.start(replica) }
        }
    }

    func run(for milliseconds: Int64) throws(Finding) {
        let end = self.now + milliseconds
        while self.now < end { try self.step() }
    }

    /// Whether all agree, and nothing is open.
    var disagreement: String? {
        let records = Set(
            self.replicas.compactMap(\.acting) + Cluster.allCases.compactMap { self.registers[$0]?.row?.record }
                + self.replicas.compactMap(\.kept.record)
        )
        if records.count != 1 { return "\(records.map(Self.words).sorted())" }
        if self.replicas.contains(where: { $0.acting == nil }) { return "somebody does not act" }
        if self.registers.values.contains(where: { $0.row?.proposal != nil }) { return "a proposal is still open" }
        if self.replicas.contains(where: { $0.kept.promise != nil }) { return "a promise is still open" }
        return nil
    }
}
