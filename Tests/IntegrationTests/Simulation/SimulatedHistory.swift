import CQLProtocol
import DualWriteCore
import DualWriter
import NIOCore
import NIOPosix
import TestSupport

/// A script at work.
actor SimulatedHistory {
    /// How one history has ended.
    struct Result: Sendable {
        var findings: [String]
        var reasons: [DoubtReason: Int] = [:]
        var outcomes: [Ledger.Outcome: Int] = [:]
        var time = Duration.zero
    }

    private let script: SimulationScript
    private let source = SimulatedCluster(.source)
    private let target = SimulatedCluster(.target)
    private let disk = SimulatedDisk()
    private let ledger: Ledger
    private let stalls = StallWatch(MultiThreadedEventLoopGroup.singleton)
    private var mode: WriteMode
    private var folder: TemporaryFolder
    /// Sidecars that were killed and whose threads go on.
    private var dead: [SimulatedSidecar] = []
    /// The clusters whose journals the last death has left damaged.
    private var damaged: Set<Cluster> = []

    private init(_ script: SimulationScript) throws {
        self.script = script
        self.mode = script.settings.mode
        self.ledger = Ledger(mode: script.settings.mode)
        self.folder = try TemporaryFolder()
    }

    static func run(_ script: SimulationScript) async -> Result {
        let start = ContinuousClock.now
        var result: Result
        do {
            let history = try SimulatedHistory(script)
            do {
                result = try await history.run()
            } catch {
                result = await history.brokenOff(by: error)
            }
            await history.cleanUp()
        } catch {
            result = Result(findings: ["the history cannot begin: \(error)"])
        }
        result.time = ContinuousClock.now - start
        return result
    }

    private func brokenOff(by error: any Error) -> Result {
        Result(findings: ["the history broke off: \(error)"] + self.ledger.remarks)
    }

    private func cleanUp() async {
        self.stalls.stop()
        for sidecar in self.dead { await sidecar.buried() }
        for cluster in [self.source, self.target] { await cluster.kill() }
    }

    private func cluster(_ name: Cluster) -> SimulatedCluster { name == .source ? self.source : self.target }

    private func run() async throws -> Result {
        for cluster in [self.source, self.target] {
            try await cluster.start(anew: true)
            try await cluster.makeTables()
        }
        var result = Result(findings: [])
        for (index, life) in self.script.lives.enumerated() {
            let sidecar = try await SimulatedSidecar.start(
                self.script.settings,
                mode: self.mode,
                between: self.source,
                and: self.target,
                in: self.folder,
                self.disk
            )
            if index > 0 { self.expectDoubt(of: self.script.lives[index - 1].end, sidecar.service) }
            let isKilled = try await self.live(life, sidecar)
            if isKilled { continue }
            if case .settle = life.end {
                try await self.heal()
                result = await self.settle(sidecar)
            }
            try await sidecar.stop()
            try await self.heal()
        }
        result.findings += self.ledger.remarks
        return result
    }

    // MARK: A life

    /// - Returns: whether the sidecar was killed.
    private func live(_ life: SimulationScript.Life, _ sidecar: SimulatedSidecar) async throws -> Bool {
        guard let address = sidecar.service.boundAddress else { throw SimulatedSidecar.NotUp() }
        let progress = Progress()
        var opened: [TestClient] = []
        for _ in life.clients {
            let client = try await TestClient.connect(to: address, on: MultiThreadedEventLoopGroup.singleton)
            let answer = try await client.ask(.startup(["CQL_VERSION": "3.0.0"]))
            if answer != .ready { self.ledger.remark("a sidecar that is ready says to STARTUP: \(answer)") }
            opened.append(client)
        }
        let clients = opened
        async let end = self.operate(life, sidecar, progress, clients)
        await withTaskGroup(of: Void.self) { group in
            for (number, operations) in life.clients.enumerated() {
                var client = SimulatedClient(number, clients[number], self.ledger, progress)
                group.addTask { await client.run(operations) }
            }
        }
        progress.finish()
        let left = await end
        for client in clients where !client.unasked.isEmpty {
            self.ledger.remark("answers that nobody has asked for: \(client.unasked)")
        }
        guard let left else {
            for client in clients { await client.close() }
            return false
        }
        self.disk.set(isFull: false)
        self.dead.append(sidecar)
        self.folder = left
        self.damaged = []
        if case .kill(_, let damage?) = life.end,
            try damage.journal.inflict(on: left, log: "\(damage.cluster)-0")
        {
            self.damaged = [damage.cluster]
        }
        for cluster in [self.source, self.target] {
            await cluster.kill()
            cluster.setFaults([])
            try await cluster.start(anew: true)
        }
        return true
    }

    private func heal() async throws {
        self.disk.set(isFull: false)
        for cluster in [self.source, self.target] {
            cluster.setFaults([])
            try await cluster.start()
        }
    }

    /// Does what a script does beside its clients.
    ///
    /// - Returns: what a sidecar that was killed has left behind.
    private func operate(
        _ life: SimulationScript.Life,
        _ sidecar: SimulatedSidecar,
        _ progress: Progress,
        _ clients: [TestClient]
    ) async -> TemporaryFolder? {
        var death = Int.max
        if case .kill(let after, _) = life.end { death = after }
        for (after, event) in life.events where after <= death {
            await progress.reached(after)
            guard !progress.isOver else { break }
            await self.happen(event, sidecar.service)
        }
        guard death < .max else { return nil }
        await progress.reached(death)
        progress.finish()
        for cluster in [self.source, self.target] { cluster.freeze() }
        for client in clients { await client.close() }
        do {
            return try await sidecar.kill()
        } catch {
            self.ledger.remark("not killed: \(error)")
            return nil
        }
    }

    private func happen(_ event: SimulatedEvent, _ service: DualWriterService) async {
        switch event {
        case .faults(let cluster, let faults, let seed):
            self.cluster(cluster).setFaults(faults.map(\.rule), seed: seed)
        case .disconnect(let cluster): await self.cluster(cluster).disconnect()
        case .disk(let isFull): self.disk.set(isFull: isFull)
        case .forgetPrepared(let cluster): self.cluster(cluster).forgetPrepared()
        case .killNode(let cluster): await self.cluster(cluster).kill()
        case .startNode(let cluster):
            do {
                try await self.cluster(cluster).start()
            } catch {
                self.ledger.remark("the \(cluster) does not start again: \(error)")
            }
        case .mode(let mode, let force): await self.change(to: mode, force: force, service)
        }
    }

    private func change(to mode: WriteMode, force: Bool, _ service: DualWriterService) async {
        let (former, begin) = (self.mode, self.ledger.now())
        self.ledger.modeMayBecome(mode)
        let isDone: Bool
        do {
            try await service.setMode(mode, force: force, reason: force ? "simulated" : nil)
            isDone = true
        } catch {
            isDone = false
        }
        self.mode = service.mode.mode
        self.ledger.modeIs(self.mode)
        guard isDone, !force, mode.primary != former.primary else { return }
        // Whoever lets a cluster become primary has said that it lacks nothing of what was acknowledged before.
        let contents = self.cluster(mode.primary).contents
        let entries = self.ledger.entries.map { entry in
            var entry = entry
            if entry.end > begin, entry.outcome == .acknowledged { entry.outcome = .unknown }
            return entry
        }
        let verdict = Verdict(entries: entries, dirty: [])
        for finding in verdict.missing(contents, on: mode.primary) {
            self.ledger.remark("the \(mode.primary) was let become primary: \(finding)")
        }
    }

    // MARK: The end

    /// What damage to a journal must lead to.
    private func expectDoubt(of end: SimulationScript.End, _ service: DualWriterService) {
        guard case .kill(_, let damage?) = end, self.damaged.contains(damage.cluster) else { return }
        let isMarked = service.dirtyPartitions(max: .max).contains {
            $0.cluster == damage.cluster && $0.reason == .damaged && $0.place.keyspace.isEmpty
        }
        if !isMarked { self.ledger.remark("the damage of the \(damage.cluster)'s journal left no doubt") }
    }

    /// As an operator does: a journal whose disk was full a moment ago looks for room again within a second.
    private func retryDeadLetters(of cluster: Cluster, _ service: DualWriterService) async {
        for _ in 0..<50 {
            let wanted = service.deadLetterIDs(of: cluster).count
            let taken = (try? await service.retryDeadLetters(of: cluster, ids: nil)) ?? 0
            if taken >= wanted { return }
            try? await Task.sleep(for: .milliseconds(100))
        }
    }

    private func settle(_ sidecar: SimulatedSidecar) async -> Result {
        let service = sidecar.service
        var result = Result(findings: [])
        let isConnected = await sidecar.waits { $0.legs.allSatisfy(\.isConnected) }
        if !isConnected { result.findings.append("the sidecar does not find its clusters again") }
        for _ in 0..<5 {
            let isEmpty = await sidecar.waits { status in status.legs.allSatisfy { $0.shadowWritesQueued == 0 } }
            if !isEmpty { result.findings.append("not delivered: \(await service.status().legs)") }
            guard isEmpty, !service.deadLetters(max: 1).isEmpty else { break }
            for cluster in Cluster.allCases {
                if self.script.settings.discardsDeadLetters {
                    _ = try? await service.discardDeadLetters(of: cluster, ids: nil)
                } else {
                    await self.retryDeadLetters(of: cluster, service)
                }
            }
        }
        let letters = service.deadLetters(max: 10)
        if !letters.isEmpty { result.findings.append("dead letters that nobody can deliver: \(letters)") }
        let dirty = service.dirtyPartitions(max: .max)
        let verdict = Verdict(entries: self.ledger.entries, dirty: dirty, stallSeconds: self.stalls.secondsMax)
        let contents = PerCluster(source: self.source.contents, target: self.target.contents)
        result.findings += verdict.all(contents) + ExpectedReasons(self.script).findings(dirty)
        for partition in dirty { result.reasons[partition.reason, default: 0] += 1 }
        for entry in self.ledger.entries { result.outcomes[entry.outcome, default: 0] += 1 }
        return result
    }
}
