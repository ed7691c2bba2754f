/// How long a load of a live source waits before it reads its first row.
///
/// What a source tells no time of gets one up to the ceiling. A write or a deletion that comes after a row was read must be newer
/// than that, or the target keeps what the row had before: so reading begins when no clock has the ceiling still before it.
enum CeilingWait {
    /// How far ahead a ceiling may be, in seconds. A moment further ahead is a mistake.
    static let secondsAheadMax: Int64 = 60

    /// The ceiling is too far ahead.
    struct TooFarAhead: Error, CustomStringConvertible {
        let seconds: Int64

        var description: String {
            "the ceiling lies \(self.seconds) seconds ahead: what is written until then could be overwritten by what was read "
                + "before; give the moment at which dual writing was proven active"
        }
    }

    /// The time from `now` until reading may begin, both in microseconds since 1970; zero where it may at once.
    ///
    /// - Parameter skew: how far clocks may be apart.
    static func duration(ceiling: Int64, now: Int64, skew: Duration) throws(TooFarAhead) -> Duration {
        let (ahead, overflows) = ceiling.subtractingReportingOverflow(now)
        guard !overflows, ahead <= self.secondsAheadMax * 1_000_000 else {
            // Only what is far behind or far ahead overflows.
            if overflows, ceiling < now { return .zero }
            throw TooFarAhead(seconds: overflows ? .max : ahead / 1_000_000)
        }
        return max(.zero, .microseconds(ahead) + skew)
    }
}
