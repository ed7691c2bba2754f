import Synchronization

/// The shop's application: it reads, inserts, updates, deletes and counts through the sidecar, and never stops for the migration.
final class ShopTraffic: Sendable {
    /// What has become of the requests.
    struct Count: Sendable, Hashable {
        var writes = 0
        var reads = 0
        var failed = 0
        var firstError: String?
    }

    private struct State {
        var count = Count()
        var isStopped = false
        var countsVisits = true
        /// Rounds that each worker has begun.
        var rounds = [Int](repeating: 0, count: ShopTraffic.workers + 1)
        var isVisiting = false
    }

    private static let workers = 4
    /// Between two requests of one worker: an application that thinks, not a benchmark.
    private static let pause = Duration.milliseconds(8)
    /// Orders and carts of the application's own have ids from here on.
    private static let ownIDs: Int32 = 1_000

    private let statements: ShopStatements
    private let ledger: ShopLedger
    private let state = Mutex(State())

    init(_ statements: ShopStatements, _ ledger: ShopLedger) {
        self.statements = statements
        self.ledger = ledger
    }

    var count: Count { self.state.withLock { $0.count } }

    func stop() { self.state.withLock { $0.isStopped = true } }

    /// Runs until it is stopped or cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<Self.workers {
                group.addTask { await self.repeating(worker) { try await self.shop(Int32(worker), Int32($0)) } }
            }
            group.addTask { await self.repeating(Self.workers) { try await self.visit(Int32($0)) } }
        }
    }

    /// Returns when every request that had begun before has been answered.
    func passed() async throws {
        let before = self.state.withLock { $0.rounds }
        try await self.wait { state in zip(state.rounds, before).allSatisfy { $0 > $1 } || state.isStopped }
    }

    /// Lets nobody count visits, and returns when nobody does.
    func pauseVisits() async throws {
        self.state.withLock { $0.countsVisits = false }
        try await self.wait { !$0.isVisiting }
    }

    func resumeVisits() { self.state.withLock { $0.countsVisits = true } }

    private func wait(until isTrue: (State) -> Bool) async throws {
        while !self.state.withLock({ isTrue($0) }) { try await Task.sleep(for: .milliseconds(2)) }
    }

    private func repeating(_ worker: Int, _ body: (Int) async throws -> Bool?) async {
        while !Task.isCancelled {
            let round = self.state.withLock { state -> Int? in
                guard !state.isStopped else { return nil }
                state.rounds[worker] += 1
                return state.rounds[worker]
            }
            guard let round else { return }
            do {
                let isWrite = try await body(round)
                self.state.withLock { state in
                    guard let isWrite else { return }
                    if isWrite { state.count.writes += 1 } else { state.count.reads += 1 }
                }
                try await Task.sleep(for: Self.pause)
            } catch is CancellationError {
                return
            } catch {
                self.state.withLock { state in
                    state.count.failed += 1
                    state.count.firstError = state.count.firstError ?? "\(error)"
                }
            }
        }
    }

    /// One request; whether it was a write. Workers have rows of their own, so that it is known which write was the last one.
    private func shop(_ worker: Int32, _ round: Int32) async throws -> Bool? {
        let own = Self.ownIDs + worker
        let others = Shop.quietCustomers.lowerBound / Int32(Self.workers)
        let customer = (round * 7 % others) * Int32(Self.workers) + worker
        switch round % 8 {
        case 0: try await self.statements.addOrder(own, round, "order \(round)", self.ledger)
        case 1:
            let order = round % Int32(Shop.ordersOfCustomer - 2)
            try await self.statements.annotate(customer, order, "annotated in \(round)", self.ledger)
        case 2: try await self.statements.fillCart(own + round * 10, "basket \(round)", self.ledger)
        case 3: try await self.statements.renameCustomer(customer, "renamed in \(round)", self.ledger)
        case 4:
            try await self.statements.cancelOrder(customer, Int32(Shop.ordersOfCustomer) - 1, self.ledger)
        case 5:
            if round > 40 { try await self.statements.cancelOrder(own, round - 37, self.ledger) } else { return nil }
        default:
            try await self.statements.readOrder(customer, round % Int32(Shop.ordersOfCustomer))
            return false
        }
        return true
    }

    private func visit(_ round: Int32) async throws -> Bool? {
        let mayVisit = self.state.withLock { state in
            state.isVisiting = state.countsVisits
            return state.isVisiting
        }
        guard mayVisit else { return nil }
        defer { self.state.withLock { $0.isVisiting = false } }
        try await self.statements.visit(round % Int32(Shop.pages), self.ledger)
        return true
    }
}
