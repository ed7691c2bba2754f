import DualWriteCore
import Synchronization

/// What the clients of a simulation have asked for, and what they were told. Thread-safe.
final class Ledger: Sendable {
    /// What a client knows of a request.
    enum Outcome: Hashable, Sendable {
        case acknowledged
        /// A condition did not hold.
        case notApplied
        /// It was told that nothing has happened.
        case refused
        /// It was told that nobody knows, or nothing.
        case unknown
    }

    struct Entry: Sendable {
        let operation: SimulatedOperation
        /// Moments of the simulation's own clock: whatever ended before something else began came before it.
        let start: Int
        var end = Int.max
        var outcome = Outcome.unknown
        /// The modes that were in force meanwhile, or may have been.
        var modes: Set<WriteMode>

        /// Whether a cluster must have it, may have it, or must not.
        func presence(on cluster: Cluster) -> Presence {
            let mayReach = self.modes.contains { $0.needs(cluster) }
            switch self.outcome {
            case .acknowledged:
                if self.modes.allSatisfy({ $0.needs(cluster) }) { return .must }
                return mayReach ? .may : .mustNot
            case .unknown: return mayReach ? .may : .mustNot
            // In a join the refusal may be that of one cluster, while the other one has it.
            case .refused: return mayReach && self.modes.contains(where: \.isJoin) ? .may : .mustNot
            case .notApplied: return .mustNot
            }
        }

        /// Whether both clusters get it, if it happens at all.
        var isShared: Bool { self.modes.allSatisfy { $0.shadow != nil } }
    }

    enum Presence: Hashable, Sendable { case must, may, mustNot }

    private struct State {
        var clock = 0
        var entries: [Entry] = []
        var open: Set<Int> = []
        var modes: Set<WriteMode>
        var remarks: [String] = []

        mutating func tick() -> Int {
            self.clock += 1
            return self.clock
        }
    }

    private let state: Mutex<State>

    init(mode: WriteMode) { self.state = Mutex(State(modes: [mode])) }

    var entries: [Entry] { self.state.withLock { $0.entries } }

    /// The moment.
    func now() -> Int { self.state.withLock { $0.tick() } }

    func begin(_ operation: SimulatedOperation) -> Int {
        self.state.withLock { state in
            state.entries.append(Entry(operation: operation, start: state.tick(), modes: state.modes))
            state.open.insert(state.entries.count - 1)
            return state.entries.count - 1
        }
    }

    func end(_ index: Int, _ outcome: Outcome) {
        self.state.withLock { state in
            state.entries[index].end = state.tick()
            state.entries[index].outcome = outcome
            state.open.remove(index)
        }
    }

    /// A change of the mode begins: from here on either may be in force.
    func modeMayBecome(_ mode: WriteMode) {
        self.state.withLock { state in
            state.modes.insert(mode)
            for index in state.open { state.entries[index].modes.insert(mode) }
        }
    }

    func modeIs(_ mode: WriteMode) { self.state.withLock { $0.modes = [mode] } }

    /// Notes something that must not be.
    func remark(_ text: String) { self.state.withLock { $0.remarks.append(text) } }

    var remarks: [String] { self.state.withLock { $0.remarks } }
}

/// How many requests are answered, for whoever waits for a number of them.
final class Progress: Sendable {
    private struct State {
        var count = 0
        var isOver = false
        var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var isOver: Bool { self.state.withLock { $0.isOver } }

    func bump() { self.wake { $0.count += 1 } }

    /// Nothing more is answered: nobody waits any more.
    func finish() { self.wake { $0.isOver = true } }

    private func wake(_ change: (inout State) -> Void) {
        let ready = self.state.withLock { state in
            change(&state)
            let (isOver, count) = (state.isOver, state.count)
            defer { state.waiting.removeAll { isOver || $0.count <= count } }
            return state.waiting.filter { isOver || $0.count <= count }
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    func reached(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isReady = self.state.withLock { state in
                guard !state.isOver, state.count < count else { return true }
                state.waiting.append((count, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }
}
