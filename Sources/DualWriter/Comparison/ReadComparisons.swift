import CQLClient
import CQLProtocol
import CQLSyntax
import DualWriteCore
import Logging
import NIOCore

/// The comparison of one loop's live reads: which ones, how many at a time, and what came of them.
///
/// The client has its answer before anything is done here; what is sent and looked at comes in a later turn of the loop, behind
/// what clients wait for. ``ComparisonCourse`` decides how a comparison goes on. Bound to its loop.
final class ReadComparisons {
    /// How long a comparison waits for copies that the shadow is owed, in milliseconds.
    private static var patienceMilliseconds: Int64 { 10_000 }

    /// Its owner, which outlives it.
    private unowned(unsafe) let loop: DualWriterLoop
    /// What all loops of the process owe; nil where this one is alone.
    var progress: OwedProgress?
    private var sampler: ReadSampler
    private var active: [ReadComparison] = []
    private var complaints = Complaints()

    init(loop: DualWriterLoop) {
        self.loop = loop
        self.sampler = ReadSampler(seed: loop.settings.comparison.seed ?? UInt64.random(in: .min ... .max))
        self.settingsChanged()
    }

    /// Comparisons under way.
    var count: Int { self.active.count }

    /// Takes over the percentage; comparisons under way go on.
    func settingsChanged() {
        self.sampler.choose(percentage: self.loop.settings.comparison.percentage)
    }

    // MARK: Choosing

    /// Perhaps compares a read whose client has just got these rows.
    func consider(
        _ request: ProxiedRequest,
        answeredBy cluster: Cluster,
        _ opcode: Opcode,
        _ flags: FrameFlags,
        _ body: UnsafeRawBufferPointer
    ) {
        guard self.sampler.picks(), opcode == .result, AnswerLayout.resultKind(body, flags: flags) == 2,
            cluster == request.tableStage.mode.primary, let shadow = request.tableStage.mode.shadow,
            !self.loop.isDraining
        else { return }
        switch self.choose(request, shadow, answerBytes: body.count) {
        case .failure(let skip):
            self.loop.counters.comparison.skipped[skip.reason, default: 0] += 1
        case .success(let comparison):
            self.active.append(comparison)
            let answer = ByteBuffer(bytes: body)
            self.later {
                guard let rows = AnswerDecoder.rows(answer, flags: flags) else {
                    self.end(comparison, .unreadable)
                    return
                }
                comparison.course = ComparisonCourse(comparison.read, primary: rows)
                self.carryOut(.read(.shadow), comparison)
            }
        }
    }

    private struct Skipped: Error { let reason: ComparisonCounters.Skip }

    private func choose(
        _ request: ProxiedRequest,
        _ shadow: Cluster,
        answerBytes: Int
    ) -> Result<ReadComparison, Skipped> {
        func skip(_ reason: ComparisonCounters.Skip) -> Result<ReadComparison, Skipped> {
            .failure(.init(reason: reason))
        }
        let limits = self.loop.limits
        guard self.active.count < limits.comparisonsMax else { return skip(.busy) }
        guard answerBytes + request.body.count <= limits.comparisonBytesMax else { return skip(.tooLong) }
        let lane = self.loop.lane(shadow)
        guard !lane.isBehind, !lane.isHeldBack else { return skip(.behind) }
        let bytes = request.body.bytes
        let layout = request.opcode == .execute ? RequestLayout(execute: bytes) : RequestLayout(query: bytes)
        guard let layout, let read = self.loop.comparedRead(request, layout) else { return skip(.statement) }
        guard layout.pagingState?.isEmpty != false else { return skip(.laterPage) }
        guard request.identity?.pool(shadow)?.isReady == true else { return skip(.disconnected) }
        var body = ByteBuffer(bytes: bytes)
        // Rows are told apart by their columns, whatever the client knows of these.
        body.setInteger(
            layout.flags.subtracting(.skipMetadata).rawValue,
            at: body.readerIndex + layout.flagsOffset
        )
        return ReadComparison(request, read, shadow: shadow, body: body).map { .success($0) } ?? skip(.statement)
    }

    // MARK: Going on

    /// Behind everything that is to be done in this turn of the loop.
    private func later(_ body: @escaping () -> Void) {
        // Held, so that it is still there in its last turn.
        let loop = self.loop
        loop.eventLoop.assumeIsolated().execute { if !loop.isStopped { body() } }
    }

    /// A cluster's answer to a read of a comparison.
    func answered(_ request: ProxiedRequest, _ opcode: Opcode, _ flags: FrameFlags, _ body: UnsafeRawBufferPointer) {
        guard let comparison = request.comparison else { preconditionFailure("a comparison's read without it") }
        self.loop.finish(request)
        let isTooLong = body.count > self.loop.limits.comparisonBytesMax
        let answer = opcode == .result && !isTooLong ? ByteBuffer(bytes: body) : nil
        self.later {
            guard !comparison.isOver else { return }
            if opcode == .result, isTooLong {
                self.close(comparison, .tooLong)
            } else if let rows = answer.flatMap({ AnswerDecoder.rows($0, flags: flags) }),
                let action = comparison.course?.answered(rows)
            {
                self.carryOut(action, comparison)
            } else if let action = comparison.course?.failed() {
                self.carryOut(action, comparison)
            }
        }
    }

    private func carryOut(_ action: ComparisonCourse.Action, _ comparison: ReadComparison) {
        comparison.wait = nil
        let read = comparison.read
        let mode = self.loop.settings.modes.stage(keyspace: read.keyspace, table: read.table).mode
        if case .end(let outcome) = action { return self.end(comparison, outcome) }
        guard mode.primary == comparison.primary, mode.shadow == comparison.shadow, !self.loop.isDraining else {
            return self.end(comparison, .undecided)
        }
        switch action {
        case .read(let side):
            let cluster = side == .primary ? comparison.primary : comparison.shadow
            guard !self.loop.read(comparison, from: cluster), let action = comparison.course?.failed() else { return }
            self.carryOut(action, comparison)
        case .settle:
            let pause = Int64(self.loop.settings.comparison.settleMilliseconds) * 1_000_000
            comparison.wait = .settle(until: self.loop.now + pause)
        case .drain:
            let until = self.loop.now + Self.patienceMilliseconds * 1_000_000
            comparison.wait = .drain(since: self.loop.wallMilliseconds, until: until)
            self.proceed(comparison)
        case .end:
            break
        }
    }

    /// Wakes the comparisons whose wait is over; called by the loop's regular sweep.
    func proceed() {
        self.progress?.publish(self.loop)
        guard !self.active.isEmpty else { return }
        for comparison in self.active where comparison.wait != nil { self.proceed(comparison) }
    }

    private func proceed(_ comparison: ReadComparison) {
        switch comparison.wait {
        case nil: return
        case .settle(let until):
            guard self.loop.now >= until else { return }
        case .drain(let since, let until):
            guard self.isDelivered(to: comparison.shadow, since: since) else {
                let lane = self.loop.lane(comparison.shadow)
                guard self.loop.now >= until || lane.isHeldBack else { return }
                if let action = comparison.course?.waitedInVain() { self.carryOut(action, comparison) }
                return
            }
        }
        if let action = comparison.course?.waited() { self.carryOut(action, comparison) }
    }

    /// Whether a cluster has everything that it was owed at a moment.
    func isDelivered(to cluster: Cluster, since wall: Int64) -> Bool {
        let lane = self.loop.lane(cluster)
        let (now, age) = (self.loop.now, self.loop.wallMilliseconds - wall)
        guard lane.count == 0 || lane.oldestMilliseconds(now: now) < age else { return false }
        if lane.log == nil {
            // Nothing is owed yet of what the primary may have done and has not answered; a journal would know of it.
            let since = now - age * 1_000_000
            guard self.loop.requests.count(where: { $0.isWrite && $0.stage == .client && $0.receivedAt <= since }) == 0
            else { return false }
        }
        return self.progress?.isDelivered(to: cluster, since: wall, except: self.loop.index) != false
    }

    // MARK: Ending

    private func end(_ comparison: ReadComparison, _ outcome: ComparisonOutcome) {
        switch outcome {
        case .equal: self.close(comparison, .equal)
        case .settled: self.close(comparison, .settled)
        case .undecided: self.close(comparison, .undecided)
        case .unordered: self.close(comparison, .unordered)
        case .unreadable: self.close(comparison, .unreadable)
        case .mismatch(let found):
            self.close(comparison, .mismatch, found)
            self.report(found, comparison)
        }
    }

    private func close(
        _ comparison: ReadComparison,
        _ result: ComparisonCounters.Result,
        _ found: RowComparison? = nil
    ) {
        comparison.isOver = true
        comparison.wait = nil
        self.active.removeAll { $0 === comparison }
        self.loop.counters.comparison.count(result, comparison.table, found)
    }

    /// Says what was found, never with values, and puts the partitions into doubt that are known.
    private func report(_ found: RowComparison, _ comparison: ReadComparison) {
        if found.rowsDiffer { self.loop.doubt(found, comparison) }
        guard let count = self.complaints.note(now: self.loop.now) else { return }
        self.loop.logger.warning(
            "the clusters answer a read differently",
            metadata: [
                "table": "\(comparison.table)", "shadow": "\(comparison.shadow)",
                "differences": "\(found.differences.map(\.rawValue).joined(separator: ","))",
                "mismatches": "\(count)",
            ]
        )
    }
}
