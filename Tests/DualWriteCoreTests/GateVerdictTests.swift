import DualWriteCore
import Testing

struct GateVerdictTests {
    private static let hour: Int64 = 3_600_000
    private static let now: Int64 = 1_000 * hour

    /// Figures by which every step is safe.
    private static var fine: GateFigures {
        var figures = GateFigures(now: self.now)
        for cluster in Cluster.allCases {
            figures.legs[cluster].isConnected = true
            figures.legs[cluster].writes = 10_000
        }
        figures.legs[.target].completeSince = self.now - 20 * self.hour
        figures.comparedReads = 5_000
        figures.clockSkewMilliseconds = 5
        figures.loads = [
            LoadEvidence(
                job: "load",
                state: .complete,
                beganAt: self.now - 19 * self.hour,
                at: self.now - 10 * self.hour,
                covered: 1,
                deadLetters: 0,
                tables: ["shop.orders"]
            )
        ]
        figures.comparison = ComparisonEvidence(
            job: "compare",
            verdict: .inSync,
            beganAt: self.now - 9 * self.hour,
            at: self.now - 8 * self.hour,
            covered: 1,
            sampledPercentage: 100,
            differences: 0,
            tables: ["shop.orders"]
        )
        return figures
    }

    private static func vetoes(
        _ from: WriteMode,
        _ to: WriteMode,
        _ settings: GateSettings = GateSettings(),
        _ change: (inout GateFigures) -> Void = { _ in }
    ) -> [Gate.Name] {
        var figures = self.fine
        change(&figures)
        return GateVerdict(ModeStep(from: from, to: to), figures, settings).vetoes.map(\.name)
    }

    @Test(arguments: zip(WriteMode.allCases, WriteMode.allCases.dropFirst()))
    func `where everything is well each step forward and back is allowed`(from: WriteMode, to: WriteMode) {
        #expect(Self.vetoes(from, to) == [])
        #expect(Self.vetoes(to, from) == [])
    }

    struct Trouble: Sendable, CustomTestStringConvertible {
        let gate: Gate.Name
        let name: String
        let change: @Sendable (inout GateFigures) -> Void
        init(_ gate: Gate.Name, _ name: String, _ change: @escaping @Sendable (inout GateFigures) -> Void) {
            (self.gate, self.name, self.change) = (gate, name, change)
        }
        var testDescription: String { "\(self.gate): \(self.name)" }
    }

    private static let troubles: [Trouble] = [
        Trouble(.connected, "away") { $0.legs[.target].isConnected = false },
        Trouble(.connected, "a node is silent") { $0.legs[.target].answers = .init(answered: 2, missing: ["a"]) },
        Trouble(.connected, "nobody could be asked") { $0.legs[.target].answers = .init() },
        Trouble(.backlog, "one write is owed for long") { $0.legs[.target].owes(1) },
        Trouble(.errorRate, "more than 1 %") { $0.legs[.target].failures = 101 },
        Trouble(.deadLetters, "one") { $0.legs[.target].deadLetters = 1 },
        Trouble(.losses, "one") { $0.legs[.target].losses = 1 },
        Trouble(.mismatches, "one") { $0.mismatches = 1 },
        Trouble(.clockSkew, "more than a second") { $0.clockSkewMilliseconds = 1_001 },
        Trouble(.bulkLoad, "no report") { $0.loads = [] },
        Trouble(.bulkLoad, "at work") { $0.loads[0].state = .running },
        Trouble(.bulkLoad, "99.99 %") { $0.loads[0].covered = 0.9999 },
        Trouble(.bulkLoad, "dead letters") { $0.loads[0].deadLetters = 1 },
        Trouble(.bulkLoad, "begun before dual writing") { $0.legs[.target].completeSince = $0.loads[0].beganAt + 1 },
        Trouble(.comparison, "no report") { $0.comparison = nil },
        Trouble(.comparison, "differs") { $0.comparison?.verdict = .differs },
        Trouble(.comparison, "incomplete") { $0.comparison?.verdict = .incomplete },
        Trouble(.comparison, "a part of the tokens") { $0.comparison?.covered = 0.99 },
        Trouble(.comparison, "a sample") { $0.comparison?.sampledPercentage = 50 },
        Trouble(.comparison, "too old") { $0.now += 17 * 3_600_000 },
        Trouble(.comparison, "begun before the load's end") { $0.comparison?.beganAt = $0.loads[0].at - 1 },
        Trouble(.comparison, "a loaded table is missing") { $0.loads[0].tables.insert("shop.carts") },
    ]

    @Test(arguments: troubles)
    func `each gate alone stands against the step that makes the target primary`(trouble: Trouble) {
        #expect(Self.vetoes(.dualWriteSync, .shadowPrimary, GateSettings(), trouble.change) == [trouble.gate])
        var settings = GateSettings()
        settings[trouble.gate] = .warn
        #expect(Self.vetoes(.dualWriteSync, .shadowPrimary, settings, trouble.change) == [])
        settings[trouble.gate] = .off
        var figures = Self.fine
        trouble.change(&figures)
        let verdict = GateVerdict(ModeStep(from: .dualWriteSync, to: .shadowPrimary), figures, settings)
        #expect(verdict.isAllowed && !verdict.gates.contains { $0.name == trouble.gate })
    }

    @Test func `the nodes that give no answer are named, and as many are let pass as is configured`() throws {
        var figures = Self.fine
        func connected(_ silentNodes: Int) throws -> Gate {
            var settings = GateSettings()
            settings.limits.silentNodes = silentNodes
            let verdict = GateVerdict(ModeStep(from: .dualWriteAsync, to: .dualWriteSync), figures, settings)
            return try #require(verdict.gates.first { $0.name == .connected })
        }
        figures.legs[.target].answers = .init(answered: 3, slowestMilliseconds: 7)
        #expect(try connected(0).figure == "3 of 3 connected nodes answer, the slowest after 7 ms")
        figures.legs[.target].answers = .init(
            answered: 1,
            slowestMilliseconds: 7,
            missing: ["a (silent for 41 s)", "b", "c", "d"]
        )
        let refused = try connected(3)
        #expect(refused.vetoes && refused.threshold == "all but 3, within 2 s")
        #expect(refused.figure == "1 of 5 connected nodes answer, the slowest after 7 ms")
        #expect(refused.words.contains("a (silent for 41 s), b, c and 1 more"))
        #expect(try connected(4).holds)
        // Where nobody answers, nothing is let pass.
        figures.legs[.target].answers = .init(missing: ["a"])
        #expect(try !connected(4).holds)
    }

    @Test func `the cluster that stays is asked, not the one that is left`() {
        #expect(ModeStep(from: .shadowPrimary, to: .targetOnly).needed == .target)
        #expect(ModeStep(from: .shadowPrimary, to: .dualWriteSync).needed == .source)
        #expect(ModeStep(from: .primaryOnly, to: .dualWriteAsync).needed == .target)
        #expect(ModeStep(from: .targetOnly, to: .shadowPrimary).needed == .source)
        #expect(ModeStep(from: .dualWriteSync, to: .dualWriteAsync).needed == nil)
    }

    @Test func `few compared reads are named, and stand against the step where that is configured`() {
        var settings = GateSettings()
        #expect(Self.vetoes(.dualWriteSync, .shadowPrimary, settings) { $0.comparedReads = 999 } == [])
        settings[.comparedReads] = .veto
        #expect(Self.vetoes(.dualWriteSync, .shadowPrimary, settings) { $0.comparedReads = 999 } == [.comparedReads])
    }

    @Test func `copies begin as soon as the target is there`() {
        let trouble: (inout GateFigures) -> Void = { figures in
            for cluster in Cluster.allCases { figures.legs[cluster] = .init() }
            figures.legs[.target].isConnected = true
            figures.legs[.target].deadLetters = 5
            (figures.loads, figures.comparison) = ([], nil)
        }
        #expect(Self.vetoes(.primaryOnly, .dualWriteAsync, GateSettings(), trouble) == [])
        #expect(Self.vetoes(.primaryOnly, .dualWriteAsync) { $0.legs[.target].isConnected = false } == [.connected])
    }

    @Test func `clients wait for a target that is only a little behind`() {
        #expect(
            Self.vetoes(.dualWriteAsync, .dualWriteSync) { figures in
                figures.legs[.target].records = 1_000
                figures.legs[.target].oldestMilliseconds = 5_000
                (figures.loads, figures.comparison) = ([], nil)
            } == []
        )
        #expect(Self.vetoes(.dualWriteAsync, .dualWriteSync) { $0.legs[.target].records = 1_001 } == [.backlog])
        #expect(
            Self.vetoes(.dualWriteAsync, .dualWriteSync) { $0.legs[.target].oldestMilliseconds = 5_001 } == [.backlog]
        )
        #expect(Self.vetoes(.dualWriteAsync, .dualWriteSync) { $0.legs[.target].deadLetters = 1 } == [.deadLetters])
    }

    @Test func `steps back that change no primary ask for nothing`() {
        let nothing: (inout GateFigures) -> Void = { $0 = GateFigures(now: $0.now) }
        #expect(Self.vetoes(.dualWriteAsync, .primaryOnly, GateSettings(), nothing) == [])
        #expect(Self.vetoes(.dualWriteSync, .dualWriteAsync, GateSettings(), nothing) == [])
    }

    @Test func `the rollback after cut-over asks for what the source is owed, and for no load`() {
        let step = (WriteMode.shadowPrimary, WriteMode.dualWriteSync)
        #expect(
            Self.vetoes(step.0, step.1) { figures in
                (figures.loads, figures.comparison) = ([], nil)
                figures.legs[.target].isConnected = false
                figures.legs[.target].failures = 10_000
            } == []
        )
        #expect(Self.vetoes(step.0, step.1) { $0.legs[.source].owes(1) } == [.backlog])
        #expect(Self.vetoes(step.0, step.1) { $0.legs[.source].deadLetters = 1 } == [.deadLetters])
        #expect(Self.vetoes(step.0, step.1) { $0.legs[.source].losses = 1 } == [.losses])
        #expect(Self.vetoes(step.0, step.1) { $0.legs[.source].isConnected = false } == [.connected])
    }

    @Test func `what is on its way stands against no step, which waits for it, and costs nothing`() {
        for (from, to, owed) in [
            (WriteMode.dualWriteSync, WriteMode.shadowPrimary, Cluster.target),
            (.shadowPrimary, .dualWriteSync, .source),
            (.shadowPrimary, .targetOnly, .source),
        ] {
            #expect(Self.vetoes(from, to) { $0.legs[owed].owes(50, milliseconds: 1_000) } == [])
            #expect(Self.vetoes(from, to) { $0.legs[owed].owes(1, milliseconds: 1_001) } == [.backlog])
        }
        var figures = Self.fine
        let step = ModeStep(from: .shadowPrimary, to: .dualWriteSync)
        figures.legs[.source].owes(3, milliseconds: 20)
        #expect(step.cost(figures) == nil)
        figures.legs[.source].owes(3)
        #expect(step.cost(figures)?.contains("lacks 3 writes") == true)
    }

    @Test func `a source that was without writes answers only when a later comparison has found it whole`() {
        let step = (WriteMode.shadowPrimary, WriteMode.dualWriteSync)
        #expect(Self.vetoes(step.0, step.1) { $0.legs[.source].completeSince = $0.now } == [.comparison])
        #expect(Self.vetoes(step.0, step.1) { $0.legs[.source].completeSince = $0.comparison?.beganAt } == [])
    }

    @Test func `the source is left when it has everything, and that ends the way back`() {
        #expect(Self.vetoes(.shadowPrimary, .targetOnly) { $0.legs[.source].owes(1) } == [.backlog])
        #expect(Self.vetoes(.shadowPrimary, .targetOnly) { $0.mismatches = 1 } == [.mismatches])
        #expect(Self.vetoes(.shadowPrimary, .targetOnly) { $0.legs[.target].isConnected = false } == [.connected])
        let there = GateVerdict(ModeStep(from: .shadowPrimary, to: .targetOnly), Self.fine, GateSettings())
        #expect(there.cost?.contains("way back ends") == true)
        let back = GateVerdict(ModeStep(from: .targetOnly, to: .shadowPrimary), Self.fine, GateSettings())
        #expect(back.cost?.contains("are not on the source") == true)
    }

    @Test func `workers of one job are taken together`() {
        func report(_ job: String, _ covered: Double, _ at: Int64, _ began: Int64, _ letters: Int) -> LoadEvidence {
            LoadEvidence(
                job: job,
                state: covered < 1 ? .running : .complete,
                beganAt: began,
                at: at,
                covered: covered,
                deadLetters: letters
            )
        }
        let whole = LoadEvidence.combined([
            report("b", 1, 5, 4, 0), report("a", 1, 20, 8, 0), report("a", 0.5, 10, 7, 3),
        ])
        #expect(whole.map(\.job) == ["a", "b"])
        #expect(whole[0] == report("a", 1, 20, 7, 3))
        #expect(!whole[0].isWhole && whole[1].isWhole)
    }

    @Test func `a window tells what has been added in it, in few samples`() {
        var window = GateWindow(seconds: 60)
        var sample = GateWindow.Sample()
        for second in 0..<1_000 {
            sample.writes[.target] = UInt64(second)
            window.record(sample, at: Int64(second) * 1_000)
        }
        let growth = window.growth(to: sample).writes[.target]
        #expect((60...62).contains(growth))
        #expect(GateWindow(seconds: 60).growth(to: sample).writes[.target] == 999)
    }
}

extension GateFigures.Leg {
    /// Makes it owe writes, the oldest for so long.
    fileprivate mutating func owes(_ records: Int, milliseconds: Int = 2_000) {
        self.records = records
        self.oldestMilliseconds = milliseconds
    }
}
