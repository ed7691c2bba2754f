import Testing
import TokenRanges

struct JobProgressTests {
    private let other = TableName(keyspace: "Shop", table: "customers")

    @Test func `tokens count, by table and in all`() throws {
        let parts = [
            JobPart(table: table, range: TokenRange(start: 0, end: 100), checkpoint: 100, rowsDone: 7, state: .done),
            JobPart(table: table, range: TokenRange(start: 100, end: 200), checkpoint: 150, rowsDone: 3),
            JobPart(table: other, range: TokenRange(start: 0, end: 200), state: .leased(worker: "a")),
        ]
        let progress = JobProgress(parts)
        #expect(progress.tables[table]?.fraction == 0.75)
        #expect(progress.tables[other]?.fraction == 0)
        #expect(progress.total.fraction == 0.375)
        #expect(progress.total.rows == 10 && progress.total.expectedBytes == nil)
        #expect(!progress.total.isEnded && !progress.total.isComplete)
    }

    @Test func `nothing is complete while one token of a ring is missing, nor when a part has failed`() throws {
        let almost = JobPart(table: table, range: .ring, checkpoint: .max - 1)
        let fraction = try #require(JobProgress([almost]).total.fraction)
        #expect(fraction < 1)
        var failed = almost
        failed.state = .failed(reason: "gone")
        let progress = JobProgress([failed]).total
        #expect(progress.isEnded && !progress.isComplete && progress.tokensLeft == 0)
        var done = almost
        done.state = .done
        #expect(JobProgress([done]).total.fraction == 1)
        #expect(JobProgress([]).total.fraction == nil && !JobProgress([]).total.isComplete)
    }

    private func totals(_ checkpoint: Int64, rows: Int64) -> JobProgress.Totals {
        let range = TokenRange(start: 0, end: 1_000)
        return JobProgress([JobPart(table: table, range: range, checkpoint: checkpoint, rowsDone: rows)]).total
    }

    @Test func `a speed is measured over the window, and the end follows from it`() {
        var meter = ProgressMeter(window: .seconds(10))
        #expect(meter.speed.rowsPerSecond == nil && meter.speed.timeLeft == nil)
        meter.note(self.totals(0, rows: 0), now: 0)
        #expect(meter.speed.rowsPerSecond == nil && meter.speed.timeLeft == nil)
        for second in 1...10 as ClosedRange<Int64> {
            meter.note(self.totals(second * 10, rows: second * 50), now: second * 1_000_000_000)
        }
        #expect(meter.speed.rowsPerSecond == 50)
        #expect(meter.speed.timeLeft == .seconds(90))
        // It stands still: what was before fades from the window.
        for second in 11...20 as ClosedRange<Int64> {
            meter.note(self.totals(100, rows: 500), now: second * 1_000_000_000)
        }
        #expect(meter.speed.rowsPerSecond == 0)
        #expect(meter.speed.timeLeft == nil)
    }

    @Test func `a meter that is asked often keeps few samples and the same speed`() {
        var meter = ProgressMeter(window: .seconds(1_000))
        for step in 0...10_000 as ClosedRange<Int64> {
            meter.note(self.totals(step / 20, rows: step), now: step * 10_000_000)
        }
        #expect(meter.speed.rowsPerSecond == 100)
    }

    @Test func `what is ended has nothing left to wait for`() {
        var meter = ProgressMeter()
        let done = JobPart(table: table, range: .ring, state: .done)
        meter.note(JobProgress([done]).total, now: 5)
        #expect(meter.speed.timeLeft == .zero)
    }
}
