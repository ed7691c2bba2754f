import CQLProtocol
import DualWriteCore
import FoundationEssentials
import Logging
import Operations
import SharedState
import Synchronization
import Testing

@testable import ClusterSync
@testable import DualWriter

/// The control state of a cluster, in memory.
private actor MemoryRegister: SharedRegister {
    private var row: RegisterRow?
    private var entries: [String: ReplicaEntry] = [:]
    private(set) var notes: [SharedRecord] = []

    func read(isSerial: Bool) async throws -> (row: RegisterRow?, entries: [ReplicaEntry]) {
        (self.row, Array(self.entries.values))
    }

    func write(expected: RegisterRow?, _ row: RegisterRow) async throws {
        if self.row?.revision == expected?.revision { self.row = row }
    }

    func announce(_ entry: ReplicaEntry, times: Replica.Times) async throws { self.entries[entry.id] = entry }
    func leave(_ id: String) async throws { self.entries[id] = nil }
    func note(_ record: SharedRecord) async throws {
        if !self.notes.contains(record) { self.notes.append(record) }
    }
}

/// Tables with modes of their own where several replicas share their modes: real controls, proxies that only remember.
struct SharedOverrideTests {
    private struct Bench: Sendable {
        let controls: [SidecarControl]
        let proxies: [FakeProxy]
        let stores: [PhaseStore]
        let registers: [Cluster: MemoryRegister]
    }

    private static var quiet: Logger {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return logger
    }

    private static func control(_ place: Int, _ path: String, _ mode: WriteMode, _ registers: [Cluster: MemoryRegister])
        throws -> (
            SidecarControl, SharedControl, FakeProxy, PhaseStore
        )
    {
        let layers = ConfigurationLayers(
            schema: .sidecar,
            options: [
                ("source.hosts", "a"), ("target.hosts", "b"), ("gates.bulk_load", "off"), ("gates.comparison", "off"),
                ("gates.compared_reads", "off"),
            ],
            environment: [:],
            file: nil
        )
        let store = PhaseStore(folder: try StateFolder(path: "\(path)/\(place)"))
        let memory = try ControlStore.open(store.folder, id: "r\(place)").store
        var pace = SharedControl.Pace()
        (pace.poll, pace.busy) = (.milliseconds(50), .milliseconds(5))
        let shared = SharedControl(
            Replica(id: memory.id, initial: TableModes(ModeStage(mode), .none)),
            times: Replica.Times(),
            address: memory.id,
            registers: registers,
            memory: memory,
            pace: pace,
            logger: Self.quiet
        )
        let proxy = FakeProxy()
        proxy.with { $0.mode = mode }
        var timeouts = DualWriterTimeouts()
        timeouts.shadowWriteMilliseconds = 50
        let control = SidecarControl(
            proxy: proxy,
            store: store,
            phase: PhaseState(mode: mode, epoch: 0, history: []),
            configuration: try SidecarConfiguration(layers) { _ in nil },
            timeouts: timeouts,
            shared: shared,
            stage: ModeStage(mode),
            logger: Self.quiet
        )
        return (control, shared, proxy, store)
    }

    private static func withReplicas(
        count: Int = 3,
        _ mode: WriteMode,
        _ body: @escaping @Sendable (Bench) async throws -> Void
    ) async throws {
        let path = FileManager.default.temporaryDirectory.path + "/cluster-sync-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let registers: [Cluster: MemoryRegister] = [.source: MemoryRegister(), .target: MemoryRegister()]
        let parts = try (0..<count).map { try Self.control($0, path, mode, registers) }
        for part in parts { _ = try await part.1.join(isPatient: true) }
        let bench = Bench(
            controls: parts.map(\.0),
            proxies: parts.map(\.2),
            stores: parts.map(\.3),
            registers: registers
        )
        try await withThrowingTaskGroup(of: Void.self) { group in
            for part in parts { group.addTask { await part.1.run(part.0) } }
            let deadline = ContinuousClock.now + .seconds(60)
            while parts.contains(where: { $0.1.latest.replicas.live.count < count }) {
                try #require(ContinuousClock.now < deadline)
                try await Task.sleep(for: .milliseconds(5))
            }
            let result: Result<Void, any Error>
            do { result = .success(try await body(bench)) } catch { result = .failure(error) }
            group.cancelAll()
            try result.get()
        }
    }

    private static func change(
        _ texts: [(String, String)],
        epoch: Int? = nil,
        force: Bool = false
    ) -> OverridesChange {
        OverridesChange(
            overrides: texts.map { TableOverride(tables: $0.0, mode: $0.1) },
            epoch: epoch,
            reason: "a canary",
            force: force,
            by: "test"
        )
    }

    private static func modes(_ stage: ModeStage, _ texts: String...) throws -> TableModes {
        TableModes(stage, try ModeOverrides(try texts.map { try ModeOverride(parsing: $0) }))
    }

    /// What a replica knows of the others, as soon as it is what it should be.
    private static func replicas(
        of control: SidecarControl,
        when isThere: (ReplicasDocument) -> Bool
    ) async throws -> ReplicasDocument {
        let deadline = ContinuousClock.now + .seconds(60)
        while true {
            let document = await control.replicas()
            if isThere(document) { return document }
            try #require(ContinuousClock.now < deadline, "\(document)")
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    private static func refusal(_ body: () async throws(AdminError) -> Void) async -> AdminError? {
        do {
            try await body()
            return nil
        } catch {
            return error
        }
    }

    @Test func `one change gives all replicas the list, kept, counted once and in the audit of each`() async throws {
        try await Self.withReplicas(.dualWriteAsync) { bench in
            let document = try await bench.controls[1].change(Self.change([("app.log", "0")], epoch: 0))
            #expect(document.epoch == 1 && document.overrides == [.init(tables: "app.log", mode: "PrimaryOnly")])
            let modes = try Self.modes(.dualWriteAsync, "app.log=0")
            for (place, control) in bench.controls.enumerated() {
                #expect(bench.proxies[place].with { $0.entered } == [modes])
                #expect(await control.overrides().overrides == document.overrides)
                #expect(await control.overrides().history.map(\.to) == ["PrimaryOnly"])
                let kept = try #require(try bench.stores[place].load()).state
                #expect(kept.modes == modes && kept.epoch == 1 && kept.history.isEmpty)
                let audit = await control.audit(max: 1).records.first
                #expect(audit?.action == .overrides && audit?.reason == "a canary")
                #expect(audit?.what.contains("app.log DualWriteAsync → PrimaryOnly") == true)
                // It hears of the others in its next round.
                let replicas = try await Self.replicas(of: control) { $0.replicas.map(\.appliedEpoch) == [1, 1, 1] }
                #expect(replicas.overrides == document.overrides && replicas.isWhole)
                // A restart finds it.
                let memory = try ControlStore.open(bench.stores[place].folder, id: nil)
                #expect(memory.kept.record?.modes == modes && memory.kept.promise == nil)
            }
            // The sidecars' own step leaves it alone.
            _ = try await bench.controls[0].change(PhaseChange(mode: "2", by: "test"))
            let later = try Self.modes(.dualWriteSync, "app.log=0")
            #expect(bench.proxies.allSatisfy { $0.with { $0.entered.last } == later })
            #expect(await bench.registers[.target]?.notes.map(\.epoch) == [1, 2])
        }
    }

    @Test func `a table goes to the other primary and back by the stage in which reads are ahead, on all replicas`()
        async throws
    {
        try await Self.withReplicas(.dualWriteAsync) { bench in
            for mode in ["2", "3", "2"] {
                _ = try await bench.controls[2].change(Self.change([("app.t", mode)]))
            }
            // Without an override it goes with the rest.
            _ = try await bench.controls[0].change(Self.change([]))
            let way = try ["2", "ReadsFirst", "3", "ReadsFirst", "2"].map {
                try Self.modes(.dualWriteAsync, "app.t=\($0)")
            }
            for proxy in bench.proxies {
                #expect(proxy.with { $0.entered } == way + [TableModes(.dualWriteAsync, .none)])
            }
            #expect(await bench.controls[1].overrides().epoch == 6)
        }
    }

    @Test func `what one replica cannot do none does, and it is named with its reason`() async throws {
        try await Self.withReplicas(.dualWriteAsync) { bench in
            _ = try await bench.controls[0].change(Self.change([("app.t", "2")]))
            bench.proxies[1].with { $0.configureLeg = { if $0.cluster == .target { $0.deadLetters = 3 } } }
            let refusal = await Self.refusal { () throws(AdminError) in
                _ = try await bench.controls[0].change(Self.change([("app.t", "3")]))
            }
            #expect(refusal?.code == .transitionRefused)
            #expect(refusal?.message.contains("r1 cannot go there: app.t: ") == true, "\(refusal?.message ?? "-")")
            let modes = try Self.modes(.dualWriteAsync, "app.t=2")
            for proxy in bench.proxies { #expect(proxy.with { $0.entered } == [modes]) }
            // By force it goes nevertheless.
            _ = try await bench.controls[0].change(Self.change([("app.t", "3")], force: true))
            let there = try Self.modes(.dualWriteAsync, "app.t=3")
            for proxy in bench.proxies { #expect(proxy.with { $0.entered.last } == there) }
        }
    }

    @Test func `a list of an older epoch, a step that is too far and a list in between that cannot be are refused`()
        async throws
    {
        try await Self.withReplicas(.dualWriteAsync) { bench in
            _ = try await bench.controls[0].change(Self.change([("app.t", "2")], epoch: 0))
            for (change, words) in [
                (Self.change([("app.u", "2")], epoch: 0), "epoch 1 is in force"),
                (Self.change([("app.t", "4")]), "app.t: cannot go from DualWriteSync to TargetOnly"),
            ] {
                let refusal = await Self.refusal { () throws(AdminError) in
                    _ = try await bench.controls[1].change(change)
                }
                #expect(refusal?.code == .transitionRefused && refusal?.message.contains(words) == true)
            }
            #expect(await bench.controls[2].overrides().epoch == 1)
        }
    }

    // MARK: What is kept

    @Test func `modes are one line of JSON that is no stage's name, and of a newer format they are refused`() throws {
        let coding = ModesDocument()
        let modes = try Self.modes(.readsFirst, #""My Ks".*=0"#, "app.t=ReadsFirst")
        let text = coding.text(of: modes)
        #expect(ModeStage(name: text) == nil && !text.contains("\n"))
        #expect(try coding.modes(in: text) == modes)
        let object = try JSONDecoder().decode([String: JSONNumber].self, from: Data(text.utf8))
        #expect(object["format"]?.value == 2)
        for wrong in [
            text.replacing(#""format":2"#, with: #""format":9"#), text.replacing("app.t", with: "a.b.c"), "{}",
            "Sideways",
            text.replacing(#""mode":"ReadsFirst""#, with: #""mode":"Never""#),
        ] {
            #expect(throws: (any Error).self) { try coding.modes(in: wrong) }
        }
    }

    private struct JSONNumber: Decodable {
        let value: Int?
        init(from decoder: any Decoder) throws { self.value = try? decoder.singleValueContainer().decode(Int.self) }
    }

    @Test func `an older program does not go by a promise for tables with modes of their own`() throws {
        let path = FileManager.default.temporaryDirectory.path + "/cluster-sync-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let folder = try StateFolder(path: path)
        let store = try ControlStore.open(folder, id: "r").store
        let change = StageChange(id: .random(), by: "x", reason: nil, forced: false, at: 7)
        var kept = Replica.Kept(record: SharedRecord(epoch: 3, stage: .dualWriteSync, change: change))
        func format() throws -> String? {
            let bytes = try #require(try folder.content(of: ControlStore.name))
            let text = String(decoding: bytes, as: UTF8.self)
            return text.firstMatch(of: #/"format"\s*:\s*(\d+)/#).map { String($0.output.1) }
        }
        try store.keep(kept)
        #expect(try format() == "1")
        let modes = try Self.modes(.dualWriteSync, "app.t=ReadsFirst")
        kept.promise = Proposal(epoch: 4, to: modes, decider: .target, change: change)
        try store.keep(kept)
        #expect(try format() == "2")
        #expect(try ControlStore.open(folder, id: nil).kept == kept)
    }

    @Test func `a replica that comes late notes what became of tables as of now`() throws {
        var phase = PhaseState(mode: .primaryOnly, epoch: 0, history: [])
        let change = StageChange(id: .random(), by: "r0", reason: "ahead", forced: false, at: 7)
        let record = SharedRecord(
            epoch: 9,
            modes: try Self.modes(.dualWriteAsync, "app.t=2", "app.log=0"),
            change: change
        )
        phase.take(record, from: .primaryOnly)
        #expect(phase.modes == record.modes && phase.epoch == 9)
        #expect(phase.history.map(\.to) == ["DualWriteAsync"])
        #expect(phase.tableHistory.map(\.tables) == ["app.t"] && phase.tableHistory[0].reason == "ahead")
        #expect(phase.overrides.map(\.since) == [9, 9] && phase.tablesCopiedSince != nil)
        // Nothing is noted twice.
        phase.take(record, from: .dualWriteAsync)
        #expect(phase.history.count == 1 && phase.tableHistory.count == 1)
    }

    /// By the trail the gates judge whether a load or a comparison began after the copies did.
    @Test(arguments: [WriteMode.primaryOnly, .dualWriteAsync, .dualWriteSync])
    func `a replica with a new folder counts copies from when it has joined, whatever its configuration says`(
        configured: WriteMode
    ) {
        var phase = PhaseState(mode: configured, epoch: 0, history: [])
        let change = StageChange(id: .random(), by: "r0", reason: "go", forced: false, at: 7)
        phase.join(SharedRecord(epoch: 2, stage: .dualWriteAsync, change: change))
        #expect(phase.history.map { [$0.from, $0.to] } == [["PrimaryOnly", "DualWriteAsync"]])

        // One that has been there goes on with what it knows.
        phase.join(SharedRecord(epoch: 3, stage: .dualWriteSync, change: change))
        #expect(phase.history.map(\.from) == ["PrimaryOnly", "DualWriteAsync"])
        phase.join(SharedRecord(epoch: 3, stage: .dualWriteSync, change: change))
        #expect(phase.history.count == 2)
    }
}
