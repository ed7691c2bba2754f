import DualWriteCore
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Histories of concurrent clients, faults, changes of the mode and deaths of the sidecar, each made of one number.
///
/// What must hold after each of them is said in docs/semantics.md, "What is kept". `CLUSTER_SYNC_SIMULATION_SECONDS` makes the
/// run longer, `CLUSTER_SYNC_SIMULATION_SEED` repeats one history, `CLUSTER_SYNC_SIMULATION_TIMES` so many times. So many
/// histories go on at once as `CLUSTER_SYNC_SIMULATION_WIDTH` says, until as many have failed as `CLUSTER_SYNC_SIMULATION_FAILURES`
/// says. Sockets and timers are real: a seed repeats what is asked for and what goes wrong, not each interleaving.
@Suite(.serialized)
struct SimulationTests {
    private static func number(_ name: String) -> Int? {
        getenv("CLUSTER_SYNC_SIMULATION_\(name)").flatMap { Int(String(cString: $0)) }
    }

    @Test func `after whatever has happened both clusters hold what was acknowledged`() async {
        var summary = SimulationSummary()
        if let seed = Self.number("SEED") {
            for _ in 0..<(Self.number("TIMES") ?? 1) {
                let script = ScriptWriter.script(of: UInt64(seed))
                summary.add(script, await SimulatedHistory.run(script))
            }
        } else {
            let seconds = Self.number("SECONDS") ?? 60
            summary = await Self.many(for: .seconds(seconds))
        }
        for failure in summary.failures { Issue.record("\(failure)") }
        #expect(summary.histories > 0)
        if Self.number("SECONDS") != nil || Self.number("SEED") != nil { Self.say("\(summary)\n") }
    }

    private static func say(_ text: String) {
        var text = text
        text.withUTF8 { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// Histories one after the other, several at a time, until the time is over or enough have failed.
    private static func many(for time: Duration) async -> SimulationSummary {
        let deadline = ContinuousClock.now + time
        let first = UInt64.random(in: 0...UInt64(UInt32.max))
        let width = Self.number("WIDTH") ?? 6
        let isLong = Self.number("SECONDS") != nil
        let failuresMax = Self.number("FAILURES") ?? 3
        return await withTaskGroup(of: (SimulationScript, SimulatedHistory.Result).self) { group in
            var summary = SimulationSummary()
            var next = first
            func start() {
                let script = ScriptWriter.script(of: next)
                next += 1
                // Where the whole process ends with one of them, the last lines name it.
                if isLong { Self.say("seed \(script.seed)\n") }
                group.addTask { (script, await SimulatedHistory.run(script)) }
            }
            for _ in 0..<width { start() }
            for await (script, result) in group {
                summary.add(script, result)
                if ContinuousClock.now < deadline, summary.failures.count < failuresMax { start() }
            }
            return summary
        }
    }
}

/// What a run of many histories has come to.
struct SimulationSummary: CustomStringConvertible {
    private(set) var histories = 0
    private(set) var failures: [String] = []
    private var slowest: (seed: UInt64, time: Duration) = (0, .zero)
    private var kinds: [String: Int] = [:]
    private var reasons: [DoubtReason: Int] = [:]
    private var outcomes: [Ledger.Outcome: Int] = [:]

    mutating func add(_ script: SimulationScript, _ result: SimulatedHistory.Result) {
        self.histories += 1
        if result.time > self.slowest.time { self.slowest = (script.seed, result.time) }
        self.kinds["\(script.settings.mode)", default: 0] += 1
        self.kinds["\(script.lives.count) lives", default: 0] += 1
        if script.hasKill { self.kinds["kill -9", default: 0] += 1 }
        if script.hasDamage { self.kinds["damage", default: 0] += 1 }
        if script.settings.hasSmallJournal { self.kinds["full journal", default: 0] += 1 }
        if script.hasFullDisk { self.kinds["full disk", default: 0] += 1 }
        if script.hasTruncate { self.kinds["TRUNCATE", default: 0] += 1 }
        self.reasons.merge(result.reasons, uniquingKeysWith: +)
        self.outcomes.merge(result.outcomes, uniquingKeysWith: +)
        guard !result.findings.isEmpty else { return }
        self.failures.append(
            "seed \(script.seed) (CLUSTER_SYNC_SIMULATION_SEED=\(script.seed)):\n"
                + result.findings.prefix(20).joined(separator: "\n") + "\n\(script)"
        )
    }

    var description: String {
        func list<Key>(_ counts: [Key: Int]) -> String {
            counts.map { "\($0.key): \($0.value)" }.sorted().joined(separator: ", ")
        }
        return
            "\(self.histories) histories, \(self.failures.count) failed; \(list(self.kinds)); requests \(list(self.outcomes)); "
            + "doubts \(list(self.reasons)); slowest \(self.slowest.seed) with \(self.slowest.time)"
    }
}
