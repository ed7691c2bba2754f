/// How fast a job is, by its progress at some moments. A value; all times are nanoseconds of one clock.
public struct ProgressMeter: Sendable {
    /// What was measured. Nil is "not known": nobody can tell a speed before some time has passed, nor an end at no speed.
    public struct Speed: Sendable, Hashable {
        /// Rows in a second.
        public var rowsPerSecond: Double?
        /// Bytes in a second.
        public var bytesPerSecond: Double?
        /// How long until nobody has anything left to do, if all goes on as it does now.
        public var timeLeft: Duration?
    }

    private struct Sample: Sendable {
        let time: Int64
        let tokens: Double
        let rows: Int64
        let bytes: Int64
    }

    /// Samples that are kept at most; with more, the ones in between go.
    static var samplesMax: Int { 128 }
    /// The longest time that is told: whoever reads of a century knows that nobody knows.
    static var secondsMax: Double { 100 * 366 * 86_400 }

    private let window: Int64
    private var samples: [Sample] = []
    private var tokensLeft: Double?

    /// A meter.
    ///
    /// - Parameter window: over how long a speed is measured. Short ones jump, long ones are late to notice a change.
    public init(window: Duration = .seconds(60)) { self.window = max(1, window.wholeNanoseconds) }

    /// Notes a job's progress.
    public mutating func note(_ progress: JobProgress.Totals, now: Int64) {
        // A clock that has not moved since gives no speed.
        if let last = self.samples.last, last.time >= now { self.samples.removeLast() }
        self.samples.append(
            Sample(time: now, tokens: progress.tokensDone, rows: progress.rows, bytes: progress.bytes)
        )
        self.tokensLeft = progress.isEnded ? 0 : progress.tokensLeft
        // The newest sample that is older than the window stays: it is where the window begins.
        while self.samples.count > 2, self.samples[1].time <= now - self.window { self.samples.removeFirst() }
        if self.samples.count > Self.samplesMax {
            self.samples = self.samples.enumerated().filter {
                $0.offset % 2 == 0 || $0.offset == self.samples.count - 1
            }
            .map(\.element)
        }
    }

    /// The speed over the window.
    public var speed: Speed {
        guard let first = self.samples.first, let last = self.samples.last, last.time > first.time else {
            return Speed(timeLeft: self.tokensLeft == 0 ? .zero : nil)
        }
        let seconds = Double(last.time - first.time) / 1e9
        // A failed part that was begun anew, or a job that was removed: less is done than before.
        let tokens = max(0, last.tokens - first.tokens) / seconds
        return Speed(
            rowsPerSecond: Double(max(0, last.rows - first.rows)) / seconds,
            bytesPerSecond: Double(max(0, last.bytes - first.bytes)) / seconds,
            timeLeft: self.timeLeft(tokensPerSecond: tokens)
        )
    }

    private func timeLeft(tokensPerSecond: Double) -> Duration? {
        guard let left = self.tokensLeft else { return nil }
        if left == 0 { return .zero }
        let seconds = left / tokensPerSecond
        return seconds <= Self.secondsMax ? .seconds(seconds) : nil
    }
}
